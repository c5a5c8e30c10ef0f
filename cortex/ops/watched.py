"""What the watchdog last said, for pages and `/readyz`: do alerts arrive in time, and if not, since when."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from cortex.clock import clock
from cortex.ops.queries import last_round

WATCHDOG = "watchdog"
# Two rounds that didn't come, and half a minute: then nobody knows any more.
LATE_SECONDS = 150.0


def late_after() -> float:
    """Return after how many seconds a verdict is too old to be believed."""
    return max(LATE_SECONDS, 2.5 * settings.CORTEX_WATCHDOG_SECONDS)


def late_since(at: datetime | None = None) -> datetime | None:
    """Return since when alerts may arrive late: the last verdict doesn't hold, or is too old.

    None when all is well, and where no watchdog was ever started.
    """
    return late_by(last_round(WATCHDOG, at), at)


def late_by(found: tuple[float, dict[str, Any]] | None, at: datetime | None = None) -> datetime | None:
    """Return the same by the watchdog's last round: its age in seconds and its codes, or None."""
    if found is None:
        return None
    age, detail = found
    if detail.get("holds") is True and age <= late_after():
        return None
    held_at = detail.get("held_at")
    return datetime.fromisoformat(held_at) if held_at else clock(at) - timedelta(seconds=age)
