"""The person's own app: their coming appointments, and when to remind them."""
