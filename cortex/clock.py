"""The one clock of every rule: the database's, unless the caller gives a time."""

from datetime import datetime, timedelta

from django.db import connection
from django.db.models import DateTimeField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Now

# A time, or the database's own now, for conditions that are asked in SQL.
Moment = datetime | Now


def before(at: Moment, span: timedelta) -> Combinable:
    """Return the moment `span` before `at` as SQL, which reckons with `at` itself."""
    return (Value(at, output_field=DateTimeField()) if isinstance(at, datetime) else at) - span


def clock(at: datetime | None = None) -> datetime:
    """Return `at`, else the database's `clock_timestamp()` (aware, UTC)."""
    if at is not None:
        return at
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]
