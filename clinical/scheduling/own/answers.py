"""What an app reads of appointments: when, with whom and how; never why one was called off."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from clinical.scheduling.actions import REMIND_BEFORE
from clinical.scheduling.models import Appointment


def appointment_members(rows: Iterable[Appointment], timezone: str, at: datetime) -> dict[str, Any]:
    """Return the answer for these appointments; times are UTC, `timezone` is where the person reads them."""
    return {"timezone": timezone, "appointments": [_members(row, at) for row in rows]}


def _members(row: Appointment, at: datetime) -> dict[str, Any]:
    remind_at = row.starts_at - REMIND_BEFORE
    wanted = row.is_open() and remind_at > at
    return {
        "id": str(row.pk), "starts_at": row.starts_at.isoformat(), "ends_at": row.ends_at.isoformat(),
        "kind": row.kind, "channel": row.channel, "with": row.therapist.full_name, "status": row.status,
        "moved_from": row.moved_from.isoformat() if row.moved_from else None,
        "remind_at": remind_at.isoformat() if wanted else None,
    }  # fmt: skip
