"""Tasks of the calendar: crisis lines are rung again before anybody relies on an old number."""

from celery import shared_task

from cortex.audit import system
from crisis.reviews.actions import ask_to_verify


@shared_task
def ask_to_verify_resources() -> int:
    """Open one review item per organization whose crisis lines nobody checked for 60 days."""
    return len(ask_to_verify(actor=system("calendar")))
