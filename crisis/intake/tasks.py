"""Scheduled work of intake: item ids and kept answers leave when their time is over."""

from __future__ import annotations

from celery import shared_task

from cortex.audit import system
from crisis.intake.actions import forget_expired

PORTION = 10_000
MOST_PORTIONS = 200


@shared_task
def forget_expired_keys() -> int:
    """Delete expired answers and item ids, each portion in its own transaction; beat calls it hourly."""
    gone = 0
    for _ in range(MOST_PORTIONS):
        portion = forget_expired(actor=system("intake"), limit=PORTION)
        gone += portion
        if portion < PORTION:
            break
    return gone
