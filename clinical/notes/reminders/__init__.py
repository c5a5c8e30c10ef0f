"""Who is reminded of what waits unsigned: its author, later a supervisor; of process notes nobody else."""
