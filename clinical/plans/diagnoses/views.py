"""Doors of diagnoses: search codes, record one, change one, keep favourites."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from clinical.notes.queries import about_diagnosis, reader
from clinical.notes.showing import row_of
from clinical.plans.diagnoses import actions, icd, queries
from clinical.plans.diagnoses.forms import AddDiagnosisForm, DiagnosisForm
from clinical.plans.doors import WRITERS, Look, Page, edit, press, seen
from cortex.access.context import scoped
from cortex.access.declare import requires
from cortex.audit import RuleBroken, actor_of

LONGEST = 80


@requires(*WRITERS)
@require_POST
def code_search(request: HttpRequest) -> HttpResponse:
    """Codes that hold what is typed, for the list under the field; what is typed is no part of an address."""
    asked = request.POST.get("q", "")[:LONGEST]
    actor = actor_of(request)
    with scoped(actor):
        liked = tuple(queries.favourites(actor.person.pk))
    rows = [{"code": one.code, "title": one.title} for one in icd.search(asked, liked)]
    return JsonResponse({"codes": rows})


@requires(*WRITERS)
@require_http_methods(["GET", "POST"])
def diagnosis_add(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Record a diagnosis; without a script the same form searches, chooses and keeps favourites."""
    steps = {"find", "pick", "keep", "drop"} & request.POST.keys()
    _mark(request)
    asked = request.POST.get("code", "")[:LONGEST]
    chosen = request.POST.get("pick", asked)[:LONGEST]

    def make(found: Look, data: Any) -> AddDiagnosisForm:
        if not steps:
            return AddDiagnosisForm(data, auto_id="d_%s")
        typed = {name: request.POST.get(name, "") for name in ("status", "onset", "note")}
        return AddDiagnosisForm(initial=typed | {"code": chosen}, auto_id="d_%s")

    def more(found: Look) -> dict[str, Any]:
        liked = queries.favourites(actor_of(request).person.pk)
        entry = icd.entry(chosen) if chosen else None
        hits = icd.search(asked, tuple(liked)) if "find" in steps else []
        if entry is not None and not entry.billable:
            hits = icd.children(entry.code)[: icd.MOST]
        return {
            "favourites": [icd.table()[code] for code in liked], "hits": hits, "asked": asked,
            "searched": "find" in steps, "chosen": entry if entry and entry.billable else None,
            "is_liked": entry is not None and entry.code in liked,
        }  # fmt: skip

    page = Page(
        "Record a diagnosis", "Record it", "ICD-10-CM.", "clinical/plans/diagnosis.html", "diagnoses", more
    )  # fmt: skip
    return edit(
        request, patient_id, page, make,
        lambda data: actions.add_diagnosis(actor=actor_of(request), patient_id=patient_id, **data),
    )  # fmt: skip


def _mark(request: HttpRequest) -> None:
    """Keep or put away a favourite where one of those buttons was pressed."""
    for name, keep in (("keep", True), ("drop", False)):
        if name in request.POST:
            actions.mark_favourite(actor=actor_of(request), code=request.POST[name][:LONGEST], keep=keep)


@requires(*WRITERS)
@require_http_methods(["GET", "POST"])
def diagnosis_edit(request: HttpRequest, patient_id: UUID, diagnosis_id: UUID) -> HttpResponse:
    """Change how sure a diagnosis is, since when, or its note."""

    def make(found: Look, data: Any) -> DiagnosisForm:
        row = queries.diagnosis_of(found.patient, diagnosis_id, found.shut)
        if row.is_in_error:
            raise RuleBroken(actions.IN_ERROR, "in_error")
        found.shows(row)
        found.context.open([row])
        initial = {"status": row.status, "onset": row.onset, "note": row.note}
        return DiagnosisForm(data, initial=initial, auto_id="d_%s")

    def more(found: Look) -> dict[str, Any]:
        actor = actor_of(request)
        written, withheld = about_diagnosis(reader(actor, patient_id, found.at), diagnosis_id)
        return {
            "diagnosis": queries.diagnosis_of(found.patient, diagnosis_id, found.shut),
            "notes": [row_of(one, actor.person.pk, found.at) for one in written],
            "notes_withheld": withheld,
            "error_url": reverse("clinical:diagnosis_error", args=[patient_id, diagnosis_id]),
        }

    page = Page("Change the diagnosis", "Save", section="diagnoses", more=more)

    def run(data: dict[str, Any]) -> None:
        actions.change_diagnosis(
            actor=actor_of(request), patient_id=patient_id, diagnosis_id=diagnosis_id, seen=seen(request),
            **data,
        )  # fmt: skip

    return edit(request, patient_id, page, make, run)


@requires(*WRITERS)
@require_POST
def diagnosis_error(request: HttpRequest, patient_id: UUID, diagnosis_id: UUID) -> HttpResponse:
    """Mark a diagnosis as entered in error."""
    return press(request, patient_id, actions.mark_error, diagnosis_id=diagnosis_id)


@requires(*WRITERS)
@require_POST
def diagnosis_error_undo(request: HttpRequest, patient_id: UUID, diagnosis_id: UUID) -> HttpResponse:
    """Take the mark of an error away."""
    return press(request, patient_id, actions.undo_error, diagnosis_id=diagnosis_id)
