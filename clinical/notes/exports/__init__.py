"""What of a person's signed notes leaves as a file, by whose word, and under which consent."""
