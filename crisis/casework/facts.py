"""What floors above tell of the person on an alert's page; the registry alone, no query here.

A feature registers one teller in `AppConfig.ready`. Nothing is drawn where none has anything to say.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from cortex.access.context import AccessContext
from patients.registry.models import Patient


@dataclass(frozen=True, slots=True)
class Fact:
    """One line among the person's facts; `is_grave` is said in the colour of danger."""

    label: str
    value: str
    is_grave: bool = False


# It opens what it tells through the context, notes its own look, and asks a fixed number of queries. Whoever
# it is asked for has the person open already; a name that doesn't open must not shut the page.
Teller = Callable[[AccessContext, Patient, datetime], list[Fact]]
_tellers: list[Teller] = []


def register(teller: Teller) -> None:
    """Add a teller; called once, at start."""
    if teller not in _tellers:
        _tellers.append(teller)


def told(context: AccessContext, patient: Patient, at: datetime) -> list[Fact]:
    """Return what all tellers say of a person, in the order of their registration."""
    return [fact for teller in _tellers for fact in teller(context, patient, at)]
