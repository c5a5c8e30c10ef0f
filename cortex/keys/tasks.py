"""The scheduled sweep of data keys whose subject was never committed."""

from __future__ import annotations

from celery import shared_task

from cortex.audit.actors import system
from cortex.keys.actions import sweep_orphans


@shared_task(name="cortex.keys.tasks.sweep_orphan_keys")
def sweep_orphan_keys() -> None:
    """Delete orphans older than a day. Run it once a day, as the system role."""
    sweep_orphans(actor=system("key sweep"))
