"""The sweeper's look at the timetable: what beat, Redis or a dead worker let fall is sent again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import structlog
from django.conf import settings

from cortex.audit import Actor
from cortex.clock import clock
from cortex.ops.health import queue_length
from cortex.ops.slots import actions, queries
from cortex.ops.slots.tasking import CATCH_UP, headers
from cortex.ops.slots.timetable import Entry, entries

log = structlog.get_logger(__name__)

# So many messages are sent in one round, and none while more than that many wait for a worker.
MOST = 100

# A connection that a restarted Redis has forgotten fails once.
AGAIN = {"max_retries": 1, "interval_start": 0.2}

Send = Callable[[Entry, datetime], None]


def catch_up(*, actor: Actor, send: Send | None = None, at: datetime | None = None) -> int:
    """Make the rows that are missing and send what nobody began; return how many were sent.

    It may run as often and in as many processes as you like: a message too many finds its slot taken. Raise
    the broker's error when it is away: the rows stay due.
    """
    jobs = entries(settings.CELERY_BEAT_SCHEDULE)
    actions.open_slots(actor=actor, entries=jobs, at=at)
    due = queries.slots_to_send(clock(at), MOST)
    if not due:
        return 0
    if send is None and queue_length() >= MOST:
        # Nobody reads the queue: more of the same in it would help nobody.
        log.warning("queue_not_read", owed=len(due))
        return 0
    sent = 0
    for job, slot in due:
        entry = jobs.get(job)
        if entry is not None:
            (send or send_message)(entry, slot)
            sent += 1
        actions.note_sent(actor=actor, job=job, slot=slot, at=at)
    return sent


def send_message(entry: Entry, slot: datetime) -> None:
    """Put a slot's message into the queue; raise the broker's error when that can't be done."""
    from cortex.celery import app

    app.send_task(entry.task, headers=headers(entry.name, slot, CATCH_UP), retry_policy=AGAIN)
