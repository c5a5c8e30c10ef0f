"""Notes of those who treat: drafts that can't be lost, signed ones that can't be changed, addenda."""
