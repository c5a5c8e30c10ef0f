"""Who is reminded of what waits unsigned: its author, later a supervisor; of process notes nobody else.

Who supervises is told of what a trainee signed, too.
"""
