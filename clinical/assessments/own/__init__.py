"""Measures in the person's own app: which are due, in their language, and their answers, by the API."""
