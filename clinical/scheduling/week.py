"""A week in one time zone: its days, its hours, and local times that clocks skip or repeat. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cortex.clock import steady_now
from cortex.horizon import is_far

# The hours that a week shows even when nothing lies in them.
FIRST_HOUR, LAST_HOUR = 8, 18


class SkippedTime(ValueError):
    """A local time that doesn't exist on its day: clocks jump over it."""


def moment_of(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """Return a local time as a moment; of a repeated one the first. Raise SkippedTime where there is none."""
    local = datetime.combine(day, clock.replace(second=0, microsecond=0, tzinfo=None), zone)
    if local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
        raise SkippedTime(f"{clock:%H:%M} does not exist on {day:%-d %b %Y}: clocks go forward over it")
    return local.astimezone(UTC)


def weekly(day: date, clock: time, weeks: int, zone: ZoneInfo) -> list[datetime]:
    """Return the same local time on so many weeks, across changes of the clock; raises SkippedTime."""
    return [moment_of(day + timedelta(weeks=number), clock, zone) for number in range(weeks)]


def is_repeated(at: datetime, zone: ZoneInfo) -> bool:
    """Whether the local time of a moment comes twice that day."""
    local = at.astimezone(zone)
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()


def monday_of(day: date) -> date:
    """Return the Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def read_week(text: str, today: date) -> date:
    """Return the Monday of an ISO week such as 2026-W48; this week's for anything else."""
    year, _, number = text.partition("-W")
    if len(year) == 4 and len(number) == 2 and (year + number).isascii() and (year + number).isdigit():
        try:
            found = date.fromisocalendar(int(year), int(number), 1)
        except ValueError:
            return monday_of(today)
        if not is_far(found, steady_now()):
            return found
    return monday_of(today)


def week_name(monday: date) -> str:
    """Return the ISO week of a Monday, as it stands in an address."""
    year, number, _ = monday.isocalendar()
    return f"{year}-W{number:02d}"


def span(monday: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the moments between which a local week lies: 167, 168 or 169 hours."""
    start = datetime.combine(monday, time(), zone)
    return start.astimezone(UTC), datetime.combine(monday + timedelta(days=7), time(), zone).astimezone(UTC)


def clock_change(day: date, zone: ZoneInfo) -> timedelta:
    """Return by how much the clocks go forward during a local day; zero on most."""
    start = datetime.combine(day, time(), zone)
    offsets = [one.utcoffset() or timedelta() for one in (start, start + timedelta(days=1))]
    return offsets[1] - offsets[0]


@dataclass(slots=True)
class Day:
    """One day of a week with what lies on it, in order."""

    date: date
    change: timedelta
    is_today: bool
    entries: list[Any] = field(default_factory=list)


@dataclass(slots=True)
class Week:
    """Seven local days, and the hours that they show."""

    days: list[Day]
    hours: list[int]

    def cell(self, day: Day, hour: int) -> list[Any]:
        """Return what begins on a day within an hour."""
        return [one for one in day.entries if one["local"].hour == hour]


def week_of(monday: date, zone: ZoneInfo, entries: list[dict[str, Any]], at: datetime) -> Week:
    """Lay entries (each with `starts_at`; `local` is filled in) onto the days on which they begin there."""
    today = at.astimezone(zone).date()
    days = {}
    for number in range(7):
        day = monday + timedelta(days=number)
        days[day] = Day(day, clock_change(day, zone), day == today)
    for one in sorted(entries, key=lambda entry: entry["starts_at"]):
        one["local"] = one["starts_at"].astimezone(zone)
        if one["local"].date() in days:
            days[one["local"].date()].entries.append(one)
    used = {one["local"].hour for day in days.values() for one in day.entries}
    low, high = min({FIRST_HOUR, *used}), max({LAST_HOUR, *used})
    return Week(list(days.values()), list(range(low, high + 1)))
