"""Writes of notes: begin, save as it is written, discard, sign, co-sign, label; addenda stand below."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from clinical.notes import linked, queries, sealing
from clinical.notes.drafts.queries import DISCARDED, alike, is_untouched
from clinical.notes.models import (
    PROCESS,
    Addendum,
    Note,
    NoteStatus,
    PsychotherapyNote,
    TextBlock,
    VersionKind,
)
from clinical.notes.prefill import session_line
from clinical.notes.queries import AnyDraft, AnyNote
from clinical.notes.reminders.actions import ask_to_cosign, end_reminder, end_to_cosign
from clinical.notes.wording import ASKS_FOLLOW_UP, FILLED, LABELS, TEMPLATED, TYPES, names_of
from cortex.access.context import opening
from cortex.accounts.models import Role
from cortex.accounts.queries import is_trainee
from cortex.audit import Actor, InputRefused, RuleBroken, Unchanged, action, part, quiet, record
from cortex.clock import clock
from cortex.crypto.keys import DataKey
from cortex.horizon import refuse_far
from cortex.keys.sealing import key_of
from cortex.spells import Arrival, Page, arrival
from crisis.risk.queries import latest_assessment
from patients.registry import access
from patients.registry.models import Patient
from patients.registry.queries import rows_of

MOST_SIGNS = 60_000
Outcome = Literal["saved", "known", "conflict", "signed"]


@dataclass(frozen=True, slots=True)
class Saved:
    """What came of a save: `known` arrived before; `conflict` and `signed` kept the text beside the note."""

    note: AnyNote
    outcome: Outcome


@action
def begin_note(
    *, actor: Actor, patient_id: UUID, note_type: str, session_id: UUID | None = None,
    sections: Mapping[str, str] | None = None, anew: bool = False, at: datetime | None = None,
) -> AnyNote:  # fmt: skip
    """Begin a note, or go on with one's own unsigned one of this type about this session (or about none).

    `anew` begins another one all the same. A draft in which nothing was written yet is taken either way, and
    one about no session is about a contact of now then.

    When a session is named, its times and the measures of those days stand in it already, where the type has
    a place for facts; `sections` are a template's. InputRefused for an unknown type, NotFound for a session
    of somebody else, or one that a label shuts.
    """
    if note_type not in TYPES:
        raise InputRefused("Choose what kind of note this is.", "type_unknown", field="note_type")
    at = clock(at)
    who = access.treated(actor, patient_id, at)
    session = queries.session_of(actor, who, session_id, at) if session_id else None
    own = alike(actor, who, note_type, session_id)
    free = next(filter(is_untouched, own), None)
    if free is not None and (sections or session is None):
        return _taken_up(actor, who, free.pk, session, sections or {}, at)
    if own and (free is not None or not anew):
        return Unchanged(free or own[0])  # type: ignore[return-value]
    table = PsychotherapyNote if note_type == PROCESS else Note
    labels = {one for one in session.sensitivity_labels if one != "PSYTHPN"} if session else set()
    row = table(
        organization_id=who.organization_id, patient=who, session=session, author=actor.person,
        occurred_at=session.started_at if session else at, saved_at=at, created_at=at,
        sensitivity_labels=sorted(labels | ({"PSYTHPN"} if table is PsychotherapyNote else set())),
    )  # fmt: skip
    if isinstance(row, Note):
        row.note_type = note_type
        row.needs_cosign = is_trainee(actor.person)
    sealing.put(row, key_of(who.pk), _begun_with(who, row, session, sections or {}, at))
    row.save(force_insert=True)
    codes = {"type": note_type, "session": str(session_id or "")}
    record(actor, "note.begun", row, subject=who.pk, codes=codes)
    return row


def _taken_up(
    actor: Actor, who: Patient, note_id: UUID, session: Any, sections: Mapping[str, str], at: datetime
) -> AnyNote:
    """Begin a note in one's own draft that nobody has written in; a page that is open of it saves beside."""
    row = queries.locked_own(actor, note_id, rows_of(who))
    if not row.is_draft or not is_untouched(row):
        return Unchanged(row)  # type: ignore[return-value]
    row.occurred_at = row.occurred_at if session else at
    row.created_at, row.saved_at, row.version = at, at, row.version + 1
    if isinstance(row, Note):
        row.reminded_at = None
    sealing.put(row, key_of(who.pk), _begun_with(who, row, session, sections, at))
    row.save()
    record(actor, "note.begun", row, subject=who.pk, codes={"type": row.note_type, "taken_up": True})
    end_reminder(actor=actor, row=row, outcome="no_action_needed", at=at)
    return row


