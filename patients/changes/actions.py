"""The log's only change by hand: old rows leave."""

from __future__ import annotations

from django.db import connection

from cortex.audit import Actor, quiet
from patients.changes.queries import FORGOTTEN

_DROP = "DELETE FROM patients_change WHERE at < now() - make_interval(secs => %s)"


@quiet("old marks of changes, of which nothing is read any more; no one's care")
def drop_changes(*, actor: Actor) -> int:
    """Delete what the log keeps from before the last hours, by the database's clock; return how many."""
    with connection.cursor() as cursor:
        cursor.execute(_DROP, [FORGOTTEN.total_seconds()])
        return cursor.rowcount
