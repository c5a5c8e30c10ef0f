"""Reads of the timetable's rows."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Count, Min

from cortex.clock import clock
from cortex.ops.slots.models import ScheduledSlot, SlotState


def slots_to_send(at: datetime, limit: int) -> list[tuple[str, datetime]]:
    """Return the jobs and slots that nobody did and somebody must send now, the longest due first."""
    due = ScheduledSlot.objects.to_send(at).order_by("send_at", "slot")
    return list(due.values_list("job", "slot")[:limit])


def late_slots(seconds: float, at: datetime | None = None) -> tuple[int, float]:
    """Return how many slots nobody did so long after their time, and the age of the oldest in seconds.

    One that is being done is not late: its worker is killed at its limit.
    """
    now = clock(at)
    late = ScheduledSlot.objects.undone().filter(slot__lte=now - timedelta(seconds=seconds))
    late = late.exclude(state=SlotState.BEGUN, lease_until__gt=now)
    found = late.aggregate(number=Count("pk"), oldest=Min("slot"))
    oldest = found["oldest"]
    return found["number"], 0.0 if oldest is None else (now - oldest).total_seconds()
