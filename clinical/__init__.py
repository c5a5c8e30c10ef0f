"""The therapist's work and insight, and the composition root."""
