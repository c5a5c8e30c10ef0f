"""Doors of a note that is being written: begin it, its page, each save, and a page's way back to it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from clinical.notes import actions, linked, queries
from clinical.notes.actions import Saved
from clinical.notes.drafts.queries import alike, is_untouched
from clinical.notes.forms import NoteForm
from clinical.notes.models import Note, NoteStatus
from clinical.notes.queries import AnyNote
from clinical.notes.showing import block_row, facts_span, row_of, side_by_side, template_parts
from clinical.notes.views import banner, id_in, saw
from clinical.notes.wording import FILLED, MENTAL_STATE, TYPES, takes_blocks
from cortex.access.context import KEYS_DOWN, AccessContext, reading
from cortex.access.declare import requires
from cortex.accounts.choices import DESK_ROLES
from cortex.audit import InputRefused, RuleBroken, actor_of
from cortex.clock import clock
from cortex.ui.pages import go_to, is_partial
from cortex.ui.rules import given_back
from cortex.ui.saving import refused_json, saved_json
from patients.registry.access import CHART


@requires(*DESK_ROLES)
@require_POST
def note_begin(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Begin a note (`note_type`; `session` and `template` by id, both optional) and open its page.

    Where one's own draft of this type has words, it asks first: go on with it, or begin another (`anew`).
    """
    actor, kind = actor_of(request), request.POST.get("note_type", "")
    session_id, sections, anew = id_in(request, "session"), _template(request), "anew" in request.POST
    if not anew and (session_id is None or sections):
        asked = _asked(request, patient_id, kind, session_id)
        if asked is not None:
            return asked
    note = actions.begin_note(
        actor=actor, patient_id=patient_id, note_type=kind, session_id=session_id, sections=sections,
        anew=anew,
    )  # fmt: skip
    return go_to(request, reverse("clinical:note_edit", args=[patient_id, note.pk]))


def _asked(request: HttpRequest, patient_id: UUID, kind: str, session_id: UUID | None) -> HttpResponse | None:
    """Ask what is meant when drafts like it hold words already; None when there is nothing to ask."""
    actor, at = actor_of(request), clock()
    with reading(actor, purpose="treatment", permission=CHART) as context:
        who = queries.reader(actor, patient_id, at)
        found = alike(actor, who.patient, kind, session_id)
        if not found or any(map(is_untouched, found)):
            return None
        context.saw("notes", subjects=[who.patient.pk], object_type="clinical.Note")
        shown = banner(context, who, at) | {
            "rows": [row_of(note, actor.person.pk, at) | {"saved_at": note.saved_at} for note in found],
            "type": TYPES[kind],
            "given": {name: request.POST.get(name, "") for name in ("note_type", "session", "template")},
        }
        return render(request, "clinical/notes/begin.html", shown)


def _template(request: HttpRequest) -> dict[str, str]:
    """Return the sections of the chosen template, opened for this note; InputRefused for another type's."""
    chosen = id_in(request, "template")
    if chosen is None:
        return {}
    actor, kind = actor_of(request), request.POST.get("note_type", "")
    with reading(actor, purpose="text_blocks") as context:
        offered = [one for one in queries.blocks(actor.person) if one.note_type]
        found = next((one for one in offered if one.pk == chosen), None)
        if found is None:
            raise InputRefused("This template was put away. Choose another.", "unknown", field="template")
        if found.note_type != kind:
            kind = found.get_note_type_display()
            message = f"{found.title} is a template for {kind} notes. Choose that type, or no template."
            raise InputRefused(message, "template_of_other_type", field="template")
        context.open([found], ["sections"])
        return dict(found.sections)


@requires(*DESK_ROLES)
@require_GET
def note_edit(request: HttpRequest, patient_id: UUID, note_id: UUID) -> HttpResponse:
    """The page on which one's own draft is written; what is signed is shown as it stands."""
    actor, at = actor_of(request), clock()
    with reading(actor, purpose="treatment", permission=CHART) as context:
        who = queries.reader(actor, patient_id, at)
        note = queries.note(who, note_id)
        if not note.is_draft or note.author_id != actor.person.pk:
            return go_to(request, reverse("clinical:note_page", args=[patient_id, note_id]))
        saw(context, note, "edit")
        form = NoteForm(
            note_type=note.note_type, diagnoses=linked.choices(who, note),
            initial=_initial(note, queries.opened(context, note)),
        )  # fmt: skip
        return _editor(request, context, who, note, form)


def _initial(note: AnyNote, texts: dict[str, str]) -> dict[str, Any]:
    found = {"version": note.version, "occurred_at": timezone.localtime(note.occurred_at), **texts}
    if isinstance(note, Note):
        found |= {"follow_up_on": note.follow_up_on, "diagnoses": [str(one) for one in note.diagnoses]}
    return found