def _begun_with(
    who: Patient, row: AnyNote, session: Any, sections: Mapping[str, str], at: datetime
) -> dict[str, str]:
    texts = {name: text for name, text in sections.items() if name in names_of(row.note_type)}
    place = FILLED.get(row.note_type)
    if session is not None and place is not None:
        lines = [session_line(session, who.zone()), *queries.facts(who, row.occurred_at, at)]
        texts[place] = "\n".join([*lines, *filter(None, [texts.get(place, "")])])
    return texts


@quiet("a draft is saved as it is written; each spell of writing is recorded once, by begin_spell")
def save_draft(
    *, actor: Actor, patient_id: UUID, note_id: UUID, version: int, spell: UUID, number: int,
    sections: Mapping[str, str], follow_up_on: date | None = None, occurred_at: datetime | None = None,
    diagnoses: Collection[UUID] | None = None, at: datetime | None = None,
) -> Saved:  # fmt: skip
    """Keep a draft as it stands on one page. `version` is the one that the page was made from or saved last.

    `diagnoses` are those of the person that it is about; None leaves them as they are.

    A save of the same spell with a number that was there before changes nothing (its answer was lost, and it
    came again). One from elsewhere that doesn't know the newest version, or that says the newest number of
    its spell with other words, overwrites nothing: its text is kept beside the note, and `conflict` says so;
    `signed` likewise when the note was signed meanwhile.
    """
    who = access.treated(actor, patient_id, clock(at))
    row = queries.locked_own(actor, note_id, rows_of(who))
    at = clock(at)
    refuse_far(at, occurred_at=occurred_at, follow_up_on=follow_up_on)
    facts: dict[str, Any] = {"occurred_at": occurred_at or row.occurred_at}
    if isinstance(row, Note) and row.note_type in ASKS_FOLLOW_UP:
        facts["follow_up_on"] = follow_up_on
    about = {} if diagnoses is None else {"diagnoses": diagnoses}
    outcome = take_save(
        actor=actor, row=row, sections=sections, version=version, spell=spell, number=number, at=at,
        facts=sealing.facts_of(row, **facts, **about),
    )  # fmt: skip
    if outcome == "known" and number == row.spell_number and _says_other(row, facts, diagnoses):
        outcome, row.version = "saved", row.version + 1
    if outcome != "saved":
        return Saved(row, outcome)
    row.saved_at = at
    for name, value in facts.items():
        setattr(row, name, value)
    if isinstance(row, Note) and diagnoses is not None and set(diagnoses) != set(row.diagnoses):
        row.diagnoses = linked.changed(queries.reader(actor, patient_id, at), row, diagnoses)
    row.save()
    return Saved(row, "saved")


def _says_other(row: AnyNote, facts: Mapping[str, Any], diagnoses: Collection[UUID] | None) -> bool:
    """Whether a save that came again with the same words says other days or diagnoses."""
    about = set(row.diagnoses) if isinstance(row, Note) else set()
    is_about_others = isinstance(row, Note) and diagnoses is not None and set(diagnoses) != about
    return is_about_others or any(getattr(row, name) != value for name, value in facts.items())


@part
@quiet("a part of a save as it is written; each spell of writing is recorded once, by begin_spell")
def take_save(
    *, actor: Actor, row: AnyDraft, sections: Mapping[str, str], version: int, spell: UUID, number: int,
    at: datetime, facts: Mapping[str, str] | None = None,
) -> Outcome:  # fmt: skip
    """Seal what a page sent onto its locked row, which the caller saves, or keep it beside the row.

    `facts` are what the page says beside its texts, for what is kept. InputRefused for what is too long.
    """
    texts = _checked(row, sections)
    how = arrival(row, Page(spell, number), knows_newest=version == row.version)
    # A page without a script that was gone back to says the same number again, maybe with other words.
    is_other = how is Arrival.AGAIN and _holds_other_words(actor, row, texts)
    if how in (Arrival.AGAIN, Arrival.LATE) and not is_other:
        return "known" if row.is_draft else "signed"
    key = key_of(row.patient_id)
    if not row.is_draft or is_other or how is Arrival.STALE:
        _keep_beside(actor, row, key, texts | dict(facts or {}), version, at)
        return "conflict" if row.is_draft else "signed"
    if how is Arrival.BEGINS:
        begin_spell(actor=actor, row=row, key=key, spell=spell, at=at)
    sealing.put(row, key, texts)
    row.spell_number, row.version = number, row.version + 1
    return "saved"


def _holds_other_words(actor: Actor, row: AnyDraft, texts: Mapping[str, str]) -> bool:
    """Whether a text isn't the one that the row holds, which is opened for it."""
    with opening(actor, purpose="treatment") as context:
        held = queries.opened(context, row)
        context.saw("note", subjects=[row.patient_id], object_type=row._meta.label, object_id=row.pk)
    return any(held.get(name, "") != text for name, text in texts.items())


