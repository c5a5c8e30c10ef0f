"""Where a task about a person leads in the therapist's room: what it asks about first, then the chart."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse

from clinical.assessments.asking import may_ask
from clinical.assessments.schedule import SCREENER
from clinical.notes.reminders.queries import waiting_note
from cortex.audit import Actor
from crisis.reviews.models import PAPERS, ReviewItem
from crisis.reviews.places import Place, register
from patients.registry.models import Patient

ASKS = {"phq9_due": "phq9", "phq9_suggested": "phq9"}
SCREENS = frozenset({"cssrs_due", "cssrs_declined", "item9_missing"})
LEVELS = frozenset({"risk_review", "level_stands_after_end", "past_attempt_mentioned", "safeguarding"})


def register_leads() -> None:
    """Tell the tasks' pages; called once, at start."""
    register(_places)


def _places(actor: Actor, item: ReviewItem, person: Patient, at: datetime) -> list[Place]:
    """Return the pages of a task about somebody whose chart is open to the actor."""
    chart = Place(reverse("clinical:chart", args=[person.pk]), "Open the chart")
    return [*_asked(actor, item, person, at), chart]


def _asked(actor: Actor, item: ReviewItem, person: Patient, at: datetime) -> list[Place]:
    """Return the pages that one reason is about."""
    found, code = [], item.reason_code
    if code in PAPERS and item.source_id:
        note_id = waiting_note(actor.id, person.pk, code, item.source_id)
        if note_id is not None:
            found.append(Place(reverse("clinical:note_page", args=[person.pk, note_id]), "Open the note"))
    elif code == "emotion_flagged":
        found.append(Place(reverse("clinical:emotions"), "Open the readings to look at"))
    elif code in LEVELS:
        found.append(Place(reverse("clinical:chart_crisis", args=[person.pk]), "Open level and signals"))
    elif code in SCREENS or code in ASKS:
        key = SCREENER if code in SCREENS else ASKS[code]
        if may_ask(actor, person, at):
            found.append(Place(reverse("clinical:measure_ask", args=[person.pk, key]), "Ask it"))
    elif code == "measure_overdue":
        found.append(Place(reverse("clinical:measures", args=[person.pk]), "Open the measures"))
    if item.source_type == "measure" and item.source_id:
        answers = reverse("clinical:measure_result", args=[person.pk, item.source_id])
        found.append(Place(answers, "Open the answers"))
    return found
