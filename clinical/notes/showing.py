"""Notes as their lists and pages show them; no query, nothing opened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.urls import reverse

from clinical.assessments.models import Assessment
from clinical.notes.models import NoteAddendum, NoteStatus, VersionKind
from clinical.notes.prefill import taken_words
from clinical.notes.queries import AnyAddendum, AnyNote, Reader
from clinical.notes.rules import REMIND_AFTER, SUPERVISOR_AFTER
from clinical.notes.wording import FILLED, FREE, SHAPES, label_words, names_of


def row_of(note: AnyNote, user_id: UUID, at: datetime) -> dict[str, Any]:
    """Return one note as a line of a list; a draft leads its author to the editor, nobody else anywhere."""
    own = note.author_id == user_id
    waited = at - note.created_at
    name = "note_edit" if note.is_draft else "note_page"
    return {
        "id": note.pk,
        "type": note.get_note_type_display(),
        "url": reverse(f"clinical:{name}", args=[note.patient_id, note.pk]) if own or note.signed_at else "",
        "state": state_words(note),
        "is_draft": note.is_draft,
        "is_discarded": note.status == NoteStatus.DISCARDED,
        "own": own,
        "author": note.author.full_name,
        "at": note.occurred_at,
        "since": note.signed_at if note.signed_at else note.saved_at,
        "late": note.is_draft and waited >= REMIND_AFTER,
        "very_late": note.is_draft and waited >= SUPERVISOR_AFTER,
        "waits": note.waits_for_cosign,
        "begun": note.created_at,
        "labels": label_words(note.sensitivity_labels),
        "is_addendum": False,
        "added": getattr(note, "added", 0),
        "added_waits": getattr(note, "added_waits", 0),
    }


def addendum_row(one: AnyAddendum, user_id: UUID, at: datetime) -> dict[str, Any]:
    """Return an addendum, unsigned or to co-sign, as a line of a list, which says what it is added to."""
    waited, own, is_draft = at - one.created_at, one.author_id == user_id, one.is_draft
    note = row_of(one.note, user_id, at)
    page = reverse("clinical:note_page", args=[one.patient_id, one.note_id])
    return note | {
        "type": f"Addendum to {_within(note['type'])} note",
        "url": f"{page}#addendum" if own or not is_draft else "",
        "state": "Not signed" if is_draft else "Signed, waits for co-signature",
        "is_draft": is_draft,
        "is_addendum": True,
        "own": own,
        "author": one.author.full_name,
        "at": one.created_at if is_draft else one.signed_at,
        "since": one.signed_at or one.saved_at,
        "late": is_draft and waited >= REMIND_AFTER,
        "very_late": is_draft and waited >= SUPERVISOR_AFTER,
        "waits": one.waits_for_cosign,
        "begun": one.created_at,
        "added": 0,
        "added_waits": 0,
    }


def _within(kind: str) -> str:
    """Return a type of note as it stands within a sentence."""
    return kind if kind.isupper() else kind.lower()


def state_words(note: AnyNote) -> str:
    """Return where a note stands."""
    if note.status == NoteStatus.DISCARDED:
        return "Discarded"
    if note.is_draft:
        return "Draft"
    if note.waits_for_cosign:
        return "Signed, waits for co-signature"
    return "Signed and co-signed" if note.needs_cosign else "Signed"


def added_line(one: AnyAddendum, who: Reader) -> dict[str, Any]:
    """Return an opened addendum as the page and the paper show it, with who signed it and who may too."""
    cosigner = one.cosigned_by if isinstance(one, NoteAddendum) else None
    return {
        "id": one.pk,
        "text": one.text or "",
        "by": one.author.full_name,
        "at": one.signed_at,
        "version": one.version,
        "saved_at": one.saved_at,
        "waits": one.waits_for_cosign,
        "cosigned_by": cosigner.full_name if cosigner else "",
        "cosigned_at": one.cosigned_at if isinstance(one, NoteAddendum) else None,
        "may_cosign": who.cosigns and one.waits_for_cosign and one.author_id != who.user.pk,
    }


def sections_of(note_type: str, texts: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the sections of a note that hold something, with their labels, in their order."""
    shape = SHAPES[note_type]
    return [
        {"name": one.name, "label": one.label, "text": texts[one.name]}
        for one in shape
        if texts.get(one.name)
    ]


def with_measures(
    sections: list[dict[str, Any]], note_type: str, patient_id: UUID, found: Iterable[Assessment]
) -> list[dict[str, Any]]:
    """Return the sections of a note with the measures of its contact below the one for facts."""
    place, names = FILLED[note_type], names_of(note_type)
    lines = [
        {"words": taken_words(one), "url": reverse("clinical:measure_result", args=[patient_id, one.pk])}
        for one in found
    ]
    if lines and all(one["name"] != place for one in sections):
        sections = [*sections, {"name": place, "label": label_of(note_type, place), "text": ""}]
    shown = sorted(sections, key=lambda one: names.index(one["name"]))
    return [one | {"measures": lines if one["name"] == place else []} for one in shown]


def label_of(note_type: str, name: str) -> str:
    """Return what a section is called in a type of note."""
    return next((one.label for one in SHAPES[note_type] if one.name == name), name)


def side_by_side(note_type: str, mine: Mapping[str, str], theirs: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return each section as it was written here and as it stands, those that differ first marked so."""
    return [
        {"name": one.name, "label": one.label, "mine": mine.get(one.name, ""),
         "theirs": theirs.get(one.name, ""), "differs": mine.get(one.name, "") != theirs.get(one.name, "")}
        for one in SHAPES[note_type]
    ]  # fmt: skip


def version_words(kind: str) -> str:
    """Return why a text was kept."""
    return VersionKind(kind).label


def block_row(block: Any) -> dict[str, Any]:
    """Return an opened text block as its list and the editor show it."""
    sections: dict[str, str] = block.sections
    return {
        "id": block.pk,
        "title": block.title,
        "type": block.get_note_type_display() if block.note_type else "Phrase",
        "is_template": bool(block.note_type),
        "shared": block.owner_id is None,
        "sections": [(SECTION_WORDS.get(name, ""), text) for name, text in sections.items()],
        "text": sections.get("text", ""),
    }


SECTION_WORDS = {"objective": "Objective", "plan": "Plan", FREE: "Free text"}
