"""Who knows which subjects exist: floors above register here, so that the sweep never imports upward."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from cortex.keys.models import Purpose

Existing = Callable[[Collection[UUID]], Collection[UUID]]
"""Given subject ids, return those that exist in the main database (committed rows, row security off)."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """One sealed value of the main database: where it stands, whose key seals it, and what it is bound to."""

    label: str
    row: str
    subject: UUID
    version: int
    blob: bytes = field(repr=False)
    bound: bytes = field(repr=False)


Sealing = Callable[[int], Iterable[Sealed]]
"""Given a sample (0: all), yield one value for each key version that seals in a place."""

Resealing = Callable[..., tuple[int, dict[Any, str]]]
"""An action(actor=, subjects=, version=, limit=, skip=) that seals such values anew by `version`, at most
`limit` rows that nobody else holds; returns how many, and by row those that don't open."""

_SEALINGS: list[Sealing] = []
_RESEALINGS: dict[str, Resealing] = {}
_OWNERS: dict[str, list[Existing]] = {}


def register(existing: Existing, *, purpose: str = Purpose.PATIENT) -> None:
    """Register a function that tells which of some subject ids exist; call it in `AppConfig.ready`."""
    owners = _OWNERS.setdefault(Purpose(purpose).value, [])
    if existing not in owners:
        owners.append(existing)


def register_sealing(sealing: Sealing) -> None:
    """Register a function that yields what is sealed by other means than a model's sealed fields."""
    if sealing not in _SEALINGS:
        _SEALINGS.append(sealing)


def register_resealing(label: str, resealing: Resealing) -> None:
    """Register what seals anew the values that a function of `register_sealing` yields."""
    _RESEALINGS[label] = resealing


def resealings() -> dict[str, Resealing]:
    """Return what was registered, by the table's name."""
    return dict(_RESEALINGS)


def sealed_elsewhere(sample: int) -> Iterator[Sealed]:
    """Yield what the registered functions know."""
    for sealing in _SEALINGS:
        yield from sealing(sample)


def unregistered() -> list[str]:
    """Return the purposes for which nobody answers: while there are any, no key may be swept."""
    return [purpose for purpose in Purpose.values if not _OWNERS.get(purpose)]


def existing_subjects(subjects: Collection[UUID]) -> set[UUID]:
    """Return those of `subjects` that any registered owner knows, whatever purpose their key states."""
    found: set[UUID] = set()
    for owners in _OWNERS.values():
        for existing in owners:
            found |= set(existing(subjects))
    return found
