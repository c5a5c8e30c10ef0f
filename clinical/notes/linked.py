"""The diagnoses that a note is about: which of them somebody sees, what is chosen, and what is signed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from clinical.notes.models import ASSESSED, Note
from clinical.notes.queries import AnyNote, Reader
from clinical.plans.diagnoses.models import Diagnosis
from clinical.plans.diagnoses.queries import diagnoses_of, named_diagnoses
from cortex.audit import InputRefused
from patients.registry.models import Patient


@dataclass(frozen=True, slots=True)
class Links:
    """The diagnoses of a note that its reader sees, how many labels shut to them, what a signature says."""

    shown: list[Diagnosis]
    withheld: int
    signed: list[str]


def is_asked(note_type: str) -> bool:
    """Whether a type of note says which diagnoses it is about."""
    return note_type in ASSESSED


def linked_ids(note: AnyNote) -> list[UUID]:
    """Return the ids of a note's diagnoses; a process note has none."""
    return list(note.diagnoses) if isinstance(note, Note) else []


def links(who: Reader, notes: Collection[AnyNote], shut: frozenset[str] | None = None) -> dict[UUID, Links]:
    """Return of each note its diagnoses as the reader may see them; no query where no note has any.

    `shut` are labels that shut them to everybody, as for a file that leaves; without, the reader's own.
    """
    about = {pk for one in notes for pk in linked_ids(one)}
    rows = diagnoses_of(who.patient) if about else []
    known = _with_those_elsewhere(rows, about)
    seen = [one for one in rows if _is_open(who, one, shut)]
    found = {}
    for note in notes:
        wanted = linked_ids(note)
        shown = [one for one in seen if one.pk in wanted]
        found[note.pk] = Links(shown, len(wanted) - len(shown), _words(note, known))
    return found


def _is_open(who: Reader, one: Diagnosis, shut: frozenset[str] | None = None) -> bool:
    labels = set(one.sensitivity_labels)
    if shut is not None and shut & labels:
        return False
    return one.recorded_by_id == who.user.pk or not who.shut & labels


def visible(who: Reader) -> list[Diagnosis]:
    """Return the person's diagnoses that somebody sees: their own, and what no label shuts to them."""
    return [one for one in diagnoses_of(who.patient) if _is_open(who, one)]


def choices(who: Reader, note: AnyNote) -> list[Diagnosis]:
    """Return what may be chosen while a note is written: what was not ruled out, or is chosen already."""
    if not is_asked(note.note_type):
        return []
    chosen = linked_ids(note)
    return [one for one in visible(who) if one.status != "ruled_out" or one.pk in chosen]


def changed(who: Reader, note: Note, wanted: Collection[UUID]) -> list[UUID]:
    """Return a note's diagnoses after a choice; what its writer can't see stays. InputRefused for others."""
    seen = {one.pk for one in visible(who)}
    strangers = set(wanted) - seen - set(note.diagnoses)
    if strangers or (wanted and not is_asked(note.note_type)):
        raise InputRefused("Choose diagnoses of this person.", "diagnosis_unknown", field="diagnoses")
    kept = [one for one in note.diagnoses if one not in seen]
    return sorted({*wanted, *kept})


def signed_words(patient: Patient, note: AnyNote) -> list[str]:
    """Return what a signature says of a note's diagnoses: each by id, code and title, whoever reads it."""
    about = linked_ids(note)
    return _words(note, _with_those_elsewhere(diagnoses_of(patient), about)) if about else []


def _with_those_elsewhere(rows: list[Diagnosis], about: Collection[UUID]) -> list[Diagnosis]:
    """Return diagnoses with those that notes named while another row was linked to the person.

    A link that is undone takes the row away, and not the words that were signed: nobody altered the note.
    """
    missing = set(about) - {one.pk for one in rows}
    return [*rows, *named_diagnoses(missing)]


def _words(note: AnyNote, rows: Collection[Diagnosis]) -> list[str]:
    known = {one.pk: one for one in rows}
    found = [(pk, known.get(pk)) for pk in linked_ids(note)]
    return sorted(f"{pk} {one.code_system} {one.code} {one.title}" if one else f"{pk}" for pk, one in found)
