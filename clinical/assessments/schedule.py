"""When a measure is due again (domain 2.2); pure computation over dates. The spans are our policy [P]."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

EVERY = timedelta(days=14)
LATER_EVERY = timedelta(days=28)
STABLE_EVERY = timedelta(days=90)
FIRST_WEEKS = timedelta(weeks=12)
# Overdue is a task after a week, and the clinician is told after three.
TASK_AFTER = timedelta(days=7)
TELL_AFTER = timedelta(days=21)
INTAKE = ("phq9", "gad7", "who5", "cssrs")
ROUTINE = ("phq9", "gad7")
# Between sessions, for as long as somebody is in care.
WELLBEING = ("who5",)


@dataclass(frozen=True, slots=True)
class Taken:
    """One completed administration, the newest last in a list."""

    at: datetime
    is_remission: bool = False


def next_due(taken: Sequence[Taken], began: datetime) -> datetime:
    """Return when the next is due: fortnightly for 12 weeks, then monthly, quarterly when stable."""
    if not taken:
        return began
    last = taken[-1]
    if len(taken) >= 2 and all(one.is_remission for one in taken[-2:]):
        return last.at + STABLE_EVERY
    return last.at + (EVERY if last.at - began < FIRST_WEEKS else LATER_EVERY)


def is_late(due_at: datetime, at: datetime) -> bool:
    """Whether a measure is so late that somebody should do something."""
    return at >= due_at + TASK_AFTER
