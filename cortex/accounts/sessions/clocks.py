"""How long sessions live: the setting rows, bounded and read at most once a minute."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from cortex.ops.queries import setting

REREAD_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a session lives without input, and at all."""

    idle: timedelta = timedelta(minutes=15)
    absolute: timedelta = timedelta(hours=12)


_limits: tuple[float, Limits] = (0.0, Limits())


def limits() -> Limits:
    """Return the limits in force: rows `session.idle_minutes` (1-60) and `session.absolute_hours` (1-24)."""
    global _limits
    read_at, found = _limits
    if time.monotonic() - read_at > REREAD_SECONDS or not read_at:
        idle = _bounded(setting("session.idle_minutes", 15), 1, 60, 15)
        absolute = _bounded(setting("session.absolute_hours", 12), 1, 24, 12)
        found = Limits(timedelta(minutes=idle), timedelta(hours=absolute))
        _limits = (time.monotonic(), found)
    return found


def _bounded(value: Any, least: int, most: int, otherwise: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        return otherwise
    return min(max(value, least), most)
