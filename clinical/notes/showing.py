"""Notes as their lists and pages show them; no query, nothing opened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils import timezone

from clinical.assessments.models import Assessment
from clinical.notes.differences import FACTS, apart, changed
from clinical.notes.models import ADDENDUM, NoteAddendum, NoteStatus, VersionKind
from clinical.notes.prefill import about, taken_words
from clinical.notes.queries import AnyAddendum, AnyNote, Reader
from clinical.notes.rules import REMIND_AFTER, SUPERVISOR_AFTER
from clinical.notes.sealing import is_addendum_intact
from clinical.notes.wording import FILLED, FREE, SHAPES, called, label_words, names_of, takes_blocks
from clinical.plans.diagnoses.models import Diagnosis
from cortex.ui.zone import zone_of
from patients.privacy.models import Consent
from patients.privacy.scope import limit_words
from patients.registry.models import Patient


def row_of(note: AnyNote, user_id: UUID, at: datetime) -> dict[str, Any]:
    """Return one note as a line of a list; a draft leads its author to the editor, nobody else anywhere."""
    own = note.author_id == user_id
    waited = at - note.created_at
    name = "note_edit" if note.is_draft else "note_page"
    return {
        "id": note.pk,
        "type": note.get_note_type_display(),
        "called": called(note.get_note_type_display()),
        "url": reverse(f"clinical:{name}", args=[note.patient_id, note.pk]) if own or note.signed_at else "",
        "state": state_words(note),
        "is_draft": note.is_draft,
        "is_discarded": note.status == NoteStatus.DISCARDED,
        "own": own,
        "author": note.author.full_name,
        "at": note.occurred_at,
        "since": note.signed_at if note.signed_at else note.saved_at,
        "waited": waited.days,
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
        "type": f"Addendum to {_within(note['called'])}",
        "url": f"{page}#addendum" if own or not is_draft else "",
        "state": "Not signed" if is_draft else "Signed, waits for co-signature",
        "is_draft": is_draft,
        "is_addendum": True,
        # The note may be shut to them since: its labels are for who reads it.
        "labels": [] if is_draft and not note["own"] else note["labels"],
        "own": own,
        "author": one.author.full_name,
        "at": one.created_at if is_draft else one.signed_at,
        "since": one.signed_at or one.saved_at,
        "waited": waited.days,
        "late": is_draft and waited >= REMIND_AFTER,
        "very_late": is_draft and waited >= SUPERVISOR_AFTER,
        "waits": one.waits_for_cosign,
        "begun": one.created_at,
        "added": 0,
        "added_waits": 0,
    }


def _within(kind: str) -> str:
    """Return what a note is called as it stands within a sentence."""
    return kind if kind.split()[0].isupper() else kind.lower()


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
        "intact": is_addendum_intact(one, one.text or "") if one.signed_at else True,
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
    sections: list[dict[str, Any]], note_type: str, patient: Patient, found: Iterable[Assessment]
) -> list[dict[str, Any]]:
    """Return the sections of a note with the measures of its contact below the one for facts."""
    place, names = FILLED[note_type], names_of(note_type)
    rows, zone = list(found), patient.zone()
    lines = [
        {
            "words": taken_words(one, zone),
            "url": reverse("clinical:measure_result", args=[patient.pk, one.pk]),
        }
        for one in rows
    ]
    days = sorted(one.administered_at for one in rows)
    span = span_words(days[0], days[-1], zone) if days else ""
    if lines and all(one["name"] != place for one in sections):
        sections = [*sections, {"name": place, "label": label_of(note_type, place), "text": ""}]
    shown = sorted(sections, key=lambda one: names.index(one["name"]))
    return [one | ({"measures": lines, "span": span} if one["name"] == place else {}) for one in shown]


def span_words(start: datetime, end: datetime, zone: str) -> str:
    """Return from which day of a zone to which, as the lines of measures name their days."""
    start, end = start.astimezone(zone_of(zone)), end.astimezone(zone_of(zone))
    first, last = (f"{one:%-d %b %Y}" for one in (start, end))
    if first == last:
        return last
    return f"{f'{start:%-d %b}' if start.year == end.year else first} to {last}"


def facts_span(occurred_at: datetime, at: datetime, zone: str) -> str:
    """Return of which days the measures are that the editor offers of a contact: none is of a day to come."""
    start, end = about(occurred_at)
    return span_words(start, max(min(end, at), start), zone)


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


def version_lines(
    note: AnyNote, versions: Iterable[Any], stands: dict[UUID | None, dict[str, str]],
    diagnoses: Iterable[Diagnosis],
) -> list[dict[str, Any]]:  # fmt: skip
    """Return the opened versions of a note and of one's addenda to it, newest first, with what changed after.

    `stands` are the texts and facts as they stand, by addendum. A version's number counts from the oldest of
    its text, those written beside it too.
    """
    rows, words = list(versions), {str(one.pk): f"{one.code} {one.title}" for one in diagnoses}
    added = sorted({one.addendum_id for one in rows if one.addendum_id})
    left = Counter(one.addendum_id for one in rows)
    lines = []
    for one in rows:
        shape = ADDENDUM if one.addendum_id else note.note_type
        (texts, facts), (later, later_facts) = apart(one.sections), apart(stands[one.addendum_id])
        pieces = [(label_of(shape, name), found) for name, found in changed(texts, later).items()]
        lines.append(
            {
                "at": one.saved_at,
                "by": one.saved_by.full_name,
                "number": left[one.addendum_id],
                "kind": one.kind,
                "is_addendum": bool(one.addendum_id),
                "addendum": added.index(one.addendum_id) + 1 if len(added) > 1 and one.addendum_id else 0,
                "words": version_words(one.kind),
                "sections": sections_of(shape, texts),
                "facts": fact_lines(facts, words),
                "changed": [*pieces, *_changed_facts(facts, later_facts, words)],
            }
        )
        left[one.addendum_id] -= 1
        if one.kind == VersionKind.SPELL:
            stands[one.addendum_id] = texts | (facts or later_facts)
    return lines


def _changed_facts(
    before: Mapping[str, str], after: Mapping[str, str], words: Mapping[str, str]
) -> list[tuple[str, list[tuple[str, str]]]]:
    found = []
    for name in before if after else ():
        old, new = (_fact_words(name, one.get(name, ""), words) for one in (before, after))
        pieces = [piece for piece in (("gone", old), ("new", new)) if piece[1]]
        if old != new:
            found.append((FACTS[name], [(kind, f"{text} ") for kind, text in pieces]))
    return found


def fact_lines(facts: Mapping[str, str], words: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return what a version says beside its texts, by label; `words` are those of open diagnoses by id."""
    lines = ((FACTS[name], _fact_words(name, value, words)) for name, value in facts.items())
    return [line for line in lines if line[1]]


