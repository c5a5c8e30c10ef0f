"""Doors of what waits: one's notes to sign, a supervisor's late ones, search, and text blocks."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinical.notes import actions, queries
from clinical.notes.forms import BlockForm
from clinical.notes.queries import Cut
from clinical.notes.reminders import queries as reminders
from clinical.notes.search import Found, search
from clinical.notes.showing import addendum_row, block_row, row_of
from cortex.access.context import KEYS_DOWN, reading
from cortex.access.declare import requires
from cortex.accounts.choices import DESK_ROLES
from cortex.accounts.models import Role
from cortex.audit import InputRefused, RuleBroken, actor_of
from cortex.clock import clock
from cortex.ui.pages import go_to
from cortex.ui.rules import given_back
from patients.registry.access import CHART
from patients.registry.queries import NAMES, named

LONGEST = 120


@requires(*DESK_ROLES)
@require_GET
def note_desk(request: HttpRequest) -> HttpResponse:
    """One's own unsigned notes and addenda, the oldest first, and trainees' of both to co-sign."""
    actor, at = actor_of(request), clock()
    with reading(actor, purpose="treatment", permission=CHART) as context:
        found = queries.desk(actor, at)
        context.open(found.people, NAMES)
        names = {one.pk: named(one)._asdict() for one in found.people}
        context.saw("notes_to_sign", subjects=sorted(names), object_type="clinical.Note")

        def line(note: Any, **more: Any) -> dict[str, Any]:
            return row_of(note, actor.person.pk, at) | names[note.patient_id] | more

        def added(one: Any) -> dict[str, Any]:
            return addendum_row(one, actor.person.pk, at) | names[one.note.patient_id]

        shown = {
            "own": [line(note) for note in found.own],
            "addenda": [added(one) for one in found.addenda],
            "to_cosign": _by_signature(map(line, found.to_cosign), map(added, found.added_to_cosign)),
            "is_supervisor": actor.role == Role.SUPERVISOR,
        }
        return render(request, "clinical/notes/desk.html", shown)


def _by_signature(*lines: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return lines of notes and addenda in the order in which they were signed."""
    return sorted(chain(*lines), key=lambda one: one["since"])


@requires(Role.SUPERVISOR)
@require_GET
def note_late(request: HttpRequest) -> HttpResponse:
    """Notes and addenda that wait for more than seven days, by pseudonym and author.

    No text is opened, and no label is named: it would say what a note is about.
    """
    actor, at = actor_of(request), clock()
    with reading(actor, purpose="supervision") as context:
        found = reminders.late(actor.org_ids, at)
        both: list[Any] = [*found.unsigned, *found.addenda, *found.to_cosign, *found.added_to_cosign]
        context.saw(
            "notes_late", subjects=sorted({one.patient_id for one in both}), object_type="clinical.Note"
        )

        def line(note: Any) -> dict[str, Any]:
            pseudonym = note.patient.anonymous_id
            return row_of(note, actor.person.pk, at) | {"pseudonym": pseudonym, "url": "", "labels": []}

        def added(one: Any) -> dict[str, Any]:
            pseudonym = one.note.patient.anonymous_id
            return addendum_row(one, actor.person.pk, at) | {"pseudonym": pseudonym, "url": "", "labels": []}

        unsigned = [*map(line, found.unsigned), *map(added, found.addenda)]
        shown = {
            "unsigned": sorted(unsigned, key=lambda one: one["begun"]),
            "to_cosign": _by_signature(map(line, found.to_cosign), map(added, found.added_to_cosign)),
        }
        return render(request, "clinical/notes/late.html", shown)


@requires(*DESK_ROLES)
@require_http_methods(["GET", "POST"])
def note_search(request: HttpRequest) -> HttpResponse:
    """Words in the notes of one's caseload, or of one chart (`patient`); they are posted, never linked."""
    actor, at = actor_of(request), clock()
    asked = " ".join(request.POST.get("q", "").replace("\x00", "").split())[:LONGEST]
    patient_id, after = _patient(request), _after(request)
    with reading(actor, purpose="treatment", permission=CHART) as context:
        found = Found()
        if asked:
            found = search(context, actor, asked, at, patient_id=patient_id, after=after)
        whose = queries.reader(actor, patient_id, at).patient if patient_id else None
        rows = [
            row_of(hit.note, actor.person.pk, at) | named(hit.note.patient)._asdict() | {"pieces": hit.pieces}
            for hit in found.hits
        ]
        shown = {"q": asked, "rows": rows, "found": found, "whose": whose}
        return render(request, "clinical/notes/search.html", shown)


def _patient(request: HttpRequest) -> UUID | None:
    given = request.POST.get("patient", "")
    try:
        return UUID(given) if given else None
    except ValueError:
        raise InputRefused("This is not the id of anybody.", "id_unknown", field="patient") from None


def _after(request: HttpRequest) -> Cut | None:
    """Return where the search before this one broke off, as its page says it; None for anything else."""
    moment, _, note = request.POST.get("before", "").partition(" ")
    try:
        at, note_id = parse_datetime(moment), UUID(note)
    except ValueError:
        return None
    return Cut(at, note_id) if at is not None and timezone.is_aware(at) else None


@requires(*DESK_ROLES)
@require_http_methods(["GET", "POST"])
def text_blocks(request: HttpRequest) -> HttpResponse:
    """One's own templates and phrases, and the organization's; POST keeps another."""
    actor = actor_of(request)
    form = BlockForm(request.POST if request.method == "POST" else None, auto_id="b_%s")
    status, conflict = 422 if form.errors else 200, None
    if form.is_bound and form.is_valid():
        data = form.cleaned_data
        try:
            actions.save_block(
                actor=actor, title=data["title"], note_type=data["note_type"], sections=form.sections(),
                is_shared=data["is_shared"],
            )  # fmt: skip
        except (RuleBroken, *KEYS_DOWN) as error:
            status, conflict = given_back(request, form, error)
        else:
            return go_to(request, request.path)
    with reading(actor, purpose="text_blocks") as context:
        rows = queries.blocks(actor.person)
        context.open(rows, ["sections"])
        shown = {"rows": [block_row(one) for one in rows], "form": form, "conflict": conflict,
                 "is_supervisor": actor.role == Role.SUPERVISOR}  # fmt: skip
        return render(request, "clinical/notes/blocks.html", shown, status=status)


@requires(*DESK_ROLES)
@require_POST
def text_block_retire(request: HttpRequest, block_id: UUID) -> HttpResponse:
    """Put a text block away."""
    actions.retire_block(actor=actor_of(request), block_id=block_id)
    return go_to(request, reverse("clinical:text_blocks"))
