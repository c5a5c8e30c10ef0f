"""Who is away, who leaves: covers with a start and an end, and a caseload that moves in one action."""
