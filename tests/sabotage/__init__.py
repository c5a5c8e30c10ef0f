"""Takes one safeguard out of a copy of the code at a time; some test must notice. `make sabotage` runs it."""
