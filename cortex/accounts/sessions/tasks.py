"""Sweeping out sessions that expired and attempts that are old."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task

from cortex.accounts.sessions.actions import drop_expired_sessions
from cortex.accounts.signin.actions import drop_attempts_before
from cortex.clock import clock

ATTEMPTS_KEPT = timedelta(days=90)


@shared_task(name="cortex.accounts.sweep_out")
def sweep_out() -> None:
    """Delete expired sessions, and sign-in attempts older than 90 days."""
    drop_expired_sessions()
    drop_attempts_before(at=clock() - ATTEMPTS_KEPT)
