"""How care began, on a chart's overview: what the referral promised and which first steps are missing."""

from __future__ import annotations

from django.urls import reverse

from clinical.chart.parts import Card, Line, Look, Part, Shown, register
from clinical.pathway.beginning.queries import CALLS, Owed, beginning_of


def overview(look: Look) -> Shown:
    """Tell what is owed since the referral was accepted, each step by itself; measures stand there anyway."""
    one = beginning_of(look.ids, look.context.actor.person.pk, look.at)
    if one is None:
        return Shown()
    steps = reverse("clinical:first_steps", args=[look.patient.pk])
    due = [_line(look, one.promise, steps, "phone", urgent=True)] if one.promise else []
    for words in one.missing:
        door = "chart_contact_add" if words == CALLS else "chart_consent"
        url = reverse(f"clinical:{door}", args=[look.patient.pk])
        due.append(_line(look, one.step(f"First step: {words}"), url, "circle-dashed"))
    return Shown(due=due, cards=[Card("clinical/pathway/_came.html", {"one": one, "url": steps})])


def _line(look: Look, owed: Owed, url: str, icon: str, *, urgent: bool = False) -> Line:
    return Line(owed.words, owed.due, url, icon, late=owed.due <= look.at, urgent=urgent)


def register_beginning() -> None:
    """Add it; called once, at start."""
    register(Part("beginning", overview=overview))
