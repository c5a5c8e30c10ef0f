"""The scheduled sweep of data keys whose subject was never committed."""

from __future__ import annotations

from celery import shared_task

from cortex.audit.actors import system
from cortex.clock import clock
from cortex.keys.actions import OLDER_THAN, sweep_orphans
from cortex.keys.queries import orphan_candidates

# Each round takes a thousand; a key that a writer asks for meanwhile stays a candidate no longer.
MOST_ROUNDS = 1000


@shared_task(name="cortex.keys.tasks.sweep_orphan_keys")
def sweep_orphan_keys() -> None:
    """Delete orphans older than a day, all of them. Run it once a day, as the system role."""
    for _ in range(MOST_ROUNDS):
        sweep_orphans(actor=system("key sweep"))
        if not orphan_candidates(clock() - OLDER_THAN, 1):
            return
