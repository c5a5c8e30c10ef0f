"""Where the tasks of floors above lead; the registry alone, no query here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from cortex.audit import Actor
from crisis.reviews.models import ReviewItem
from patients.registry.models import Patient


class Place(NamedTuple):
    """An address of the page on which a task is worked on, and what its link says."""

    url: str
    label: str


# The pages of a task about somebody whose chart is open to this actor, the first one first.
Teller = Callable[[Actor, ReviewItem, Patient, datetime], list[Place]]
_tellers: list[Teller] = []


def register(teller: Teller) -> None:
    """Add a teller; called once, at start."""
    if teller not in _tellers:
        _tellers.append(teller)


def places(actor: Actor, item: ReviewItem, person: Patient, at: datetime) -> list[Place]:
    """Return where a task leads, what its own floor knows not among it; the chart is open to the actor."""
    return [found for one in _tellers for found in one(actor, item, person, at)]
