"""What is done for a person: the treatment plan, and the goals, reviews, diagnoses and medications in it."""
