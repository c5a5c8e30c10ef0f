"""When the words of a voice session must be gone (domain K7), and what holds them back; no writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from patients.sessions.models import HARD_CAP

SETTING = "voice_retention_days"
LONGEST_DAYS = 7
BATCH = 1000

# Legal holds and open alerts pause a purge (domain 7.3), each registered by its own floor:
# `at` -> a condition on voice sessions.
HOLDS: dict[str, Callable[[datetime], Q]] = {}


def register_hold(name: str, held: Callable[[datetime], Q]) -> None:
    """Add a reason that pauses the purge; `held(at)` is a condition on voice sessions, without any join."""
    HOLDS[name] = held


def kept_days(settings: Mapping[str, Any]) -> int:
    """Return the days that an organization keeps words after extraction: 0 to 7; anything else means 7."""
    days = settings.get(SETTING, LONGEST_DAYS)
    if isinstance(days, bool) or not isinstance(days, int):
        return LONGEST_DAYS
    return min(max(days, 0), LONGEST_DAYS)


def delete_after(started_at: datetime, extracted_at: datetime | None, days: int) -> datetime:
    """Return when the words must be gone: extraction plus `days`, never later than start plus 14 days."""
    cap = started_at + HARD_CAP
    return cap if extracted_at is None else min(cap, extracted_at + timedelta(days=days))
