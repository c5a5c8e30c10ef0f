"""The desk's people: who is locked, who is invited; for supervisors and administrators."""
