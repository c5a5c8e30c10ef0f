"""Where floors above ask the C-SSRS of a person; the registry alone, no query here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from cortex.audit import Actor
from patients.registry.models import Patient

# The address at which this actor asks the screener of this person; empty where they may not.
Teller = Callable[[Actor, Patient, datetime], str]
_tellers: list[Teller] = []


def register(teller: Teller) -> None:
    """Add a teller; called once, at start."""
    if teller not in _tellers:
        _tellers.append(teller)


def address(actor: Actor, person: Patient, at: datetime) -> str:
    """Return where the actor asks the screener of a person; empty where nobody offers it to them."""
    return next((found for one in _tellers if (found := one(actor, person, at))), "")
