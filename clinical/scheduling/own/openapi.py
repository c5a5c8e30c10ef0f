"""What the API reference says of a person's own appointments."""

from __future__ import annotations

from typing import Any

from clinical.scheduling.models import CHANNELS, Kind, Status
from cortex.api.schema import TEXT, TIME, object_of, refusals

NO_TIME = {"type": ["string", "null"], "format": "date-time"}
APPOINTMENT = object_of(
    "One appointment that isn't over. `moved_from` is when it was to begin before its last move; `remind_at` "
    "is when the app should remind the person, or null: called off, or too near for that. What it is for "
    "doesn't belong on a locked screen.",
    ("id", "starts_at", "ends_at", "kind", "channel", "with", "status", "moved_from", "remind_at"),
    id={"type": "string", "format": "uuid"}, starts_at=TIME, ends_at=TIME,
    kind={"type": "string", "enum": Kind.values},
    channel={"type": "string", "enum": [one.value for one in CHANNELS]},
    status={"type": "string", "enum": [Status.SCHEDULED.value, Status.CANCELLED.value]},
    moved_from=NO_TIME, remind_at=NO_TIME, **{"with": TEXT},
)  # fmt: skip
ANSWER = object_of(
    "The coming appointments, soonest first, at most fifty. Times are UTC; `timezone` is the person's.",
    ("timezone", "appointments"), timezone=TEXT, appointments={"type": "array", "items": APPOINTMENT},
)  # fmt: skip
DOCS: dict[str, Any] = {"tags": ["Appointments"], "responses": {200: ANSWER, **refusals(401)}}
