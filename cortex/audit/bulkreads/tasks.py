"""The look at who reads of unusually many people."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task

from cortex.audit import system
from cortex.audit.bulkreads.actions import notice_bulk_reading
from cortex.audit.bulkreads.queries import readers_of_many
from cortex.clock import clock

WITHIN = timedelta(hours=1)
# [P] product policy, different people within an hour. A therapist's whole caseload is one list; a shift that
# opens a person a minute does nothing else.
MOST_OPENED = 60
MOST_LISTED = 500


@shared_task
def watch_bulk_reading() -> int:
    """Tell compliance who looked at more people than anybody's work asks for; return how many are new."""
    at = clock()
    found = readers_of_many(at - WITHIN, opened=MOST_OPENED, listed=MOST_LISTED)
    told = [notice_bulk_reading(actor=system("watch"), found=one, at=at) for one in found]
    return sum(one is not None for one in told)
