"""What is done for a person: the treatment plan, goals, reviews, diagnoses, medications, allergies."""
