"""Emotions that were read by machine and flagged: a clinician confirms, corrects or rejects them."""
