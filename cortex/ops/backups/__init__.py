"""Backups of both databases: taken in one snapshot, sealed in chunks, proven before they are put back."""
