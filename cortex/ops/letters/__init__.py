"""Dead letters: what was tried often enough, waits for a person, and holds up nobody."""
