"""How far off something typed may lie: what no driver can load again is refused before it is stored."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from cortex.audit.rules import InputRefused

# A year of four digits in one zone is one of five in another, which nothing here can read. Nothing is planned
# for a hundred years, and nothing that is told of lies further back.
FURTHEST = timedelta(days=36_525)
TOO_FAR = "Choose a day within a hundred years of today."


def is_far(when: date, at: datetime) -> bool:
    """Whether a day or a moment lies further off than anything that is planned or told of."""
    day = when.date() if isinstance(when, datetime) else when
    return abs(day - at.date()) > FURTHEST


def refuse_far(at: datetime, **times: date | None) -> None:
    """Raise InputRefused at the field of the first of these times that lies too far off."""
    for field, when in times.items():
        if when is not None and is_far(when, at):
            raise InputRefused(TOO_FAR, "too_far", field=field)
