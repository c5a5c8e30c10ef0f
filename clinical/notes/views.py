"""Doors that read notes: a chart's list, one note, its versions and print; labels and signatures."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinical.chart.banner import beside
from clinical.notes import actions, queries
from clinical.notes.addenda import queries as added
from clinical.notes.addenda.actions import cosign_addendum
from clinical.notes.addenda.forms import AddendumForm
from clinical.notes.drafts.actions import restore_draft
from clinical.notes.drafts.queries import discarded_at
from clinical.notes.exports.queries import is_part2, part2_consent
from clinical.notes.forms import LabelForm
from clinical.notes.linked import links, visible
from clinical.notes.models import PROCESS, Note
from clinical.notes.queries import AnyDraft, AnyNote, Reader
from clinical.notes.sealing import facts_of, is_intact
from clinical.notes.showing import (
    added_line,
    consent_words,
    fact_lines,
    row_of,
    sections_of,
    version_lines,
    with_measures,
    words_of,
)
from clinical.notes.wording import FILLED, TYPES, label_words
from cortex.access.context import AccessContext, reading
from cortex.access.declare import requires
from cortex.accounts.choices import DESK_ROLES
from cortex.accounts.models import Role
from cortex.accounts.queries import is_trainee
from cortex.accounts.signin.recent import ask_again_unless_recent
from cortex.audit import InputRefused, NotFound, actor_of
from cortex.clock import clock
from cortex.ui.pages import go_to
from crisis.risk.queries import latest_assessment
from patients.registry.access import BREAK_GLASS, CHART, TEAM
from patients.registry.queries import person_card


def banner(context: AccessContext, who: Reader, at: Any) -> dict[str, Any]:
    """Return what a chart's banner shows: who it is, and the level on record."""
    person = person_card(context, who.patient, at=at, with_contacts=False)
    return beside(context, who.patient, person, at) | {"tab": "notes"}


def saw(context: AccessContext, note: AnyDraft, *sections: str) -> None:
    """Note the look at one note, or at one's own addendum alone."""
    context.saw(
        "note", subjects=[note.patient_id], object_type=note._meta.label, object_id=note.pk,
        sections=[note.note_type, *sections],
    )  # fmt: skip