def _editor(
    request: HttpRequest, context: AccessContext, who: queries.Reader, note: AnyNote, form: NoteForm,
    status: int = 200, **more: Any,
) -> HttpResponse:  # fmt: skip
    at = clock()
    blocks = [one for one in queries.blocks(who.user) if one.note_type in ("", note.note_type)]
    context.open(blocks, ["sections"])
    facts = queries.facts(who.patient, note.occurred_at, at) if note.note_type in FILLED else []
    shown = banner(context, who, at) | {
        "note": note,
        "row": row_of(note, who.user.pk, at),
        "form": form,
        "phrases": [block_row(one) for one in blocks if not one.note_type],
        "templates": [part for one in blocks if one.note_type for part in template_parts(one)],
        "facts": "\n".join(facts),
        "facts_span": facts_span(note.occurred_at, at, who.patient.zone()),
        "mental_state": "".join(f"{one}: \n" for one in MENTAL_STATE),
        "fills": FILLED.get(note.note_type, ""),
        "takes": takes_blocks(note.note_type),
        **more,
    }
    return render(request, "clinical/notes/edit.html", shown, status=status)


@requires(*DESK_ROLES)
@require_POST
def note_save(request: HttpRequest, patient_id: UUID, note_id: UUID) -> HttpResponse:
    """Keep what is written. A script hears JSON, or 409 with both texts side by side; a form goes on."""
    actor = actor_of(request)
    with reading(actor, purpose="treatment", permission=CHART):
        who = queries.reader(actor, patient_id, clock())
        note = queries.note(who, note_id)
        form = NoteForm(
            request.POST, note_type=note.note_type, diagnoses=linked.choices(who, note),
            occurred_at=note.occurred_at,
        )  # fmt: skip
    if not form.is_valid() and not form.holds_words:
        return _refused(request, patient_id, note_id, form, 422)
    data, page = form.cleaned_data, form.page()
    try:
        saved = actions.save_draft(
            actor=actor, patient_id=patient_id, note_id=note_id, version=data["version"], spell=page.spell,
            number=page.number, sections=form.sections(), diagnoses=form.about(),
            follow_up_on=data.get("follow_up_on", getattr(note, "follow_up_on", None)),
            occurred_at=data.get("occurred_at"),
        )  # fmt: skip
    except (RuleBroken, *KEYS_DOWN) as error:
        return _refused(request, patient_id, note_id, form, *given_back(request, form, error))
    if saved.outcome in ("conflict", "signed"):
        return _both(request, patient_id, saved, form)
    if form.errors:
        form.kept_as(saved.note.version)
        return _refused(request, patient_id, note_id, form, 422, kept=saved.note.version)
    if is_partial(request):
        return saved_json(saved.note.version, saved.note.saved_at)
    name = "note_page" if "read" in request.POST else "note_edit"
    return go_to(request, reverse(f"clinical:{name}", args=[patient_id, note_id]))


def _refused(
    request: HttpRequest, patient_id: UUID, note_id: UUID, form: NoteForm, status: int,
    conflict: dict[str, object] | None = None, kept: int | None = None,
) -> HttpResponse:  # fmt: skip
    """Give the words back with what was wrong; a script hears the sentences alone, its page has the words.

    `kept` is the version as which the words were saved all the same.
    """
    if is_partial(request):
        return refused_json(form, status, kept)
    actor = actor_of(request)
    with reading(actor, purpose="treatment", permission=CHART) as context:
        who = queries.reader(actor, patient_id, clock())
        note = queries.note(who, note_id)
        return _editor(request, context, who, note, form, status, conflict=conflict)


def _both(request: HttpRequest, patient_id: UUID, saved: Saved, form: NoteForm) -> HttpResponse:
    """Show the text of this page beside the one that was saved elsewhere; both are kept already."""
    actor, at = actor_of(request), clock()
    with reading(actor, purpose="treatment", permission=CHART) as context:
        who = queries.reader(actor, patient_id, at)
        note = queries.note(who, saved.note.pk)
        saw(context, note, "conflict")
        theirs = queries.opened(context, note)
        shown = {
            "thing": "note", "is_signed": not note.is_draft, "newest": note.version,
            "is_discarded": note.status == NoteStatus.DISCARDED,
            "both": side_by_side(note.note_type, form.sections(), theirs),
        }  # fmt: skip
        if is_partial(request):
            place = {"note": note, "patient": who.patient}
            return render(request, "clinical/notes/_conflict.html", shown | place, status=409)
        mine = NoteForm(
            note_type=note.note_type,
            diagnoses=linked.choices(who, note),
            initial=form.cleaned_data | {"version": note.version, "number": form.page().number + 1},
        )
        return _editor(request, context, who, note, mine, 409, **shown)
