"""Doors of allergies: record one, change one, say that none is known, mark an error and undo it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from clinical.plans.allergies import actions, queries
from clinical.plans.allergies.forms import AllergyForm
from clinical.plans.doors import WRITERS, Look, Page, edit, press, seen, told
from clinical.plans.medications.queries import medications_of
from cortex.access.declare import requires
from cortex.access.unreadable import readable
from cortex.audit import RuleBroken, actor_of

ABOUT = (
    "What is active stands in the banner of every page of the chart. The name alone is compared with the "
    "medications on record, as a word: no other name of a substance is known here."
)


def _ask(found: Look, ids: list[UUID]) -> str:
    """Say which medications have the substance's name, as far as labels leave them open."""
    rows, _ = found.shut.open_of(one for one in medications_of(found.patient) if one.pk in ids)
    found.context.open(rows, ("name",))
    names = ", ".join(readable(one, "name") for one in rows)
    return (
        f"The medications on record have this name: {names}. Is it right all the same? Then speak with "
        "whoever prescribes it."
    )


def _form(found: Look, data: Any, allergy_id: UUID) -> AllergyForm:
    row = queries.allergy_of(found.patient, allergy_id)
    if row.is_in_error:
        raise RuleBroken("This was entered in error. Undo that before you change it.", "in_error")
    found.shows(row)
    found.context.open([row], actions.WORDS)
    initial = {name: getattr(row, name) for name in (*actions.PLAIN, *actions.WORDS)}
    return AllergyForm(data, initial=initial, auto_id="g_%s")


ASKS: dict[str, Any] = {"section": "allergies", "ask": _ask, "asks_section": "medications"}


@requires(*WRITERS)
@require_http_methods(["GET", "POST"])
def allergy_add(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Record an allergy."""
    return edit(
        request, patient_id, Page("Record an allergy", "Record it", ABOUT, **ASKS),
        lambda found, data: AllergyForm(data, auto_id="g_%s"),
        lambda data: actions.save_allergy(
            actor=actor_of(request), patient_id=patient_id, fields=data, told=told(request)
        ),
    )  # fmt: skip


@requires(*WRITERS)
@require_http_methods(["GET", "POST"])
def allergy_edit(request: HttpRequest, patient_id: UUID, allergy_id: UUID) -> HttpResponse:
    """Change an allergy, or mark it as an error by a button of its own."""
    error = {"error_url": reverse("clinical:allergy_error", args=[patient_id, allergy_id])}
    page = Page(
        "Change the allergy", "Save", ABOUT, more=lambda found: error, go_on="Save all the same", **ASKS
    )
    return edit(
        request, patient_id, page,
        lambda found, data: _form(found, data, allergy_id),
        lambda data: actions.save_allergy(
            actor=actor_of(request), patient_id=patient_id, fields=data, allergy_id=allergy_id,
            told=told(request), seen=seen(request),
        ),
    )  # fmt: skip


@requires(*WRITERS)
@require_POST
def allergies_none_known(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Record that no allergy is known."""
    return press(request, patient_id, actions.say_none_known)


@requires(*WRITERS)
@require_POST
def allergy_error(request: HttpRequest, patient_id: UUID, allergy_id: UUID) -> HttpResponse:
    """Mark an allergy as entered in error."""
    return press(request, patient_id, actions.mark_error, allergy_id=allergy_id)


@requires(*WRITERS)
@require_POST
def allergy_error_undo(request: HttpRequest, patient_id: UUID, allergy_id: UUID) -> HttpResponse:
    """Take the mark of an error away."""
    return press(request, patient_id, actions.undo_error, allergy_id=allergy_id)
