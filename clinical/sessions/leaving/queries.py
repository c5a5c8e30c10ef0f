"""Reads of sessions that their clinician left: whether one was, who reads it, what last stood in it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Max, QuerySet

from clinical.sessions.labels import reach
from clinical.sessions.models import SessionRun
from cortex.audit import Actor
from patients.registry import access
from patients.registry.queries import rows_of
from patients.sessions.models import Session, SessionActivity

# [P] nobody sits with somebody for so long: whoever runs it forgot it.
FORGOTTEN_AFTER = timedelta(hours=24)


def is_left(run: SessionRun, at: datetime) -> bool:
    """Whether nobody is there to end an open session: its clinician may not write in the chart any more
    (no place, no cover, no account), or it has been open for a day.
    """
    if at - run.begun_at > FORGOTTEN_AFTER:
        return True
    name = access.relationship_of(run.clinician, run.patient_id, at, access.CHART)
    return name in (None, access.BREAK_GLASS)


def left_run(actor: Actor, run: SessionRun | None, at: datetime) -> SessionRun | None:
    """Return an open session where a colleague left it and the actor may end it as one of the team, or None.

    Its labels are not asked: it tells whose it is and since when, as the refusal to start another does.
    """
    if run is None or run.ended_at is not None or run.clinician_id == actor.id or not is_left(run, at):
        return None
    standing = access.relations(actor, {run.patient_id}, access.CHART, at).get(run.patient_id)
    return run if standing is not None and standing.name in access.TEAM else None


def is_open(actor: Actor, patient_id: UUID, session_id: UUID, at: datetime) -> bool:
    """Whether an actor may read one session of a person whom they treat: its label may shut what they end."""
    patient = access.treated(actor, patient_id, at)
    rows = Session.objects.filter(pk=session_id, patient_id__in=rows_of(patient))
    return rows.filter(reach(actor, patient, at).sessions()).exists()


def last_entry_at(run: SessionRun, at: datetime) -> datetime:
    """Return when something was last logged in a session, or when it began."""
    rows = SessionActivity.objects.filter(session_id=run.session_id, started_at__lte=at)
    last = rows.aggregate(last=Max("started_at"))["last"]
    return max(filter(None, (last, run.begun_at)))


def locked_runs(user_id: UUID, patient_ids: Collection[UUID]) -> QuerySet[SessionRun]:
    """Lock and return what somebody runs with these rows of a person."""
    rows = SessionRun.objects.select_for_update(of=("self",)).select_related("session").order_by("pk")
    return rows.under_way().filter(clinician_id=user_id, patient_id__in=patient_ids)
