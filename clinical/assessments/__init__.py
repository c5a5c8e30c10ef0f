"""Measures: instruments, their administrations, scoring, change and when the next one is due."""
