"""A promised contact: what is asked in it, how it is logged, and when a supervisor is asked instead."""
