"""Who can say when a person's next appointment is: features register here; no query of its own."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from uuid import UUID

# (rows of people, now) -> the next appointment by row; one query, whatever their number.
Provider = Callable[[Collection[UUID], datetime], dict[UUID, datetime]]

_providers: dict[str, Provider] = {}


def register(key: str, provider: Provider) -> None:
    """Add a provider; the same key again replaces it. Called from `AppConfig.ready`."""
    _providers[key] = provider


def next_appointments(ids: Collection[UUID], at: datetime) -> dict[UUID, datetime]:
    """Return the earliest appointment of each row that anybody knows of."""
    found: dict[UUID, datetime] = {}
    for provider in _providers.values():
        for row, when in provider(ids, at).items():
            found[row] = min(when, found.get(row, when))
    return found
