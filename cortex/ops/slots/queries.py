"""Reads of the timetable's rows."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Count, Min

from cortex.clock import clock
from cortex.ops.slots.models import ScheduledSlot, SlotState


def slots_to_send(at: datetime, limit: int) -> list[tuple[str, datetime]]:
    """Return the jobs and slots that nobody did and somebody must send now, the longest due first."""
    due = ScheduledSlot.objects.to_send(at).order_by("send_at", "slot")
    return list(due.values_list("job", "slot")[:limit])


def slot_states(job: str) -> dict[datetime, str]:
    """Return each known slot of a job with its state."""
    return dict(ScheduledSlot.objects.filter(job=job).order_by("slot").values_list("slot", "state"))


def late_slots(seconds: float, at: datetime | None = None) -> tuple[int, float]:
    """Return how many slots are undone so long after their time, and the age of the oldest in seconds."""
    now = clock(at)
    found = ScheduledSlot.objects.undone().aggregate(oldest=Min("slot"))
    oldest = found["oldest"]
    age = 0.0 if oldest is None else max(0.0, (now - oldest).total_seconds())
    if age < seconds:
        return 0, age
    ages = ScheduledSlot.objects.undone().values_list("slot", flat=True)
    return sum((now - slot).total_seconds() >= seconds for slot in ages), age


def counts_by_state() -> dict[str, int]:
    """Return how many rows stand in each state."""
    found = dict(ScheduledSlot.objects.order_by().values_list("state").annotate(Count("pk")))
    return {state: found.get(state, 0) for state in SlotState.values}
