"""Scheduled work on people's data; each task may run twice and be lost without harm."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from cortex.audit import system
from patients.registry.actions import update_age_bands
from patients.upkeep import actions

EXTRACTION = system("extraction")
RETENTION = system("retention")
# A ceiling for one run, so that a fault can't keep a worker for ever; the next run goes on.
ROUNDS = 200


@shared_task(name="patients.upkeep.tasks.extract_voice")
def extract_voice() -> int:
    """Copy the coded scalars of newly arrived voice sessions; return how many."""
    total = 0
    for _ in range(ROUNDS):
        done = actions.extract_voice(actor=EXTRACTION)
        total += done
        if done < actions.EXTRACTION_BATCH:
            break
    return total


@shared_task(name="patients.upkeep.tasks.purge_words")
def purge_words(is_dry_run: bool = False) -> int:
    """Purge due transcripts and full voice features; return how many (a dry run looks at one batch)."""
    total = 0
    for _ in range(ROUNDS):
        batch = actions.purge_voice(actor=RETENTION, is_dry_run=is_dry_run)
        total += batch.deleted
        if batch.is_last or is_dry_run:
            break
    return total


@shared_task(name="patients.upkeep.tasks.purge_places")
def purge_places() -> int:
    """Delete expired places."""
    return actions.purge_places(actor=RETENTION)


@shared_task(name="patients.upkeep.tasks.refresh_age_bands")
def refresh_age_bands() -> None:
    """Set every age band anew, a few hundred people per transaction."""
    after: UUID | None = None
    while True:
        after = update_age_bands(actor=system("age_bands"), after=after)
        if after is None:
            return
