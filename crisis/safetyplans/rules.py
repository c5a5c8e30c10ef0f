"""When a safety plan is complete, when it protects and when it is looked at again (domain 3.3); pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta, tzinfo

NEEDED = ("warning_signs", "self_coping", "professionals_services", "safer_environment")
# One of these two is enough: company that distracts, or somebody to ask.
SOMEBODY = ("distraction_people_places", "people_to_ask")
# A plan that nobody looked at for longer says little about now, and protects nobody (domain 3.2).
FRESH = timedelta(days=90)
# While the level is medium or more it is looked at every 30 days; a task stands some days before.
EVERY = timedelta(days=30)
AHEAD = timedelta(days=3)
# [P] at the end of care it is looked at (domain 3.3); what was done within the last week counts.
BEFORE_LEAVING = timedelta(days=7)
WATCHED = ("medium", "high", "critical")


def missing(counts: Mapping[str, int]) -> list[str]:
    """Return which steps lack a line, in their order; `somebody` stands for two of which one is needed."""
    found = [one for one in NEEDED if counts.get(one, 0) < 1]
    if not any(counts.get(one, 0) for one in SOMEBODY):
        found.insert(sum(one in found for one in NEEDED[:2]), "somebody")
    return found


def is_complete(counts: Mapping[str, int]) -> bool:
    """Whether a plan has a line in steps 1, 2, 5 and 6, and one in 3 or 4; reasons for living are extra."""
    return not missing(counts)


def protects(
    *, in_force: bool, complete: bool, with_patient: bool, reviewed_at: datetime | None, at: datetime
) -> bool:
    """Whether it counts as PF_SAFETY_PLAN: complete, made together, in force, looked at within 90 days."""
    return in_force and complete and with_patient and is_fresh(reviewed_at, at)


def is_fresh(reviewed_at: datetime | None, at: datetime) -> bool:
    """Whether somebody looked at it within 90 days."""
    return reviewed_at is not None and at - reviewed_at <= FRESH


def is_watched(level: str) -> bool:
    """Whether a level asks for a plan that is looked at every 30 days."""
    return level in WATCHED


def asks_for_plan(level: str) -> bool:
    """Whether a level is so high that somebody without a plan is to make one now."""
    return level in ("high", "critical")


def means_at(on: date | None, reviewed_at: datetime | None, zone: tzinfo) -> datetime | None:
    """Return when the means of step 6 are looked at again, the day's beginning; None where that was done."""
    if on is None:
        return None
    begins = datetime.combine(on, time(), zone)
    return None if reviewed_at is not None and reviewed_at >= begins else begins


def due_after(planned: datetime, at: datetime) -> datetime:
    """Return by when a task about a planned look is done: then, and never before a day has passed."""
    return max(planned, at + timedelta(hours=24))
