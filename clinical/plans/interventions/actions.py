"""Writes of interventions and of the sessions that are counted of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from uuid import UUID

from clinical.plans import queries
from clinical.plans.actions import begin_version
from clinical.plans.models import PlannedIntervention
from clinical.plans.seen import refuse_changed
from clinical.plans.wording import INTERVENTIONS
from cortex.access.context import opening
from cortex.audit import Actor, InputRefused, RuleBroken, Unchanged, action, record
from cortex.clock import clock
from cortex.records import version_of
from patients.registry.queries import local_day

HELD = ("sessions_held", "held_on", "held_that_day", "by_hand")
COUNTED_TODAY = (
    "A session of today is counted already, by hand or by its log. If there was another, go back and press "
    "One more today."
)
# What a session's log tells apart and a plan has as one: its problem-solving therapy is PM+ too.
PLANNED_AS = {"PM_PLUS": "PROBLEM_SOLVING_THERAPY"}


@action
def save_intervention(
    *, actor: Actor, patient_id: UUID, code: str, frequency: str, evidence_level: str,
    sessions_planned: int | None = None, goals: Sequence[UUID] = (), note: str = "",
    intervention_id: UUID | None = None, seen: str | None = None, at: datetime | None = None,
) -> PlannedIntervention:  # fmt: skip
    """Add an intervention to a plan, or change one; `goals` are ids of goals of the same plan.

    RuleBroken `changed_meanwhile` when the row isn't the one that the form has `seen`.
    """
    at = clock(at)
    plan = queries.locked_plan(actor, patient_id, at)
    if code not in INTERVENTIONS:
        raise InputRefused("This intervention is not on the list.", "intervention_unknown", field="code")
    own = {one.pk for one in queries.goals_of(plan)}
    if not set(goals) <= own:
        raise InputRefused("This goal is not of this plan.", "goal_unknown", field="goals")
    if intervention_id is None:
        row = PlannedIntervention(organization_id=plan.organization_id, plan=plan, patient=plan.patient)
    else:
        row = queries.locked_intervention(plan, intervention_id)
    others = PlannedIntervention.objects.filter(plan=plan, code=code, ended_on__isnull=True)
    if others.exclude(pk=row.pk).exists():
        raise InputRefused("The plan has this intervention already.", "twice", field="code")
    with opening(actor, purpose="treatment") as context:
        context.load_keys([plan.patient_id], create=True)
        context.open([row])
        wanted = {
            "code": code, "frequency": frequency, "evidence_level": evidence_level,
            "sessions_planned": sessions_planned, "goals": list(goals), "note": note.strip() or None,
        }  # fmt: skip
        if intervention_id is not None:
            if all(getattr(row, name) == value for name, value in wanted.items()):
                return Unchanged(row)  # type: ignore[return-value]
            refuse_changed(version_of(row), seen)
        for name, value in wanted.items():
            setattr(row, name, value)
        row.save()
    begin_version(actor=actor, plan=plan)
    verb = "intervention.planned" if intervention_id is None else "intervention.changed"
    record(actor, verb, row, codes={"code": code})
    return row


@action
def count_session(
    *, actor: Actor, patient_id: UUID, intervention_id: UUID, again: bool = False, at: datetime | None = None
) -> PlannedIntervention:
    """Count one more session that was held for an intervention, by hand.

    RuleBroken `counted_today` when one of today is counted already, unless it is meant (`again`).
    """
    at = clock(at)
    plan = queries.locked_plan(actor, patient_id, at)
    row = queries.locked_intervention(plan, intervention_id)
    if row.ended_on is not None:
        raise RuleBroken("This intervention is over.", "is_over")
    _turn_to(row, local_day(plan.patient, at))
    if row.held_that_day and not again:
        raise RuleBroken(COUNTED_TODAY, "counted_today")
    row.by_hand += 1
    _count(actor, row, 1, "intervention.session_held")
    return row


@action
def uncount_session(
    *, actor: Actor, patient_id: UUID, intervention_id: UUID, at: datetime | None = None
) -> PlannedIntervention:
    """Take back a session of today that was counted by hand; one that a log named stays."""
    at = clock(at)
    plan = queries.locked_plan(actor, patient_id, at)
    row = queries.locked_intervention(plan, intervention_id)
    _turn_to(row, local_day(plan.patient, at))
    if not row.by_hand:
        raise RuleBroken("Only what was counted by hand today can be taken back.", "not_by_hand")
    row.by_hand -= 1
    _count(actor, row, -1, "intervention.session_taken_back")
    return row


@action
def count_logged(
    *, actor: Actor, patient_id: UUID, session_id: UUID, codes: Collection[str], at: datetime | None = None
) -> list[PlannedIntervention]:
    """Count a session that ends for what the open plan has of the interventions that were logged in it.

    Each once, however often it was logged. One that was counted by hand on the same day is this one. The
    caller ends the session, which happens once.
    """
    at = clock(at)
    patient = queries.treated_to_write(actor, patient_id, at)
    plan = queries.open_plan(patient)
    wanted = {PLANNED_AS.get(code, code) for code in codes}
    # Whoever changes a plan holds its person, who is locked here: the plan stays the open one.
    rows = PlannedIntervention.objects.select_for_update(of=("self",)).filter(code__in=wanted)
    counted = list(rows.filter(plan=plan, ended_on__isnull=True).order_by("pk")) if plan else []
    for row in counted:
        _turn_to(row, local_day(patient, at))
        known = min(row.by_hand, 1)
        row.by_hand -= known
        _count(actor, row, 1 - known, "intervention.session_held", session=str(session_id))
    return counted or Unchanged([])  # type: ignore[return-value]


def _turn_to(row: PlannedIntervention, day: date) -> None:
    """Begin the counts of another day."""
    if row.held_on != day:
        row.held_on, row.held_that_day, row.by_hand = day, 0, 0


def _count(actor: Actor, row: PlannedIntervention, more: int, verb: str, **where: str) -> None:
    row.sessions_held += more
    row.held_that_day += more
    row.save(update_fields=[*HELD, "updated_at"])
    record(actor, verb, row, codes={"code": row.code, "held": row.sessions_held} | where)


@action
def end_intervention(
    *, actor: Actor, patient_id: UUID, intervention_id: UUID, at: datetime | None = None
) -> PlannedIntervention:
    """End an intervention; the plan changes by that."""
    at = clock(at)
    plan = queries.locked_plan(actor, patient_id, at)
    row = queries.locked_intervention(plan, intervention_id)
    if row.ended_on is not None:
        return Unchanged(row)  # type: ignore[return-value]
    row.ended_on = local_day(plan.patient, at)
    row.save(update_fields=["ended_on", "updated_at"])
    begin_version(actor=actor, plan=plan)
    record(actor, "intervention.ended", row, codes={"code": row.code})
    return row


@action
def resume_intervention(
    *, actor: Actor, patient_id: UUID, intervention_id: UUID, at: datetime | None = None
) -> PlannedIntervention:
    """Take an intervention up again that was ended; the plan changes by that."""
    at = clock(at)
    plan = queries.locked_plan(actor, patient_id, at)
    row = queries.locked_intervention(plan, intervention_id)
    if row.ended_on is None:
        return Unchanged(row)  # type: ignore[return-value]
    if PlannedIntervention.objects.filter(plan=plan, code=row.code, ended_on__isnull=True).exists():
        raise RuleBroken("The plan has this intervention again already.", "twice")
    row.ended_on = None
    row.save(update_fields=["ended_on", "updated_at"])
    begin_version(actor=actor, plan=plan)
    record(actor, "intervention.resumed", row, codes={"code": row.code})
    return row
