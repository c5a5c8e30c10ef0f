"""Writes of addenda: keep one as it is written, sign it, and sign a trainee's too."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from clinical.notes import queries, sealing
from clinical.notes.actions import Outcome, take_save
from clinical.notes.addenda.queries import locked_one, locked_to_add, newest_own
from clinical.notes.models import NoteAddendum
from clinical.notes.queries import AnyAddendum
from clinical.notes.reminders.actions import ask_to_cosign, end_reminder, end_to_cosign
from cortex.access.context import holds, opening
from cortex.accounts.queries import is_trainee
from cortex.audit import Actor, InputRefused, RuleBroken, Unchanged, action, quiet, record
from cortex.clock import clock
from cortex.ids import uuid7
from cortex.keys.sealing import key_of

NEWER = "This addendum was saved again since you read it. Read it once more."


@dataclass(frozen=True, slots=True)
class Added:
    """What came of a save: `known` arrived before; `conflict` and `signed` kept the text beside it."""

    addendum: AnyAddendum
    outcome: Outcome


@quiet("an addendum is saved as it is written; each spell of writing is recorded once, by begin_spell")
def write_addendum(
    *, actor: Actor, patient_id: UUID, note_id: UUID, text: str, version: int | None = 0,
    spell: UUID | None = None,
    number: int = 1, at: datetime | None = None,
) -> Added:  # fmt: skip
    """Keep one's addendum to a signed note, unsigned, as it stands on one page; empty it waits for nothing.

    `version` is the one that the page was made from or saved last, 0 when there was none, None for whatever
    stands, which is how one is put away: without words. A save that comes
    twice, late or from elsewhere is treated as a note's is (`save_draft`). `signed` says that the addendum
    was signed meanwhile: the same text with version 0 and a spell of its own begins another one. What was
    begun goes on, and can be signed, also when the note was shut to its author since; nothing new begins so.
    """
    at, spell = clock(at), spell or uuid7()
    note = locked_to_add(queries.reader(actor, patient_id, at), note_id)
    row = newest_own(note, actor.person)
    if version is None:
        version = row.version if row is not None else 0
    if row is None or (not row.is_draft and version == 0 and row.spell != spell):
        table: Any = note.addenda.model  # type: ignore[union-attr]
        row = table(
            organization_id=note.organization_id, patient_id=note.patient_id, note=note, author=actor.person,
            version=version, updated_at=at,
        )  # fmt: skip
        if not text.strip():
            return Unchanged(Added(row, "saved"))  # type: ignore[return-value]
    was_empty = not holds(row, "text")
    outcome = take_save(
        actor=actor, row=row, sections={"text": text if text.strip() else ""}, version=version, spell=spell,
        number=number, at=at,
    )  # fmt: skip
    if outcome == "saved":
        if was_empty:
            row.created_at = at  # one that was emptied waits from when it says something again
        row.save()
        if not text.strip():
            end_reminder(actor=actor, row=row, outcome="no_action_needed", at=at)
    return Added(row, outcome)


@action
def sign_addendum(
    *, actor: Actor, patient_id: UUID, note_id: UUID, version: int, at: datetime | None = None
) -> AnyAddendum:
    """Sign one's addendum as it was read; nothing of it changes from then on. A trainee's waits for another.

    RuleBroken when it was saved since, InputRefused when it is empty; doors ask who signs to give the
    password once more.
    """
    at = clock(at)
    note = locked_to_add(queries.reader(actor, patient_id, at), note_id)
    row = newest_own(note, actor.person)
    if row is None or not row.is_draft:
        raise RuleBroken("There is no addendum of yours to sign.", "no_addendum")
    if row.version != version:
        raise RuleBroken(NEWER, "newer_version")
    with opening(actor, purpose="treatment") as context:
        text = queries.opened(context, row)["text"]
        context.saw("note", subjects=[row.patient_id], object_type=row._meta.label, object_id=row.pk)
    if not text:
        raise InputRefused("Write what is to be added.", "required", field="text")
    row.signed_at = at
    row.content_hash = sealing.addendum_digest(key_of(row.patient_id), row, text)
    changed = ["signed_at", "content_hash", "updated_at"]
    if isinstance(row, NoteAddendum):
        row.needs_cosign = is_trainee(actor.person)
        changed.append("needs_cosign")
    row.save(update_fields=changed)
    codes = {"note": str(note.pk), "version": version, "needs_cosign": row.waits_for_cosign}
    record(actor, "note.addendum_signed", row, subject=row.patient_id, codes=codes)
    end_reminder(actor=actor, row=row, outcome="reviewed", at=at)
    if isinstance(row, NoteAddendum) and row.waits_for_cosign:
        ask_to_cosign(actor=actor, row=row, at=at)
    return row


@action
def cosign_addendum(
    *, actor: Actor, patient_id: UUID, note_id: UUID, addendum_id: UUID, at: datetime | None = None
) -> NoteAddendum:
    """Sign a trainee's addendum too; only who supervises on the person's team may, and never its author."""
    at = clock(at)
    who = queries.reader(actor, patient_id, at)
    note = queries.locked_signed(who, note_id)
    row = locked_one(note, addendum_id)
    if not who.cosigns or row.author_id == actor.person.pk:
        raise RuleBroken("A supervisor of this person's care team signs this one.", "supervisor_needed")
    if not isinstance(row, NoteAddendum) or not row.waits_for_cosign:
        raise RuleBroken("This addendum needs no other signature.", "already_cosigned")
    row.cosigned_by, row.cosigned_at = actor.person, at
    row.save(update_fields=["cosigned_by", "cosigned_at", "updated_at"])
    record(
        actor, "note.addendum_cosigned", row, subject=row.patient_id, fields=["cosigned_by", "cosigned_at"],
        codes={"note": str(note.pk)},
    )  # fmt: skip
    end_to_cosign(actor=actor, row=row, at=at)
    return row
