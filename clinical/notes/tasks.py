"""Scheduled work of notes; each run may be lost or come twice without harm."""

from __future__ import annotations

from celery import shared_task

from clinical.notes.reminders import queries
from clinical.notes.reminders.actions import remind_author
from cortex.access.context import scoped
from cortex.audit import system
from cortex.clock import clock

REMINDER = system("notes")


@shared_task(name="clinical.notes.tasks.remind_unsigned")
def remind_unsigned() -> int:
    """Remind of every note and addendum that waits for three days; return of how many."""
    at = clock()
    with scoped(REMINDER):
        waiting = queries.to_remind(at)
    return sum(
        remind_author(actor=REMINDER, kind=kind, row_id=row_id) is not None for kind, row_id in waiting
    )
