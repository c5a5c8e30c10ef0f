"""The wrapped data key of every person and organization, by bare id, in a database of its own."""
