"""Sessions that nobody ended, and whose clinician is not there any more to do it."""