def _fact_words(name: str, value: str, words: Mapping[str, str]) -> str:
    """Return one fact as people read it; a diagnosis that isn't open to the reader is counted."""
    if not value:
        return ""
    if name == "occurred_at":
        return f"{timezone.localtime(datetime.fromisoformat(value)):%-d %b %Y %H:%M}"
    if name == "follow_up_on":
        return f"{date.fromisoformat(value):%-d %b %Y}"
    if name == "labels":
        return ", ".join(label_words(value.split()))
    shown = sorted(words[one] for one in value.split() if one in words)
    kept_back = len(value.split()) - len(shown)
    return "; ".join([*shown, *([f"{kept_back} not shown to you"] if kept_back else [])])


def template_parts(block: Any) -> list[dict[str, str]]:
    """Return each section of an opened template as the editor may insert it: where to, and what."""
    return [
        {"title": f"{block.title}, template for {SECTION_WORDS[name]}", "into": name, "text": text}
        for name, text in block.sections.items()
        if name in takes_blocks(block.note_type)
    ]


def consent_words(consent: Consent | None) -> str:
    """Return under which consent Part 2 records are shown: its day, what it serves, for whom, until when."""
    if consent is None:
        return "No consent to pass them on is on record."
    limits = "; ".join(limit_words(consent.scope)) or "for treatment, payment and operations"
    day, ends = timezone.localtime(consent.recorded_at), consent.expires_at
    until = f"until {timezone.localtime(ends):%-d %b %Y}" if ends else "until it is withdrawn"
    return f"Disclosed with the person's consent of {day:%-d %b %Y}: {limits}; {until}."


def words_of(sections: Iterable[Mapping[str, str]]) -> list[tuple[str, int]]:
    """Return how many words stand in each section, by label."""
    return [(one["label"], len(one["text"].split())) for one in sections]


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
