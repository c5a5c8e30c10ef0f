"""The daily look at the false-alarm budget."""

from __future__ import annotations

from celery import shared_task

from cortex.audit import system
from cortex.clock import clock
from crisis.calibration.queries import serving
from crisis.calibration.watch import watch_budget


@shared_task
def watch_budgets() -> int:
    """Ask about each organization whose week is outside the budget; return how many. One after the other."""
    at = clock()
    asked = [watch_budget(actor=system("calendar", one.pk), organization=one, at=at) for one in serving()]
    return sum(one is not None for one in asked)
