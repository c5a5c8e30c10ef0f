"""The look at who reads of unusually many people."""

from __future__ import annotations

from datetime import datetime, timedelta
from math import ceil

from celery import shared_task

from cortex.audit import system
from cortex.audit.bulkreads.actions import notice_bulk_reading
from cortex.audit.bulkreads.queries import readers_of_many
from cortex.clock import clock
from cortex.ops.actions import note_round
from cortex.ops.queries import seconds_since

WITHIN = timedelta(hours=1)
# [P] product policy, different people within an hour. A therapist's whole caseload is one list; a shift that
# opens a person a minute does nothing else.
MOST_OPENED = 60
MOST_LISTED = 500
# As in the timetable; and how far back the look after an outage goes.
EVERY = timedelta(minutes=5)
FURTHEST = timedelta(days=1)
LOOKED = "bulk reading looked at"


@shared_task
def watch_bulk_reading() -> int:
    """Tell compliance who looked at more people than anybody's work asks for; return how many are new.

    Each hour that ended since the last look is looked at, not only the newest: nobody reads unseen while no
    worker runs.
    """
    at, actor, told = clock(), system("watch"), []
    for end in _ends(at):
        found = readers_of_many(end - WITHIN, until=end, opened=MOST_OPENED, listed=MOST_LISTED)
        told += [notice_bulk_reading(actor=actor, found=one, at=at) for one in found]
    note_round(actor=actor, name=LOOKED)
    return sum(one is not None for one in told)


def _ends(at: datetime) -> list[datetime]:
    """Return when the hours end that nobody has looked at, oldest first; the last ends now."""
    age = seconds_since(LOOKED, at)
    missed = FURTHEST if age is None else min(FURTHEST, timedelta(seconds=age))
    return [at - number * EVERY for number in reversed(range(max(1, ceil(missed / EVERY))))]
