"""Whose rows have news: what a list keeps of a person holds until one of their rows is written."""
