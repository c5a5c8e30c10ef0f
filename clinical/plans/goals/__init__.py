"""What a plan wants to reach and what is done for it: goals, their progress, and interventions."""
