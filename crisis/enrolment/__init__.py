"""Putting people on record by API, and the short-lived tokens of their own devices."""
