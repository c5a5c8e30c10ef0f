"""The ground of the project: it knows no patient and no alert."""
