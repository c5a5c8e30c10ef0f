"""What floors above tell of a person's coming appointments; the registry alone, no query here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from uuid import UUID

# When the next booked time of each of these rows of people begins, for those who have one.
Teller = Callable[[Iterable[UUID], datetime], dict[UUID, datetime]]
_tellers: list[Teller] = []


def register(teller: Teller) -> None:
    """Add a teller; called once, at start."""
    if teller not in _tellers:
        _tellers.append(teller)


def soonest(ids: Iterable[UUID], at: datetime) -> datetime | None:
    """Return when the next booked time of a person begins, whichever of their rows it is filed under."""
    rows = list(ids)
    return min((when for one in _tellers for when in one(rows, at).values()), default=None)
