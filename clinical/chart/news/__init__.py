"""What happened to a person since the last session."""
