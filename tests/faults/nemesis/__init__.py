"""A house of real processes under a seeded nemesis, and the account of what was promised meanwhile."""
