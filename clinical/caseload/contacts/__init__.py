"""When people of a caseload were seen or heard last, and when they come next."""
