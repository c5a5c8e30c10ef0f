"""What a caseload reads of each person, kept by the process until one of their rows is written."""