def _checked(row: AnyDraft, sections: Mapping[str, str]) -> dict[str, str]:
    texts = {name: sections.get(name, "") for name in names_of(row.note_type)}
    for name, text in texts.items():
        if len(text) > MOST_SIGNS:
            raise InputRefused(f"At most {MOST_SIGNS:,} signs in one section.", "too_long", field=name)
    return texts


@action
def begin_spell(*, actor: Actor, row: AnyDraft, key: DataKey, spell: UUID, at: datetime) -> AnyDraft:
    """Keep what a locked draft holds as a version, since another page begins to write in it."""
    if row.spell_number:
        with opening(actor, purpose="treatment") as context:
            held = queries.opened(context, row)
            context.saw("note", subjects=[row.patient_id], object_type=row._meta.label, object_id=row.pk)
        facts = sealing.facts_of(row)
        if any(held.values()) or facts.get("follow_up_on") or facts.get("diagnoses"):
            _keep(actor, row, key, VersionKind.SPELL, held | facts, row.version, row.saved_at)
    row.spell, row.spell_number = spell, 0
    verb = "note.addendum_written" if isinstance(row, Addendum) else "note.edited"
    record(actor, verb, row, subject=row.patient_id, codes=_where(row, row.version))
    return row


def _where(row: AnyDraft, version: int) -> dict[str, Any]:
    """Return what the trail says of a save beside its row: the version before, and an addendum's note."""
    note = {"note": str(row.note_id)} if isinstance(row, Addendum) else {}
    return note | {"from_version": version}


def _keep(
    actor: Actor, row: AnyDraft, key: DataKey, kind: VersionKind, texts: Mapping[str, str], number: int,
    saved_at: datetime,
) -> None:  # fmt: skip
    table: Any = row.versions.model  # type: ignore[union-attr]
    place = {"note": row.note, "addendum": row} if isinstance(row, Addendum) else {"note": row}
    kept = table(
        organization_id=row.organization_id, patient_id=row.patient_id, number=number, kind=kind, **place,
        saved_at=saved_at, saved_by=actor.person, content_hash=sealing.text_digest(key, texts),
    )  # fmt: skip
    field = table._meta.get_field("sections")
    kept.sections = field.seal(dict(texts), pk=kept.pk, subject=row.patient_id, key=key)
    kept.save(force_insert=True)


def _keep_beside(
    actor: Actor, row: AnyDraft, key: DataKey, texts: Mapping[str, str], number: int, at: datetime
) -> None:
    """Keep a text that must not take the place of a newer one; the same one is kept once."""
    newest = queries.beside(row).values_list("content_hash", flat=True).first()
    if newest is not None and bytes(newest) == sealing.text_digest(key, texts):
        return
    _keep(actor, row, key, VersionKind.CONFLICT, texts, number, at)
    record(actor, "note.kept_beside", row, subject=row.patient_id, codes=_where(row, number))


@action
def discard_draft(*, actor: Actor, patient_id: UUID, note_id: UUID, at: datetime | None = None) -> AnyNote:
    """Put one's own draft away: it asks for no signature any more, and can't be written in."""
    row = _own_draft(actor, patient_id, note_id, clock(at))
    row.status = NoteStatus.DISCARDED
    row.save(update_fields=["status", "updated_at"])
    record(actor, DISCARDED, row, subject=row.patient_id, fields=["status"])
    end_reminder(actor=actor, row=row, outcome="no_action_needed", at=clock(at))
    return row


def _own_draft(actor: Actor, patient_id: UUID, note_id: UUID, at: datetime) -> AnyNote:
    who = access.treated(actor, patient_id, at)
    row = queries.locked_own(actor, note_id, rows_of(who))
    if not row.is_draft:
        raise RuleBroken("This note is no draft any more. Open it anew.", "no_draft")
    return row


