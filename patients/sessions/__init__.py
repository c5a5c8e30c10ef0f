"""What a person's app sends: sessions, words, observations, check-ins; and when it leaves again."""
