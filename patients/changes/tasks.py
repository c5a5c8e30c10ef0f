"""Scheduled work on the log of changes; it may run twice and be lost without harm."""

from __future__ import annotations

from celery import shared_task

from cortex.audit import system
from patients.changes.actions import drop_changes as drop

UPKEEP = system("changes")


@shared_task(name="patients.changes.tasks.drop_changes")
def drop_changes() -> int:
    """Delete the rows of the log that nothing is read by any more; return how many."""
    return drop(actor=UPKEEP)
