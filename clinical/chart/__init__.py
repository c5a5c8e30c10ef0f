"""One person's record as who treats them reads it."""