@requires(*DESK_ROLES)
@require_GET
def note_list(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """A person's notes, unsigned first; what labels shut is counted, never named."""
    actor, at = actor_of(request), clock()
    kind = request.GET.get("type", "")
    kind = kind if kind in TYPES else ""
    with reading(actor, purpose="treatment", permission=CHART) as context:
        who = queries.reader(actor, patient_id, at)
        found = queries.listed(who, kind)
        context.saw("notes", subjects=[who.patient.pk], object_type="clinical.Note")
        templates = [one for one in queries.blocks(actor.person) if one.note_type]
        shown = banner(context, who, at) | {
            "rows": [row_of(note, actor.person.pk, at) for note in found.notes],
            "withheld": found.withheld,
            "is_cut": found.is_cut,
            "kind": kind,
            "types": TYPES.items(),
            "templates": templates,
            "may_export": actor.role in (Role.THERAPIST, Role.PSYCHIATRIST) and who.relation in TEAM,
        }
        return render(request, "clinical/notes/list.html", shown)


@requires(*DESK_ROLES)
@require_GET
def note_page(request: HttpRequest, patient_id: UUID, note_id: UUID) -> HttpResponse:
    """One note in full, its addenda, and what its reader may do with it."""
    return page_of_note(request, patient_id, note_id)


def page_of_note(
    request: HttpRequest, patient_id: UUID, note_id: UUID, form: AddendumForm | None = None,
    status: int = 200, *, signs: bool = False, **more: Any,
) -> HttpResponse:  # fmt: skip
    """Answer with the page of one note: below a signed one its addenda, and one's own to write or to sign."""
    actor, at = actor_of(request), clock()
    with reading(actor, purpose="treatment", permission=CHART) as context:
        who = queries.reader(actor, patient_id, at)
        try:
            note = queries.note(who, note_id)
        except NotFound:
            shown = banner(context, who, at) | _own_words(context, who, note_id, form, signs) | more
            return render(request, "clinical/notes/own_words.html", shown, status=status)
        saw(context, note)
        shown = banner(context, who, at) | _opened(context, who, note, at) | more
        own = shown["unsigned"]
        shown["signs"] = signs and bool(own and own["text"])
        shown["two_sign"] = shown["signs"] and isinstance(note, Note) and is_trainee(who.user)
        if note.signed_at is not None and who.relation != BREAK_GLASS and not shown["signs"]:
            shown["form"] = form or AddendumForm(initial=own)
        return render(request, "clinical/notes/page.html", shown, status=status)


def _own_words(
    context: AccessContext, who: Reader, note_id: UUID, form: AddendumForm | None, signs: bool
) -> dict[str, Any]:
    """Return what somebody left unsigned below a note that is shut to them since, and nothing of the note."""
    own = added.left_unsigned(who, note_id)
    context.open([own], ["text"])
    saw(context, own, "own_addendum")
    line = added_line(own, who)
    shown = {"note": own.note, "addenda": [], "unsigned": line, "signs": signs, "alone": True}
    shown["two_sign"] = signs and is_trainee(who.user)
    if who.relation != BREAK_GLASS and not signs:
        shown["form"] = form or AddendumForm(initial=line)
    return shown


def _opened(context: AccessContext, who: Reader, note: AnyNote, at: Any) -> dict[str, Any]:
    texts = queries.opened(context, note)
    addenda = added.addenda_of(note, who.user)
    context.open(addenda, ["text"])
    lines = [added_line(one, who) for one in addenda]
    own, found = note.author_id == who.user.pk, links(who, [note])[note.pk]
    sections = sections_of(note.note_type, texts)
    if note.signed_at is not None and note.note_type in FILLED:
        measures = queries.visit(who, note, texts.get(FILLED[note.note_type], ""))
        sections = with_measures(sections, note.note_type, who.patient, measures)
    assessed = latest_assessment(who.patient.person_id)
    level = assessed.level if assessed else ""
    return {
        "note": note,
        "row": row_of(note, who.user.pk, at),
        "texts": texts,
        "sections": sections,
        "discarded_at": discarded_at(note),
        "addenda": [line for line in lines if line["at"]],
        "unsigned": next((line for line in lines if not line["at"]), None),
        "missing": queries.missing_of(note, texts, level, who.patient.zone(), at) if note.is_draft else [],
        "about": found,
        "diagnoses": found.shown,
        "diagnoses_withheld": found.withheld,
        "intact": is_intact(note, texts, found.signed) if note.signed_at else True,
        "labels": label_words(note.sensitivity_labels),
        "label_form": LabelForm(initial={"labels": note.sensitivity_labels})
        if own and note.note_type != PROCESS
        else None,
        "may_cosign": who.cosigns and note.waits_for_cosign and not own,
    }


@requires(*DESK_ROLES)
@require_GET
def note_versions(request: HttpRequest, patient_id: UUID, note_id: UUID) -> HttpResponse:
    """The earlier texts of a note, each with what changed after it; and those written beside it.

    Those of addenda are there for who wrote them.
    """
    actor, at = actor_of(request), clock()
    with reading(actor, purpose="treatment", permission=CHART) as context:
        who = queries.reader(actor, patient_id, at)
        note = queries.note(who, note_id)
        saw(context, note, "versions")
        versions = [*queries.versions_of(note), *added.versions_of_own(note, who.user)]
        versions.sort(key=lambda one: (one.saved_at, one.pk), reverse=True)
        context.open(versions, ["sections"])
        facts = facts_of(note)
        stands: dict[UUID | None, dict[str, str]] = {None: queries.opened(context, note) | facts}
        if any(one.addendum_id for one in versions):
            stands |= added.opened_own(context, note, who.user)
        seen = visible(who) if isinstance(note, Note) else []
        shown = banner(context, who, at) | {
            "note": note,
            "number": sum(not one.addendum_id for one in versions) + 1,
            "facts": fact_lines(facts, {str(one.pk): f"{one.code} {one.title}" for one in seen}),
            "lines": version_lines(note, versions, stands, seen),
            "row": row_of(note, who.user.pk, at),
        }
        return render(request, "clinical/notes/versions.html", shown)


@requires(*DESK_ROLES)
@require_GET
def note_print(request: HttpRequest, patient_id: UUID, note_id: UUID) -> HttpResponse:
    """One note as it goes onto paper: whoever may read it may print it, and the log says print."""
    actor, at = actor_of(request), clock()
    with reading(actor, purpose="treatment", permission=CHART) as context:
        who = queries.reader(actor, patient_id, at)
        note = queries.note(who, note_id)
        saw(context, note, "print")
        opened = _opened(context, who, note, at)
        part2 = is_part2([note], [opened["about"]])
        shown = (
            banner(context, who, at)
            | opened
            | {
                "printed_at": at,
                "part2": part2,
                "consent": consent_words(part2_consent(who, at)) if part2 else "",
            }
        )
        return render(request, "clinical/notes/print.html", shown | {"printed_by": who.user.full_name})


@requires(*DESK_ROLES)
@require_POST
def note_sign(request: HttpRequest, patient_id: UUID, note_id: UUID) -> HttpResponse:
    """Sign what was read; whoever gave no password in the last minutes gives it first, and it goes on.

    What waits meanwhile is the note's id and version: words never stand in a session.
    """
    ask_again_unless_recent(request, "Sign the note")
    actions.sign_note(
        actor=actor_of(request), patient_id=patient_id, note_id=note_id, version=version_read(request)
    )
    return go_to(request, reverse("clinical:note_page", args=[patient_id, note_id]))


def id_in(request: HttpRequest, name: str) -> UUID | None:
    """Return the id that a form gives under a name, or None; InputRefused for what is none."""
    given = request.POST.get(name, "").strip()
    try:
        return UUID(given) if given else None
    except ValueError:
        raise InputRefused("This is not the id of anything.", "id_unknown", field=name) from None


def version_read(request: HttpRequest) -> int:
    """Return the version that a page says was read; 0, which nothing has, when it says none."""
    version = request.POST.get("version", "")
    return int(version) if version.isascii() and version.isdigit() and len(version) < 10 else 0


@requires(*DESK_ROLES)
@require_POST
def note_cosign(request: HttpRequest, patient_id: UUID, note_id: UUID) -> HttpResponse:
    """Sign a trainee's note too, or the addendum to it that the form names (`addendum`)."""
    ask_again_unless_recent(request, "Sign it too, as co-signer")
    where: dict[str, Any] = {"actor": actor_of(request), "patient_id": patient_id, "note_id": note_id}
    addendum_id = id_in(request, "addendum")
    if addendum_id is not None:
        cosign_addendum(**where, addendum_id=addendum_id)
    else:
        actions.cosign_note(**where)
    return go_to(request, reverse("clinical:note_page", args=[patient_id, note_id]))


@requires(*DESK_ROLES)
@require_POST
def note_label(request: HttpRequest, patient_id: UUID, note_id: UUID) -> HttpResponse:
    """Set the labels of one's own note."""
    labels = request.POST.getlist("labels")
    actions.label_note(actor=actor_of(request), patient_id=patient_id, note_id=note_id, labels=labels)
    return go_to(request, reverse("clinical:note_page", args=[patient_id, note_id]))


@requires(*DESK_ROLES)
@require_http_methods(["GET", "POST"])
def note_discard(request: HttpRequest, patient_id: UUID, note_id: UUID) -> HttpResponse:
    """Ask what is to be put away, by its sections and their words; POST puts one's own draft away."""
    actor, at = actor_of(request), clock()
    where = reverse("clinical:note_page", args=[patient_id, note_id])
    if request.method == "POST":
        actions.discard_draft(actor=actor, patient_id=patient_id, note_id=note_id)
        return go_to(request, where)
    with reading(actor, purpose="treatment", permission=CHART) as context:
        who = queries.reader(actor, patient_id, at)
        note = queries.note(who, note_id)
        if not note.is_draft:
            return go_to(request, where)
        saw(context, note, "discard")
        texts = sections_of(note.note_type, queries.opened(context, note))
        shown = {"note": note, "row": row_of(note, who.user.pk, at), "held": words_of(texts)}
        return render(request, "clinical/notes/discard.html", banner(context, who, at) | shown)


@requires(*DESK_ROLES)
@require_POST
def note_restore(request: HttpRequest, patient_id: UUID, note_id: UUID) -> HttpResponse:
    """Take one's own discarded draft back."""
    restore_draft(actor=actor_of(request), patient_id=patient_id, note_id=note_id)
    return go_to(request, reverse("clinical:note_page", args=[patient_id, note_id]))
