"""What is added to signed notes: kept as it is written, then signed, then fixed."""
