"""Drafts that are taken up again: those like one that is to be begun, and those that were discarded."""
