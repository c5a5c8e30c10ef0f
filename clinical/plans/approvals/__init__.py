"""Whose plan waits for a supervisor's word, and who may give it; the word itself stands in `plans.actions`."""
