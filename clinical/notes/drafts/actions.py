"""Writes of drafts that were put away: their author takes them back."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from clinical.notes import queries
from clinical.notes.drafts.queries import RESTORED
from clinical.notes.models import Note, NoteStatus
from clinical.notes.queries import AnyNote
from cortex.audit import Actor, RuleBroken, action, record
from cortex.clock import clock
from patients.registry import access
from patients.registry.queries import rows_of


@action
def restore_draft(*, actor: Actor, patient_id: UUID, note_id: UUID, at: datetime | None = None) -> AnyNote:
    """Take one's own discarded draft back: it says what it said, and waits for its signature again."""
    who = access.treated(actor, patient_id, clock(at))
    row = queries.locked_own(actor, note_id, rows_of(who))
    if row.status != NoteStatus.DISCARDED:
        raise RuleBroken("This note isn't discarded. Open it anew.", "not_discarded")
    row.status = NoteStatus.DRAFT
    changed = ["status", "updated_at"]
    if isinstance(row, Note):
        row.reminded_at = None  # what reminded of it ended when it was discarded
        changed.append("reminded_at")
    row.save(update_fields=changed)
    record(actor, RESTORED, row, subject=row.patient_id, fields=["status"])
    return row
