"""Who cares for whom: teams, covers, grants."""
