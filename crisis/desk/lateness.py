"""What a board says when the watchdog finds that alerts may arrive late."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from cortex.accounts.models import User
from cortex.ops.watched import late_since
from crisis.alerts.queries import late_mark
from crisis.desk.shifts import desk_phone


def late_part(user: User, topics: Iterable[str], at: datetime) -> dict[str, Any]:
    """Return since when alerts may be late (None: they aren't), whom to call, and the boards' marks of it."""
    since = late_since(at)
    return {
        "since": since,
        "phone": desk_phone(user),
        "marks": dict.fromkeys(topics, late_mark(since)),
    }
