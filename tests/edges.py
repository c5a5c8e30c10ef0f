"""The day of a test: none begins just before a midnight that it would pass, for tests name and count days."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from zoneinfo import ZoneInfo

# Days begin at midnight by UTC, and where the houses of the tests are.
ZONES = (UTC, ZoneInfo("Africa/Nairobi"))
# Seconds that a test takes at most of those that care; of whole walks and houses, which take minutes.
LONGEST, LONGEST_WALK = 30.0, 150.0


def seconds_left(at: datetime) -> float:
    """Return how long the day of this moment still lasts in the zone where it ends first."""
    return min((_end(at.astimezone(zone)) - at).total_seconds() for zone in ZONES)


def _end(local: datetime) -> datetime:
    return datetime.combine(local.date() + timedelta(days=1), clock_time(), local.tzinfo)


def begin_in_a_day(longest: float = LONGEST) -> None:
    """Wait, where a day is about to end, for the next one."""
    left = seconds_left(datetime.now(UTC))
    if left < longest:
        time.sleep(left + 0.1)
