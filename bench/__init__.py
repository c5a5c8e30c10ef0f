"""Repeatable measurements, one command each; never part of the test run."""
