"""Whose plan waits for a supervisor and who may give the word; the word itself stands in `plans.actions`."""
