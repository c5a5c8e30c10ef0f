"""The labels of one session: who sets them here, and what each of them does."""
