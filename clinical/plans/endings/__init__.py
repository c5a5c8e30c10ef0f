"""How a plan ends: why, by whom, and whether that can be taken back."""
