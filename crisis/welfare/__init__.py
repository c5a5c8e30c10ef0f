"""A supervisor's decision on a welfare check for somebody whom no try reached (domain 3.4, 3.9)."""
