"""The daily look for safety plans that somebody should go through again."""

from __future__ import annotations

from celery import shared_task

from cortex.audit import system
from cortex.clock import clock
from crisis.safetyplans.actions import ask_for_review
from crisis.safetyplans.queries import due_for_review


@shared_task
def ask_for_plan_reviews() -> int:
    """Make a task of each plan whose review comes; return how many. A small transaction for each."""
    at = clock()
    found = due_for_review(at)
    for plan, planned in found:
        ask_for_review(actor=system("calendar"), plan=plan, planned=planned, at=at)
    return len(found)
