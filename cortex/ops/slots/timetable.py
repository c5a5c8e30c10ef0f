"""Which slots a schedule of the settings gives: pure reckoning over crontabs and intervals, in UTC."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count, takewhile
from typing import Any

from celery.schedules import crontab, schedule

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
# A crontab for 29 February skips eight years at a turn of the century.
LONGEST_DAYS = 8 * 366


class UnknownSchedule(Exception):
    """A kind of schedule whose slots nobody can name, such as sunrise: the timetable must not hold one."""


@dataclass(frozen=True)
class Entry:
    """One job of the timetable."""

    name: str
    task: str
    schedule: Any

    @property
    def text(self) -> str:
        """Say the schedule, so that a changed one is noticed."""
        return said(self.schedule)


def entries(settings: Mapping[str, Mapping[str, Any]]) -> dict[str, Entry]:
    """Return the jobs of a CELERY_BEAT_SCHEDULE by name; raise UnknownSchedule."""
    found = {name: Entry(name, one["task"], one["schedule"]) for name, one in settings.items()}
    for entry in found.values():
        said(entry.schedule)
    return found


def said(plan: Any) -> str:
    """Return a schedule as text; raise UnknownSchedule for one whose slots can't be named."""
    if isinstance(plan, crontab):
        parts = (plan._orig_minute, plan._orig_hour, plan._orig_day_of_month, plan._orig_month_of_year,
                 plan._orig_day_of_week)  # fmt: skip
        return "crontab " + " ".join(str(part) for part in parts)
    return f"every {_seconds(plan):g} s"


def newest_slot(plan: Any, at: datetime) -> datetime:
    """Return the newest slot at or before a time; raise UnknownSchedule."""
    return next(_backwards(plan, at))


def slots_between(plan: Any, after: datetime, until: datetime) -> list[datetime]:
    """Return the slots in (after, until], oldest first; raise UnknownSchedule."""
    return list(takewhile(lambda slot: slot > after, _backwards(plan, until)))[::-1]


def _seconds(plan: Any) -> float:
    """Return the seconds of an interval, however the settings say it."""
    if type(plan) is schedule:
        plan = plan.run_every
    if isinstance(plan, timedelta):
        plan = plan.total_seconds()
    if not isinstance(plan, int | float) or isinstance(plan, bool) or plan < 1:
        raise UnknownSchedule(f"no slots follow from {type(plan).__name__}")
    return float(plan)


def _backwards(plan: Any, at: datetime) -> Iterator[datetime]:
    """Yield the slots from `at` back."""
    if isinstance(plan, crontab):
        yield from _crontab_backwards(plan, at)
        return
    every = _seconds(plan)
    whole = int((at - EPOCH).total_seconds() // every)
    for number in count(whole, -1):
        yield EPOCH + timedelta(seconds=number * every)


def _crontab_backwards(plan: crontab, at: datetime) -> Iterator[datetime]:
    at = at.astimezone(UTC).replace(second=0, microsecond=0)
    hours, minutes = sorted(plan.hour, reverse=True), sorted(plan.minute, reverse=True)
    midnight = at.replace(hour=0, minute=0)
    for back in range(LONGEST_DAYS):
        day = midnight - timedelta(days=back)
        if not _is_day(plan, day):
            continue
        for hour in hours:
            for minute in minutes:
                slot = day.replace(hour=hour, minute=minute)
                if slot <= at:
                    yield slot
    raise UnknownSchedule("a crontab that never comes")


def _is_day(plan: crontab, day: datetime) -> bool:
    """Whether a crontab names the day; Sunday is 0 there. Celery asks for all three parts, unlike cron."""
    return (
        day.month in plan.month_of_year
        and day.day in plan.day_of_month
        and day.isoweekday() % 7 in plan.day_of_week
    )
