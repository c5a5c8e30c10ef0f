"""Writes of sessions that are open when care goes to somebody else: refuse, or end what a leaver left."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from clinical.sessions.leaving import queries
from cortex.audit import Actor, Unchanged, action, record
from cortex.clock import clock
from patients.codes import SessionStatus


@action
def break_off_left(
    *, actor: Actor, user_id: UUID, patient_ids: Collection[UUID], at: datetime | None = None
) -> int:
    """End what somebody who leaves still runs with a person, as broken off when something last stood in it.

    Nothing is billed and no hour is noted: nobody here knows what became of it. The person is locked already.
    """
    at = clock(at)
    runs = list(queries.locked_runs(user_id, patient_ids))
    if not runs:
        return Unchanged(0)  # type: ignore[return-value]
    for run in runs:
        session, end = run.session, queries.last_entry_at(run, at)
        session.status, session.ended_at = SessionStatus.ABANDONED, end
        session.duration_seconds = max(int((end - session.started_at).total_seconds()), 0)
        session.save(update_fields=["status", "ended_at", "duration_seconds", "updated_at"])
        run.ended_at = end
        run.save(update_fields=["ended_at", "updated_at"])
        codes = {"status": SessionStatus.ABANDONED.value, "left_by": str(user_id)}
        record(actor, "session.ended", session, subject=session.patient_id, codes=codes)
    return len(runs)
