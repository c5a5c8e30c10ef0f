"""The notes of the walk's world: a draft, a signed one, one of a trainee's, a process note, a text block."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from clinical.notes.actions import begin_note, discard_draft, save_block, save_draft, sign_note
from clinical.notes.addenda.actions import sign_addendum, write_addendum
from clinical.notes.models import PROCESS
from cortex.accounts.models import StaffProfile, User
from cortex.ids import uuid7
from patients.care.actions import end_care_team_place
from patients.registry.models import Patient
from tests import makers
from tests.cast import Cast

WORDS = "handwritten8, not for everybody"


@dataclass(frozen=True, slots=True)
class Notes:
    """Ids of notes by what can be done with them, and the version of the draft."""

    draft: str
    version: int
    signed: str
    to_cosign: str
    block: str
    discarded: str


def write_notes(cast: Cast, patient_id: UUID) -> Notes:
    """Alice's draft, which a second page went on with, her signed and process notes; Bob's as a trainee."""
    at, alice = makers.now(), makers.staff(cast.alice)
    where = {"actor": alice, "patient_id": patient_id}
    signed = write(alice, patient_id, "session_note", risk_statement=WORDS)
    sign_note(note_id=signed.note.pk, version=signed.note.version, **where)
    write_addendum(note_id=signed.note.pk, text=WORDS, **where)
    sign_addendum(note_id=signed.note.pk, version=1, **where)
    write_addendum(note_id=signed.note.pk, text=WORDS, **where)
    process = write(alice, patient_id, PROCESS)
    again = save_draft(
        note_id=process.note.pk, version=process.note.version, spell=uuid7(), number=1,
        sections={"free_text": f"{WORDS}, again"}, **where,
    )  # fmt: skip
    sign_note(note_id=process.note.pk, version=again.note.version, **where)
    write_addendum(note_id=process.note.pk, text=WORDS, **where)
    draft = write(alice, patient_id, "progress", risk_statement=WORDS, follow_up=True)
    later = save_draft(
        note_id=draft.note.pk, version=draft.note.version, spell=uuid7(), number=1,
        sections={"free_text": WORDS, "risk_statement": WORDS}, follow_up_on=at.date() + timedelta(days=7),
        **where,
    )  # fmt: skip
    block = save_block(actor=alice, title="Phrase", note_type="", sections={"text": "Rings on Monday."})
    put_away = discard_draft(note_id=write(alice, patient_id, "crisis").note.pk, **where)
    trainee = _of_a_trainee(cast, patient_id)
    return Notes(
        str(draft.note.pk), later.note.version, str(signed.note.pk), str(trainee), str(block.pk),
        str(put_away.pk),
    )  # fmt: skip


def write(
    actor: Any, patient_id: UUID, kind: str, at: Any = None, follow_up: bool = False, **more: str
) -> Any:
    """One draft that was saved once."""
    at = at or makers.now()
    note = begin_note(actor=actor, patient_id=patient_id, note_type=kind, at=at)
    return save_draft(
        actor=actor, patient_id=patient_id, note_id=note.pk, version=1, spell=uuid7(), number=1, at=at,
        sections={"free_text": WORDS} | more,
        follow_up_on=at.date() + timedelta(days=7) if follow_up else None,
    )  # fmt: skip


def _of_a_trainee(cast: Cast, patient_id: UUID) -> UUID:
    """Bob was on the team for a while, in training; Alice supervises there besides."""
    patient = Patient.objects.get(pk=patient_id)
    place = makers.add_to_team(patient, cast.bob, role="case_manager")
    makers.add_to_team(patient, cast.alice, role="supervisor")
    StaffProfile.objects.create(organization=cast.home, user=cast.bob, is_trainee=True)
    bob = makers.staff(User.objects.get(pk=cast.bob.pk))
    saved = write(bob, patient_id, "session_note", risk_statement=WORDS)
    sign_note(actor=bob, patient_id=patient_id, note_id=saved.note.pk, version=saved.note.version)
    end_care_team_place(actor=makers.staff(cast.ada), member_id=place.pk)
    makers.scope_all()
    note_id: UUID = saved.note.pk
    return note_id
