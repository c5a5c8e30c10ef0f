"""The door through which a person's signed notes leave as one file that prints as it is."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from clinical.notes import queries
from clinical.notes.addenda.queries import signed_addenda
from clinical.notes.exports.actions import export_notes
from clinical.notes.exports.queries import exportable, is_part2, kept_back, part2_consent
from clinical.notes.forms import ExportForm
from clinical.notes.linked import Links, links
from clinical.notes.models import Note
from clinical.notes.queries import Reader
from clinical.notes.sealing import is_addendum_intact, is_intact
from clinical.notes.showing import consent_words, sections_of
from clinical.notes.views import banner
from clinical.notes.wording import EXPORTED_FOR, called, label_words, names_of
from cortex.access.context import KEYS_DOWN, AccessContext, reading
from cortex.access.declare import requires
from cortex.accounts.models import Role
from cortex.accounts.signin.recent import ask_again_unless_recent
from cortex.audit import RuleBroken, actor_of
from cortex.clock import clock
from cortex.ui.rules import given_back
from patients.labels.rules import PART2
from patients.registry.access import CHART, of_the_team
from patients.registry.queries import NAMES, full_name

EXPORTERS = (Role.THERAPIST, Role.PSYCHIATRIST)


@requires(*EXPORTERS)
@require_http_methods(["GET", "POST"])
def note_export(request: HttpRequest, patient_id: UUID) -> HttpResponse:
    """Ask what for, once the password was given: the file then comes to this page and not to that one."""
    ask_again_unless_recent(request, "Export the signed notes")
    form = ExportForm(request.POST if request.method == "POST" else None, auto_id="x_%s")
    status, conflict = 422 if form.errors else 200, None
    if form.is_bound and form.is_valid():
        try:
            return _file(request, patient_id, form.cleaned_data["reason"])
        except (RuleBroken, *KEYS_DOWN) as error:
            status, conflict = given_back(request, form, error)
    actor, at = actor_of(request), clock()
    with reading(actor, purpose="treatment", permission=CHART) as context:
        of_the_team(actor, patient_id, at)
        who = queries.reader(actor, patient_id, at)
        notes, withheld = exportable(who)
        context.saw("notes", subjects=[who.patient.pk], object_type="clinical.Note", sections=["list"])
        shown = {"form": form, "conflict": conflict, "count": len(notes), "withheld": withheld}
        shown["part2"] = sum(PART2 in note.sensitivity_labels for note in notes)
        return render(request, "clinical/notes/export.html", banner(context, who, at) | shown, status=status)


def _file(request: HttpRequest, patient_id: UUID, reason: str) -> HttpResponse:
    """Return the file. One row of the access log says that all of it was read, one of the trail what for."""
    actor, at = actor_of(request), clock()
    who = export_notes(actor=actor, patient_id=patient_id, reason=reason, at=at)
    with reading(actor, purpose="disclosure", permission=CHART) as context:
        text = render_to_string("clinical/notes/export_file.html", _content(context, who, reason, at) | {
            "by": actor.person.full_name, "at": timezone.localtime(at), "reason": EXPORTED_FOR[reason],
        })  # fmt: skip
        context.saw("note_export", subjects=[who.patient.pk], object_type="clinical.Note", sections=[reason])
    name = f"notes-{who.patient.anonymous_id}-{timezone.localdate():%Y-%m-%d}.html"
    return HttpResponse(
        text, content_type="text/html; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )  # fmt: skip


def _content(context: AccessContext, who: Reader, reason: str, at: datetime) -> dict[str, Any]:
    notes, withheld = exportable(who, reason)
    added: dict[UUID, list[Any]] = {one.pk: [] for one in notes}
    rows = signed_addenda(Note, list(notes))
    context.open([who.patient], NAMES)
    context.open(notes, sorted({part for one in notes for part in names_of(one.note_type)}))
    context.open(rows, ["text"])
    for one in sorted(rows, key=lambda row: row.signed_at):
        added[one.note_id].append(one)
    about = links(who, notes, kept_back(who, reason))
    lines = [_line(note, added[note.pk], about[note.pk]) for note in notes]
    shown = is_part2(notes, about.values())
    return {
        "name": full_name(who.patient), "pseudonym": who.patient.anonymous_id, "notes": lines,
        "withheld": withheld, "part2": shown,
        "consent": consent_words(part2_consent(who, at)) if shown else "",
        "house": who.patient.organization.name,
    }  # fmt: skip


def _line(note: Note, added: list[Any], about: Links) -> dict[str, Any]:
    texts = {name: getattr(note, name) or "" for name in names_of(note.note_type)}
    return {
        "note": note,
        "called": called(note.get_note_type_display()),
        "sections": sections_of(note.note_type, texts),
        "diagnoses": about.shown,
        "diagnoses_withheld": about.withheld,
        "labels": label_words(note.sensitivity_labels),
        "intact": is_intact(note, texts, about.signed),
        "addenda": [(one, is_addendum_intact(one, one.text or "")) for one in added],
    }
