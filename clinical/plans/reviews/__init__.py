"""When a plan is looked at together again, and what was decided."""
