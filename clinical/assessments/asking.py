"""Where the C-SSRS is asked, told to the floor below; the form since the last contact comes first there."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse

from clinical.assessments.schedule import SCREENER
from cortex.audit import Actor, NotFound, RuleBroken
from patients.registry.access import treated
from patients.registry.models import Patient


def may_ask(actor: Actor, person: Patient, at: datetime) -> bool:
    """Whether an actor may write in a person's chart, and so ask a measure of them."""
    try:
        treated(actor, person.pk, at, writes=True)
    except (NotFound, RuleBroken):
        return False
    return True


def screener_address(actor: Actor, person: Patient, at: datetime) -> str:
    """Return where an actor asks the screener of a person in whose chart they may write; else ""."""
    return reverse("clinical:measure_ask", args=[person.pk, SCREENER]) if may_ask(actor, person, at) else ""
