"""Doors of medications: record one, change one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from clinical.plans.allergies.charted import KEY as ALLERGIES
from clinical.plans.allergies.showing import fact_words
from clinical.plans.doors import WRITERS, Look, Page, edit, once, press, seen, told
from clinical.plans.medications import actions, queries
from clinical.plans.medications.forms import MedicationForm
from cortex.access.declare import requires
from cortex.audit import RuleBroken, actor_of

ABOUT = (
    "Recorded only: nothing here prescribes, advises a dose or looks for interactions. The name alone is "
    "compared with the allergies on record, as a word: no other name of a substance is known here."
)


def _form(found: Look, data: Any, medication_id: UUID | None) -> MedicationForm:
    """Make the form; its labels are asked of whoever may set them."""
    if medication_id is None:
        return MedicationForm(data, auto_id="m_%s")
    row = queries.medication_of(found.patient, medication_id, found.shut)
    if row.is_in_error:
        raise RuleBroken(actions.IN_ERROR, "in_error")
    found.shows(row)
    found.context.open([row])
    names = (*actions.PLAIN, *actions.WORDS, "lethal_quantity")
    initial = {name: getattr(row, name) for name in names} | {"labels": row.sensitivity_labels}
    form = MedicationForm(data, initial=initial, auto_id="m_%s")
    actor = found.context.actor
    if not row.is_labelled_by(actor.person.pk, prescribes=actor.role in actions.PRESCRIBING):
        del form.fields["labels"]
    return form


def _ask(found: Look, ids: list[UUID]) -> str:
    """Say which allergies have the medication's name; those on the list as it stands now."""
    rows = [one for one in found.read[ALLERGIES] if one.pk in ids]
    found.context.open(rows, ("substance",))
    return (
        f"This has the name of what stands on the list of allergies: {fact_words(rows)}. Is it right all the "
        "same?"
    )


ASKS: dict[str, Any] = {"section": "medications", "ask": _ask, "asks_section": "allergies"}


@requires(*WRITERS)
@require_http_methods(["GET", "POST"])
def medication_add(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Record a medication."""
    return edit(
        request, patient_id, Page("Record a medication", "Record it", ABOUT, **ASKS),
        lambda found, data: _form(found, data, None),
        lambda data: actions.save_medication(
            actor=actor_of(request), patient_id=patient_id, fields=data, told=told(request),
            once=once(request, patient_id),
        ),
    )  # fmt: skip


@requires(*WRITERS)
@require_http_methods(["GET", "POST"])
def medication_edit(request: HttpRequest, patient_id: UUID, medication_id: UUID) -> HttpResponse:
    """Change a medication."""
    error = {"error_url": reverse("clinical:medication_error", args=[patient_id, medication_id])}
    page = Page(
        "Change the medication", "Save", ABOUT, more=lambda found: error, go_on="Save all the same", **ASKS
    )
    return edit(
        request, patient_id, page,
        lambda found, data: _form(found, data, medication_id),
        lambda data: actions.save_medication(
            actor=actor_of(request), patient_id=patient_id, fields=data, medication_id=medication_id,
            told=told(request), seen=seen(request),
        ),
    )  # fmt: skip


@requires(*WRITERS)
@require_POST
def medication_error(request: HttpRequest, patient_id: UUID, medication_id: UUID) -> HttpResponse:
    """Mark a medication as entered in error."""
    return press(request, patient_id, actions.mark_error, medication_id=medication_id)


@requires(*WRITERS)
@require_POST
def medication_error_undo(request: HttpRequest, patient_id: UUID, medication_id: UUID) -> HttpResponse:
    """Take the mark of an error away."""
    return press(request, patient_id, actions.undo_error, medication_id=medication_id)
