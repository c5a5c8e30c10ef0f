"""The one clock of every rule: the database's, unless the caller gives a time."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta

from django.db import connection
from django.db.models import DateTimeField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Now

# A time, or the database's own now, for conditions that are asked in SQL.
Moment = datetime | Now

# The database is asked for its time so often at most; in between a clock counts that nobody can set.
ASKED_EVERY = 30.0
_asked: tuple[datetime, float] | None = None


def before(at: Moment, span: timedelta) -> Combinable:
    """Return the moment `span` before `at` as SQL, which reckons with `at` itself."""
    return (Value(at, output_field=DateTimeField()) if isinstance(at, datetime) else at) - span


def clock(at: datetime | None = None) -> datetime:
    """Return `at` in UTC, else the database's `clock_timestamp()` (aware, UTC).

    Five minutes after a time of another zone are five of the wall there: an hour more, once a year.
    """
    if at is not None:
        return at.astimezone(UTC) if at.utcoffset() else at
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


def steady_now() -> datetime:
    """Return the database's time as this process reckons it, for what is compared on every page.

    This machine's own clock may be set, by hand or by a server of times: a leap of an hour must neither end
    every session of a desk nor let one live on.
    """
    global _asked
    if _asked is None or time.monotonic() - _asked[1] > ASKED_EVERY:
        at = clock()
        _asked = at, time.monotonic()
    return _reckoned(_asked)


def known_now() -> datetime | None:
    """Return the same without asking the database; None in a process that never has."""
    return None if _asked is None else _reckoned(_asked)


def _reckoned(asked: tuple[datetime, float]) -> datetime:
    return asked[0] + timedelta(seconds=time.monotonic() - asked[1])


def _after_fork() -> None:
    global _asked
    _asked = None


os.register_at_fork(after_in_child=_after_fork)
