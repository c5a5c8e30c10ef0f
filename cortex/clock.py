"""The one clock of every rule: the database's, unless the caller gives a time."""

from datetime import datetime

from django.db import connection


def clock(at: datetime | None = None) -> datetime:
    """Return `at`, else the database's `clock_timestamp()` (aware, UTC)."""
    if at is not None:
        return at
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]
