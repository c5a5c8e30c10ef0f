"""When a plan is reviewed (domain 6.1): after 30 days, then by level, sooner after a rise or crisis; pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

FIRST = timedelta(days=30)
BY_LEVEL = {
    "low": timedelta(days=90),
    "medium": timedelta(days=30),
    "high": timedelta(days=14),
    "critical": timedelta(days=7),
}
# A level that is entered may bring a review forward; the lowest never does.
RISING = ("medium", "high", "critical")
AFTER_CRISIS = timedelta(hours=72)
SUPERVISOR_AFTER = timedelta(days=7)


def first_review(began: datetime, days: int | None = None) -> datetime:
    """Return when a plan is first reviewed: after 30 days, or the plan's own span where that is shorter."""
    return began + (min(FIRST, timedelta(days=days)) if days else FIRST)


def next_review(held: datetime, level: str, days: int | None = None) -> datetime:
    """Return when a plan is reviewed again after a review."""
    return held + every(level, days)


def every(level: str, days: int | None = None) -> timedelta:
    """Return the span between reviews: the level's, or the plan's own where that is shorter."""
    span = BY_LEVEL.get(level, BY_LEVEL["low"])
    return min(span, timedelta(days=days)) if days else span


def due_at(
    planned: datetime, crises: Iterable[datetime], held: datetime | None,
    entered: Iterable[tuple[datetime, str]] = (),
) -> datetime:  # fmt: skip
    """Return when the next review is due: as planned, or sooner after what came since the last one.

    That is 72 hours after a crisis, and the span of a level after somebody `entered` it (time and level).
    The soonest counts: who comes down again is still looked at by the day that their rise set.
    """
    since = [one + AFTER_CRISIS for one in crises if held is None or one > held]
    since += [one + BY_LEVEL[level] for one, level in entered if held is None or one > held]
    return min([planned, *since])


def is_supervisors(due: datetime, at: datetime) -> bool:
    """Whether a review is so late that it stands on the supervisor's list."""
    return at >= due + SUPERVISOR_AFTER
