"""Scheduled work of intake: item ids and kept answers leave when their time is over."""

from __future__ import annotations

from celery import shared_task

from cortex.audit import system
from crisis.intake.actions import forget_expired


@shared_task
def forget_expired_keys() -> int:
    """Delete one portion of expired answers and item ids; beat calls it every hour."""
    return forget_expired(actor=system("intake"))
