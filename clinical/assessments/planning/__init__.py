"""When measures are due for whom: the schedule of domain 2.2, one person's own, and what is chased."""
