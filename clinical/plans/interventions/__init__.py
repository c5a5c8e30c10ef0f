"""What is done for a plan's goals: coded interventions and the sessions that are counted of them."""