@action
def sign_note(
    *, actor: Actor, patient_id: UUID, note_id: UUID, version: int, at: datetime | None = None
) -> AnyNote:
    """Sign one's own draft as it was read: from then on nothing of it changes (a trigger holds that).

    A trainee's waits for a supervisor: who is one is asked now. RuleBroken when it was saved since,
    InputRefused when domain 6.2 asks for more; doors ask who signs to give the password once more.
    """
    row = _own_draft(actor, patient_id, note_id, clock(at))
    at = clock(at)
    if row.version != version:
        raise RuleBroken("This note was saved again since you read it. Read it once more.", "newer_version")
    with opening(actor, purpose="treatment") as context:
        texts = queries.opened(context, row)
        context.saw("note", subjects=[row.patient_id], object_type=row._meta.label, object_id=row.pk)
    who = row.patient
    assessed = latest_assessment(who.person_id)
    level = assessed.level if assessed else ""
    wanting = queries.missing_of(row, texts, level, who.zone(), at)
    if wanting:
        raise InputRefused(wanting[0][1], "note_incomplete", field=wanting[0][0])
    if isinstance(row, Note):
        row.level_at_signing, row.needs_cosign = level, is_trainee(actor.person)
    row.status, row.signed_at = NoteStatus.SIGNED, at
    named = linked.signed_words(who, row)
    row.content_hash = sealing.note_digest(key_of(row.patient_id), row, texts, named)
    row.save()
    record(
        actor, "note.signed", row, subject=row.patient_id, fields=["status", "signed_at"],
        codes={"type": row.note_type, "level": level, "version": version, "needs_cosign": row.needs_cosign,
               "diagnoses": len(linked.linked_ids(row))},
    )  # fmt: skip
    end_reminder(actor=actor, row=row, outcome="reviewed", at=at)
    if isinstance(row, Note) and row.waits_for_cosign:
        ask_to_cosign(actor=actor, row=row, at=at)
    return row


@action
def cosign_note(*, actor: Actor, patient_id: UUID, note_id: UUID, at: datetime | None = None) -> Note:
    """Sign a trainee's note too; only who supervises on the person's team may, and never its author."""
    at = clock(at)
    who = queries.reader(actor, patient_id, at)
    row = queries.locked_signed(who, note_id)
    if not who.cosigns or row.author_id == actor.person.pk:
        raise RuleBroken("A supervisor of this person's care team signs this one.", "supervisor_needed")
    if not isinstance(row, Note) or not row.waits_for_cosign:
        raise RuleBroken("This note needs no other signature.", "already_cosigned")
    row.cosigned_by, row.cosigned_at = actor.person, at
    row.save(update_fields=["cosigned_by", "cosigned_at", "updated_at"])
    record(actor, "note.cosigned", row, subject=row.patient_id, fields=["cosigned_by", "cosigned_at"])
    end_to_cosign(actor=actor, row=row, at=at)
    return row


@action
def label_note(
    *, actor: Actor, patient_id: UUID, note_id: UUID, labels: Collection[str], at: datetime | None = None
) -> AnyNote:
    """Set the labels of one's own note; they may change after it was signed, its words may not."""
    who = access.treated(actor, patient_id, clock(at))
    row = queries.locked_own(actor, note_id, rows_of(who))
    if set(labels) - LABELS.keys() or ("PSYTHPN" in labels) != isinstance(row, PsychotherapyNote):
        raise InputRefused("Choose labels of the list.", "label_unknown", field="labels")
    wanted = sorted(set(labels) - {"N"})
    if wanted == sorted(row.sensitivity_labels):
        return Unchanged(row)  # type: ignore[return-value]
    codes = {"before": row.sensitivity_labels, "after": wanted}
    row.sensitivity_labels = wanted
    row.save(update_fields=["sensitivity_labels", "updated_at"])
    record(actor, "note.labelled", row, subject=row.patient_id, fields=["sensitivity_labels"], codes=codes)
    return row


@action
def save_block(
    *, actor: Actor, title: str, note_type: str, sections: Mapping[str, str], is_shared: bool = False
) -> TextBlock:
    """Keep a template or a phrase of one's own, or a supervisor's for the organization."""
    if is_shared and actor.role != Role.SUPERVISOR:
        raise InputRefused("A supervisor writes those that everybody uses.", "not_allowed", field="is_shared")
    if set(sections) - ({*TEMPLATED} if note_type else {"text"}):
        raise InputRefused("Nothing is put ready for what people say or think.", "section", field="section")
    with opening(actor, purpose="text_blocks") as context:
        home = actor.person.organization_id
        context.load_keys([home], create=True)
        row = TextBlock.objects.create(
            organization_id=home, owner=None if is_shared else actor.person, title=title,
            note_type=note_type, sections=dict(sections),
        )  # fmt: skip
    record(actor, "text_block.saved", row, codes={"type": note_type, "shared": is_shared})
    return row


@action
def retire_block(*, actor: Actor, block_id: UUID, at: datetime | None = None) -> TextBlock:
    """Put a text block away; notes that began with it stay as they are."""
    row = queries.locked_block(actor.person, block_id)
    if row.owner_id is None and actor.role != Role.SUPERVISOR:
        raise RuleBroken("A supervisor puts those of the organization away.", "not_allowed")
    row.retired_at = clock(at)
    row.save(update_fields=["retired_at", "updated_at"])
    record(actor, "text_block.retired", row)
    return row
