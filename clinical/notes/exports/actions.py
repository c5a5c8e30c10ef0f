"""Writes of exports: that a person's signed notes leave, what for, and how many stay."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from clinical.notes import queries
from clinical.notes.exports.queries import exportable
from clinical.notes.queries import Reader
from clinical.notes.wording import EXPORTED_FOR
from cortex.audit import Actor, InputRefused, RuleBroken, action, record
from cortex.clock import clock
from patients.registry import access


@action
def export_notes(*, actor: Actor, patient_id: UUID, reason: str, at: datetime | None = None) -> Reader:
    """Put on record that a person's signed notes leave as a file and why; return what may leave to whom.

    InputRefused without a known reason, RuleBroken when there is nothing, and for whoever only reads or sees
    the person for a while: the record leaves by word of the team.
    """
    if reason not in EXPORTED_FOR:
        raise InputRefused("Say why they leave.", "required", field="reason")
    at = clock(at)
    access.of_the_team(actor, patient_id, at)
    who = queries.reader(actor, patient_id, at)
    notes, withheld = exportable(who, reason)
    if not notes:
        raise RuleBroken("There is no signed note that may leave.", "nothing_to_export")
    codes = {"reason": reason, "notes": len(notes), "withheld": withheld}
    record(actor, "note.exported", None, subject=who.patient.pk, object_id=who.patient.pk, codes=codes)
    return who
