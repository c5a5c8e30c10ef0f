"""Scheduled work of the watchdog: canaries that told what they were raised for leave at night."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task

from cortex.accounts.queries import organization_by_slug
from cortex.audit import system
from cortex.clock import clock
from crisis.watchdog.actions import drop_canaries
from crisis.watchdog.canary import SLUG

# Long enough to look into what a bad night's rounds met. Whose page stands before a deleted number is told
# to reload, as by any gap; at the slowest rounds (600 s) two days are more numbers than a page is replayed.
KEPT = timedelta(days=2)
PORTION = 500
# Seven months of canaries in one night, should nobody have deleted any before.
MOST_PORTIONS = 600


@shared_task
def drop_old_canaries() -> int:
    """Delete canaries of two days ago and before, each portion in its own transaction; return how many."""
    place = organization_by_slug(SLUG)
    if place is None:
        return 0
    actor, before, gone = system("watchdog", place.pk), clock() - KEPT, 0
    for _ in range(MOST_PORTIONS):
        portion = drop_canaries(actor=actor, organization_id=place.pk, before=before, limit=PORTION)
        gone += portion
        if portion < PORTION:
            break
    return gone
