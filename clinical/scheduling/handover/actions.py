"""Writes of appointments that care leaves behind: they go to a colleague, or are called off."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from clinical.scheduling.handover import queries
from clinical.scheduling.models import Appointment, AppointmentReminder, CancelReason, Outcome, Status
from clinical.scheduling.queries import CALLED_OFF, REBOOK, REMINDER
from cortex.audit import Actor, Unchanged, action, record
from cortex.clock import clock
from cortex.ops.notices.actions import notify, overtake


@dataclass(frozen=True, slots=True)
class Handed:
    """How many appointments a colleague took over, and how many were called off as the hour was taken."""

    moved: int = 0
    called_off: int = 0


@action
def hand_over_appointments(
    *, actor: Actor, patient_ids: Iterable[UUID], from_id: UUID, to_id: UUID, at: datetime | None = None
) -> Handed:
    """Give what somebody has to come with these people to a colleague: the same hours, where those are free.

    Where the colleague has something else, the appointment is called off and stands on the colleague's
    calendar to be booked anew. Reminders follow.
    """
    at = clock(at)
    rows = queries.locked_coming(patient_ids, at, from_id)
    if not rows:
        return Unchanged(Handed())  # type: ignore[return-value]
    taken = queries.spans_of(to_id, rows[0].starts_at, max(one.ends_at for one in rows))
    free = [one for one in rows if not _overlaps(one, taken) and _take_over(one, to_id)]
    rest = [one for one in rows if one.therapist_id != to_id]
    # What the former therapist was told of is the colleague's now, who is told in turn.
    overtake(actor=actor, user_ids=[from_id], code=REMINDER, object_ids=[one.pk for one in free], at=at)
    told = AppointmentReminder.objects.filter(appointment__in=free, outcome=Outcome.TOLD)
    told.update(done_at=None, outcome="", may_text=None)
    _call_off(actor, rest, CancelReason.THERAPIST_AWAY, at)
    for one in rest:
        _tell(actor, one, REBOOK, [to_id])
    codes = {"from": str(from_id), "to": str(to_id), "moved": len(free), "called_off": len(rest)}
    record(actor, "appointment.handed_over", rows[0], subject=rows[0].patient_id, codes=codes)
    return Handed(len(free), len(rest))


def _overlaps(row: Appointment, spans: Iterable[tuple[datetime, datetime]]) -> bool:
    return any(start < row.ends_at and row.starts_at < end for start, end in spans)


def _take_over(row: Appointment, to_id: UUID) -> bool:
    """Give a row to a colleague; whoever lost a race to the hour has something else then."""
    before, row.therapist_id = row.therapist_id, to_id
    try:
        with transaction.atomic():
            row.save(update_fields=["therapist", "updated_at"])
    except IntegrityError as error:
        if "appointment_therapist_once" not in str(error):
            raise
        row.therapist_id = before
        return False
    return True


@action
def call_off_coming(*, actor: Actor, patient_ids: Iterable[UUID], at: datetime | None = None) -> int:
    """Call off whatever these people have to come with anybody, since their care ends; return how many.

    Colleagues whose appointments they were are told.
    """
    at = clock(at)
    rows = queries.locked_coming(patient_ids, at)
    if not rows:
        return Unchanged(0)  # type: ignore[return-value]
    _call_off(actor, rows, CancelReason.CARE_ENDED, at)
    for one in {row.therapist_id: row for row in rows}.values():
        _tell(actor, one, CALLED_OFF, [one.therapist_id])
    codes = {"reason": str(CancelReason.CARE_ENDED), "count": len(rows)}
    record(actor, "appointment.cancelled", rows[0], subject=rows[0].patient_id, codes=codes)
    return len(rows)


def _call_off(actor: Actor, rows: Sequence[Appointment], reason: str, at: datetime) -> None:
    ids = [one.pk for one in rows]
    Appointment.objects.filter(pk__in=ids).update(
        status=Status.CANCELLED, cancel_reason=reason, status_at=at, status_by=actor.user, updated_at=at
    )
    waiting = AppointmentReminder.objects.filter(appointment__in=ids, done_at__isnull=True)
    waiting.update(done_at=at, outcome=Outcome.OVERTAKEN)
    people = {one.therapist_id for one in rows}
    overtake(actor=actor, user_ids=people, code=REMINDER, object_ids=ids, at=at)


def _tell(actor: Actor, row: Appointment, code: str, people: list[UUID]) -> None:
    notify(
        actor=actor, organization_id=row.organization_id, user_ids=people, code=code,
        object_type="clinical.Appointment", object_id=row.pk,
    )  # fmt: skip
