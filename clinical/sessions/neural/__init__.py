"""Neural audio for one person: the profile, what forbids it, and what the rules propose to change."""
