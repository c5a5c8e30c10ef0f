"""Whom to look at first: a therapist's people by need."""
