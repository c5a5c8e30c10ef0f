"""Reads of one's own drafts: which are like one that is to be begun, and when one was discarded."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from clinical.notes.models import PROCESS, Note, NoteStatus, PsychotherapyNote
from clinical.notes.queries import MOST, AnyNote
from clinical.notes.wording import names_of
from cortex.access.context import holds
from cortex.audit import Actor
from cortex.audit.models import AuditLog
from patients.registry.models import Patient
from patients.registry.queries import rows_of

DISCARDED, RESTORED = "note.discarded", "note.restored"


def alike(actor: Actor, patient: Patient, note_type: str, session_id: UUID | None) -> list[AnyNote]:
    """Return the actor's own unsigned notes of this type about this session (or about none), newest first."""
    table = PsychotherapyNote if note_type == PROCESS else Note
    rows: Any = table.objects.drafts().of(actor.person.pk).select_related("author")
    rows = rows.filter(patient_id__in=rows_of(patient), session_id=session_id)
    if note_type != PROCESS:
        rows = rows.filter(note_type=note_type)
    return list(rows.order_by("-created_at")[:MOST])


def is_untouched(row: AnyNote) -> bool:
    """Whether a draft holds no word and no page ever saved it; nothing is opened."""
    return not row.spell_number and not any(holds(row, name) for name in names_of(row.note_type))


def discarded_at(row: AnyNote) -> datetime | None:
    """Return when a note was discarded, which the trail knows; None for one that isn't."""
    if row.status != NoteStatus.DISCARDED:
        return None
    trail = AuditLog.objects.filter(object_id=row.pk, event_type=DISCARDED).order_by("-id")
    return trail.values_list("occurred_at", flat=True).first() or row.updated_at
