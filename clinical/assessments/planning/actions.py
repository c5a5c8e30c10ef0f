"""Writes of schedules: a person's own, what an organization offers, and what is overdue made a task."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from clinical.assessments.instruments.queries import text_of
from clinical.assessments.planning import queries
from clinical.assessments.planning.models import InstrumentSwitch, MeasureChase, MeasurePlan, PlanReason
from clinical.assessments.planning.queries import DueMeasure
from clinical.assessments.schedule import INTAKE, TASK_AFTER, TELL_AFTER
from cortex.audit import Actor, InputRefused, NotFound, Unchanged, action, record
from cortex.clock import clock
from cortex.ops.notices.actions import notify
from crisis.reviews.actions import close_item, make_item
from crisis.reviews.queries import open_reasons
from patients.registry import access
from patients.registry.models import Patient
from patients.registry.queries import local_day, rows_of

OVERDUE = "measure_overdue"
NOTICE = "measure.overdue"
# How long somebody has for the task that an overdue measure makes.
TASK_WITHIN = timedelta(hours=48)


@action
def set_plan(
    *, actor: Actor, patient_id: UUID, key: str, reason: str, interval_days: int | None = None,
    is_paused: bool = False, paused_until: date | None = None, at: datetime | None = None,
) -> MeasurePlan:  # fmt: skip
    """Give a person a schedule of their own for one measure: another interval, or a pause."""
    at = clock(at)
    who = access.treated(actor, patient_id, at)
    if key not in INTAKE:
        raise InputRefused("This measure has no schedule.", "no_schedule", field="key")
    if reason not in PlanReason.values:
        raise InputRefused("Choose why the schedule differs.", "required", field="reason")
    if not is_paused and interval_days is None:
        raise InputRefused("Give another interval, or pause the measure.", "required", field="interval_days")
    if interval_days is not None and not 1 <= interval_days <= 365:
        raise InputRefused("An interval is 1 to 365 days.", "out_of_range", field="interval_days")
    if paused_until is not None and paused_until <= local_day(who, at):
        raise InputRefused("This day is over.", "in_the_past", field="paused_until")
    row = queries.plan_of(who.pk, key) or MeasurePlan(
        organization_id=who.organization_id, patient=who, key=key
    )
    row.interval_days, row.is_paused, row.reason = interval_days, is_paused, reason
    row.paused_until = paused_until if is_paused else None
    row.set_by, row.set_at = actor.user, at
    row.save()
    codes = {"key": key, "days": interval_days, "paused": is_paused, "reason": reason}
    record(actor, "measure_plan.set", row, subject=who.pk, codes=codes)
    end_overdue(actor=actor, patient=who, outcome="no_action_needed", at=at)
    return row


@action
def clear_plan(*, actor: Actor, patient_id: UUID, key: str, at: datetime | None = None) -> int:
    """Go back to the usual schedule."""
    at = clock(at)
    who = access.treated(actor, patient_id, at)
    row = queries.plan_of(who.pk, key)
    if row is None:
        return Unchanged(0)  # type: ignore[return-value]
    record(actor, "measure_plan.cleared", row, subject=who.pk, codes={"key": key})
    row.delete()
    end_overdue(actor=actor, patient=who, outcome="no_action_needed", at=at)
    return 1


@action
def switch_instrument(*, actor: Actor, instrument_id: UUID, is_offered: bool) -> InstrumentSwitch:
    """Offer a version of an instrument in one's own organization, or don't; its text must be installed."""
    row = queries.version(instrument_id)
    if actor.organization_id is None:
        raise NotFound("You belong to no organization.", "not_found")
    if is_offered:
        text_of(row, "en")
        others = InstrumentSwitch.objects.filter(
            organization_id=actor.organization_id, instrument__key=row.key, is_offered=True
        )
        others.exclude(instrument=row).update(is_offered=False)
    found, _ = InstrumentSwitch.objects.update_or_create(
        organization_id=actor.organization_id, instrument=row, defaults={"is_offered": is_offered}
    )
    verb = "measure.offered_here" if is_offered else "measure.withdrawn_here"
    record(actor, verb, found, codes={"instrument": row.key, "version": row.version})
    return found


@action
def change_switch(*, actor: Actor, switch_id: UUID, is_offered: bool | None = None) -> InstrumentSwitch:
    """Change a switch of one's own organization."""
    row = InstrumentSwitch.objects.filter(pk=switch_id, organization_id__in=actor.org_ids).first()
    if row is None:
        raise NotFound("There is no such switch.", "not_found")
    if is_offered is None or row.is_offered == is_offered:
        return Unchanged(row)  # type: ignore[return-value]
    return Unchanged(  # type: ignore[return-value]
        switch_instrument(actor=actor, instrument_id=row.instrument_id, is_offered=is_offered)
    )


@action
def end_overdue(*, actor: Actor, patient: Patient, outcome: str, at: datetime) -> int:
    """Close a person's task about overdue measures once none is a week late any more; return how many.

    It names no measure, so it waits for all of them; while it is open nothing that is late makes another.
    """
    asked = open_reasons(rows_of(patient), {OVERDUE}, at)
    if not asked or queries.late_of(patient, at):
        return Unchanged(0)  # type: ignore[return-value]
    for patient_id, reason in asked:
        close_item(actor=actor, patient_id=patient_id, reason_code=reason, outcome=outcome, at=at)
    return Unchanged(len(asked))  # type: ignore[return-value]


@action
def chase_measures(
    *, actor: Actor, patient: Patient, overdue: Sequence[DueMeasure], at: datetime | None = None
) -> int:
    """Make what is a week overdue a task, and tell the clinician after three; each due time once.

    Return how many steps were taken. Without a primary clinician the task stands on the desk.
    """
    at = clock(at)
    tasked, told = [], []
    for one in overdue:
        if one.at + TASK_AFTER > at:
            continue
        row = queries.locked_chase(patient.pk, one) or MeasureChase(
            organization_id=patient.organization_id, patient=patient, key=one.key, due_at=one.at
        )
        if row.tasked_at is None:
            row.tasked_at = at
            tasked.append(one.key)
        if row.told_at is None and one.at + TELL_AFTER <= at and patient.primary_clinician_id is not None:
            row.told_at = at
            told.append(one.key)
        row.save()
    if not tasked and not told:
        return Unchanged(0)  # type: ignore[return-value]
    if tasked:
        make_item(
            actor=actor, organization_id=patient.organization_id, patient=patient, reason_code=OVERDUE,
            source_type="measure", due_at=at + TASK_WITHIN, at=at,
        )  # fmt: skip
    if told and patient.primary_clinician_id is not None:
        notify(
            actor=actor, organization_id=patient.organization_id, user_ids=[patient.primary_clinician_id],
            code=NOTICE, object_type="patients.Patient", object_id=patient.pk, codes={"keys": told},
        )  # fmt: skip
    codes = {"tasked": tasked, "told": told}
    record(actor, "measure.chased", None, subject=patient.pk, object_id=patient.pk, codes=codes)
    return len(tasked) + len(told)
