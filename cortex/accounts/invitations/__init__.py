"""Invitations: how a person gets an account."""
