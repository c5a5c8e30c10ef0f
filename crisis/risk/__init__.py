"""Risk: what was noticed about a person and what the rules make of it; working alerts lives elsewhere."""
