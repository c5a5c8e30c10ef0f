"""Apps that send, and their keys."""
