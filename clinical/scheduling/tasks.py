"""Tasks of the calendar: reminders that have fallen due, each by itself."""

from celery import shared_task

from clinical.scheduling import queries
from clinical.scheduling.actions import send_reminder
from cortex.audit import system
from cortex.clock import clock


@shared_task
def send_due_reminders() -> int:
    """Tell therapists of their appointments of the next day; return how many reminders were worked off."""
    done = [
        send_reminder(actor=system("calendar"), reminder_id=one) for one in queries.due_reminders(clock())
    ]
    return sum(one is not None for one in done)
