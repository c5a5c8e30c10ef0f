"""Writes of reminders: tell an author what waits unsigned, a supervisor what to sign too, and end both."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from clinical.notes.models import Note, NoteAddendum
from clinical.notes.queries import AnyDraft
from clinical.notes.reminders import queries
from clinical.notes.reminders.queries import KINDS, NAMES, TO_COSIGN_WAITS, WAITS
from clinical.notes.rules import SUPERVISOR_AFTER
from cortex.audit import Actor, Unchanged, action, part, quiet, record
from cortex.clock import clock
from cortex.ops.notices.actions import notify, overtake
from crisis.reviews.actions import close_item, make_item

# The reasons of tasks. Others see a task: of process notes and what is added to them there is none.
REASONS: dict[type[AnyDraft], str] = {Note: "note_unsigned", NoteAddendum: "addendum_unsigned"}


@action
def remind_author(
    *, actor: Actor, row_id: UUID, kind: str = "note", at: datetime | None = None
) -> AnyDraft | None:
    """Make a task of what nobody signed for three days; at seven it is overdue, and escalates.

    `kind` is one of KINDS. A person has one open task of a reason: when it is another's, or of another text,
    the author gets a notice instead. So does, and alone, the author of a process note or of an addendum to
    one: it says that something of theirs waits, and nobody else sees it.
    """
    at = clock(at)
    row = queries.locked_to_remind(KINDS[kind], row_id, at)
    if row is None:
        return Unchanged(None)  # type: ignore[return-value]
    if isinstance(row, Note):
        row.reminded_at = at
        row.save(update_fields=["reminded_at", "updated_at"])
    if not _has_task(actor, row, at):
        notify(
            actor=actor, organization_id=row.organization_id, user_ids=[row.author_id], code=WAITS,
            object_type="", object_id=row.pk,
        )  # fmt: skip
    record(actor, "note.reminded", row, subject=row.patient_id)
    return row


def _has_task(actor: Actor, row: AnyDraft, at: datetime) -> bool:
    """Make the task of what others may know of; whether it is the author's own."""
    reason = REASONS.get(type(row))
    if reason is None:
        return False
    item = make_item(
        actor=actor, organization_id=row.organization_id, patient=row.patient, reason_code=reason,
        source_type=NAMES[type(row)], source_id=row.pk, owner_id=row.author_id,
        due_at=max(row.created_at + SUPERVISOR_AFTER, at + timedelta(hours=1)), at=at,
    )  # fmt: skip
    return item.source_id == row.pk or (isinstance(row, Note) and item.owner_id == row.author_id)


@part
@quiet("that nothing waits any more follows from what was done, which its own action records")
def end_reminder(*, actor: Actor, row: AnyDraft, outcome: str, at: datetime) -> bool:
    """End the task and the notice of what was signed, discarded or emptied; whether there was one.

    A task stands for all that its owner wrote about the person. It goes on with what else of theirs waits;
    where another author's text is what waits, the task ends and they get one of their own.
    """
    ended = False
    if isinstance(row, Note | NoteAddendum) and queries.stands_for(row, REASONS[type(row)]):
        item = close_item(
            actor=actor, patient_id=row.patient_id, reason_code=REASONS[type(row)], outcome=outcome, at=at
        )
        ended = item is not None
        after = queries.still_waits(row, at)
        if after is not None and _has_task(actor, after, at):
            overtake(actor=actor, user_ids=[after.author_id], code=WAITS, object_ids=[after.pk], at=at)
    seen = overtake(actor=actor, user_ids=[row.author_id], code=WAITS, object_ids=[row.pk], at=at)
    return ended or bool(seen) or Unchanged(False)  # type: ignore[return-value]


@action
def give_up_papers(*, actor: Actor, author_id: UUID, patient_ids: Iterable[UUID], at: datetime) -> int:
    """End the tasks to sign what a leaver wrote about these people: nobody else can. Return how many.

    What waits stays on the supervisors' list of late notes.
    """
    items = queries.papers_of(author_id, patient_ids)
    for item in items:
        close_item(
            actor=actor, patient_id=item.patient_id, reason_code=item.reason_code, at=at,  # type: ignore[arg-type]
            outcome="no_action_needed", source_id=item.source_id,
        )  # fmt: skip
    return Unchanged(len(items))  # type: ignore[return-value]


@part
@quiet("a notice is itself the record of who was told; the signature is recorded by its own action")
def ask_to_cosign(*, actor: Actor, row: Note | NoteAddendum, at: datetime) -> int:
    """Tell the supervisors of a person's team that a trainee's note or addendum waits; return how many."""
    note_id = row.note_id if isinstance(row, NoteAddendum) else row.pk
    told = notify(
        actor=actor, organization_id=row.organization_id, user_ids=queries.cosigners(row, at),
        code=TO_COSIGN_WAITS, object_type=row._meta.label, object_id=row.pk,
        codes={"patient": str(row.patient_id), "note": str(note_id)},
    )  # fmt: skip
    return len(told) or Unchanged(0)  # type: ignore[return-value]


@part
@quiet("that a notice is needed no more follows from the co-signature, which its own action records")
def end_to_cosign(*, actor: Actor, row: Note | NoteAddendum, at: datetime) -> int:
    """Put away what anybody was told of what is co-signed now; return how many that were."""
    told = queries.told_to_cosign(row)
    return overtake(actor=actor, user_ids=told, code=TO_COSIGN_WAITS, object_ids=[row.pk], at=at)
