"""Reads of plans: one person's plan with everything in it, its versions, what it stands on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from clinical.assessments.instruments import queries as offers
from clinical.assessments.models import Assessment
from clinical.plans import progress
from clinical.plans.models import (
    OPEN,
    Goal,
    GoalProgress,
    PlanApproval,
    PlannedIntervention,
    PlanVersion,
    TreatmentPlan,
)
from clinical.plans.reviews.models import PlanReview
from clinical.plans.reviews.queries import reviews_due
from clinical.plans.seen import next_after
from clinical.plans.wording import version_words
from cortex.access.context import AccessContext
from cortex.audit import Actor, NotFound, RuleBroken
from cortex.ops.postgres.questions import kept
from crisis.risk.queries import latest_assessment
from crisis.safetyplans.models import SafetyPlan
from crisis.safetyplans.queries import current as current_safety_plan
from patients.care.models import CareTeamMember
from patients.care.queries import care_team, seats
from patients.pathway.queries import has_left
from patients.registry import access
from patients.registry.models import Patient
from patients.registry.queries import local_day, lock_with_record, rows_of

REVIEWS = 6
LEFT = "Care has ended, and nobody stays on the team. Take the person into care again, then begin a plan."


@dataclass(slots=True)
class GoalView:
    """One goal, opened, with what was recorded of it and where it stands."""

    goal: Goal
    entries: list[GoalProgress]
    current: float | None
    current_at: date | None
    standing: progress.Standing

    @property
    def milestones(self) -> list[GoalProgress]:
        """Its milestones in their order."""
        return [one for one in self.entries if one.kind == "milestone"]

    @property
    def readings(self) -> list[GoalProgress]:
        """What was counted or read, newest first."""
        return [one for one in reversed(self.entries) if one.kind != "milestone"]


@dataclass(slots=True)
class PlanView:
    """A plan with everything in it, opened for one look."""

    plan: TreatmentPlan
    goals: list[GoalView]
    interventions: list[PlannedIntervention]
    standing: progress.Standing
    versions: list[PlanVersion]
    approval: PlanApproval | None
    reviews: list[PlanReview]
    due_at: datetime | None
    team: list[CareTeamMember] = field(default_factory=list)
    agreed: dict[int, datetime] = field(default_factory=dict)

    @property
    def needs_approval(self) -> bool:
        """Whether the newest signed version waits for a supervisor's word."""
        newest = self.versions[0] if self.versions else None
        return bool(newest and newest.needs_approval and self.approval is None and self.plan.is_signed)


def treated_to_write(actor: Actor, patient_id: UUID, at: datetime) -> Patient:
    """Lock a person and return them to whoever may write in their chart; break-glass only reads."""
    lock_with_record(patient_id)
    return access.treated(actor, patient_id, at, writes=True)


def refuse_after_care(patient: Patient, at: datetime) -> None:
    """Refuse a plan of somebody who was discharged: nobody could sign, review or end it later."""
    if has_left(rows_of(patient), at):
        raise RuleBroken(LEFT, "care_ended")


def written_once(
    model: Any, once: UUID | None, patient: Patient, stands: Callable[[Any], bool] = bool
) -> tuple[Any, UUID | None]:
    """Return the row of a person that was written under the id of a form, or None, and a new row's id.

    One that was taken back meanwhile (it no longer `stands`) is no answer: whoever sends its form once more
    means it. That row has an id of its own, the same for each press.
    """
    while once and (row := model.objects.filter(pk=once, patient_id__in=rows_of(patient)).first()):
        if stands(row):
            return row, once
        once = next_after(once)
    return None, once


def own_id(once: UUID | None) -> dict[str, UUID]:
    """Return the id of a new row: that of the form which writes it, else the row's own."""
    return {"id": once} if once else {}


def locked_plan(actor: Actor, patient_id: UUID, at: datetime) -> TreatmentPlan:
    """Lock a person and their open plan; RuleBroken when there is none."""
    patient = treated_to_write(actor, patient_id, at)
    rows = TreatmentPlan.objects.select_for_update(of=("self",))
    plan = rows.filter(patient_id__in=rows_of(patient), status__in=OPEN).order_by("pk").first()
    if plan is None:
        raise RuleBroken("There is no plan yet. Begin one first.", "no_plan")
    return plan


def open_plan(patient: Patient, ids: list[UUID] | None = None) -> TreatmentPlan | None:
    """Return the plan that somebody works by or on, or None; `ids` are the person's rows where known."""
    return next(iter(_open_plans(ids or rows_of(patient))), None)


@kept
def _open_plans(ids: list[UUID]) -> QuerySet[TreatmentPlan]:
    rows = TreatmentPlan.objects.filter(patient_id__in=ids, status__in=OPEN)
    return rows.select_related("authored_by", "safety_plan").order_by("pk")[:1]


def ended_plans(patient: Patient) -> list[TreatmentPlan]:
    """Return the plans that are over, newest first."""
    rows = TreatmentPlan.objects.filter(patient_id__in=rows_of(patient)).exclude(status__in=OPEN)
    return list(rows.select_related("patient").order_by("-ended_at")[:10])


def locked_goal(plan: TreatmentPlan, goal_id: UUID) -> Goal:
    """Lock and return a goal of a plan; NotFound for any other."""
    return _own(Goal.objects.select_for_update(of=("self",)).filter(plan=plan, pk=goal_id))


def goal_of(plan: TreatmentPlan, goal_id: UUID) -> Goal:
    """Return a goal of a plan; NotFound for any other."""
    return _own(Goal.objects.select_related("instrument", "diagnosis").filter(plan=plan, pk=goal_id))


def locked_entry(plan: TreatmentPlan, entry_id: UUID) -> GoalProgress:
    """Lock and return a line of progress of a plan's goals; NotFound for any other."""
    rows = GoalProgress.objects.select_for_update(of=("self",)).select_related("goal")
    return _own(rows.filter(goal__plan=plan, pk=entry_id))


def locked_intervention(plan: TreatmentPlan, intervention_id: UUID) -> PlannedIntervention:
    """Lock and return an intervention of a plan; NotFound for any other."""
    rows = PlannedIntervention.objects.select_for_update(of=("self",))
    return _own(rows.filter(plan=plan, pk=intervention_id))


def intervention_of(plan: TreatmentPlan, intervention_id: UUID) -> PlannedIntervention:
    """Return an intervention of a plan; NotFound for any other."""
    return _own(PlannedIntervention.objects.filter(plan=plan, pk=intervention_id))


def _own(rows: Any) -> Any:
    found = rows.first()
    if found is None:
        raise NotFound
    return found


def goals_of(plan: TreatmentPlan) -> list[Goal]:
    """Return a plan's goals."""
    return _goals(plan.pk)


@kept
def _goals(plan_id: UUID) -> QuerySet[Goal]:
    return Goal.objects.filter(plan=plan_id).select_related("instrument", "diagnosis")


def entries_of(goals: Iterable[Goal]) -> dict[UUID, list[GoalProgress]]:
    """Return what stands of these goals' progress by goal, milestones in order, readings oldest first."""
    found: dict[UUID, list[GoalProgress]] = defaultdict(list)
    for one in _entries([goal.pk for goal in goals]):
        found[one.goal_id].append(one)
    return found


@kept
def _entries(goal_ids: list[UUID]) -> QuerySet[GoalProgress]:
    rows = GoalProgress.objects.filter(goal__in=goal_ids, taken_back_at__isnull=True)
    return rows.select_related("recorded_by").order_by("order", "observed_on", "pk")


def latest_totals(patient: Patient) -> dict[UUID, Assessment]:
    """Return the newest valid administration of each instrument version, by instrument; no answers."""
    return {one.instrument_id: one for one in _latest_totals(rows_of(patient))}


@kept
def _latest_totals(ids: list[UUID]) -> QuerySet[Assessment]:
    rows = Assessment.objects.standing().valid().filter(patient_id__in=ids)
    newest = rows.order_by("instrument_id", "-administered_at", "-pk").distinct("instrument_id")
    return newest.defer("items")


def view_goals(patient: Patient, goals: list[Goal], at: datetime) -> list[GoalView]:
    """Return these goals with where they stand; a goal of an instrument takes its value from the answers."""
    entries = entries_of(goals)
    totals = latest_totals(patient) if any(one.instrument_id for one in goals) else {}
    today = local_day(patient, at)
    measured = {key: (one.total, local_day(patient, one.administered_at)) for key, one in totals.items()}
    return [_view_goal(one, entries[one.pk], measured, today) for one in goals]


def _view_goal(
    goal: Goal, entries: list[GoalProgress], measured: dict[UUID, tuple[int | None, date]], today: date
) -> GoalView:
    current, seen = goal.current, None
    readings = [one for one in entries if one.kind == "reading"]
    if goal.instrument_id is not None:
        total, day = measured.get(goal.instrument_id, (None, None))
        # What was measured before the goal began is its baseline, not its progress.
        current = None
        if day is not None and day >= goal.starts_on:
            current, seen = float(total or 0), day
    elif readings:
        current, seen = readings[-1].value, readings[-1].observed_on
    count = None
    if goal.measure_type == "frequency":
        count = sum(
            one.value or 0 for one in entries if one.kind == "count"
            if one.observed_on and 0 <= (today - one.observed_on).days < (goal.window_days or 7)
        )  # fmt: skip
        current = count
    steps = tuple(
        (one.weight or 1, one.observed_on is not None) for one in entries if one.kind == "milestone"
    )
    aim = progress.Aim(
        measure_type=goal.measure_type, weight=goal.weight, status=goal.status, start=goal.starts_on,
        due=goal.due_date, baseline=goal.baseline, target=goal.target, current=current, steps=steps,
        count=count,
    )  # fmt: skip
    return GoalView(goal, entries, current, seen, progress.of_goal(aim, today))


def standing_of(plan: TreatmentPlan, goals: list[GoalView], today: date) -> progress.Standing:
    """Return where a plan stands: active and achieved goals by weight, those without a reading as 0."""
    parts = [
        (one.goal.weight, one.standing.share or 0.0) for one in goals
        if one.goal.status in progress.COUNTING
    ]  # fmt: skip
    return progress.standing(progress.weighted(parts), progress.elapsed(plan.start, plan.target_end, today))


def plan_view(
    context: AccessContext, patient: Patient, plan: TreatmentPlan, at: datetime,
    team: list[CareTeamMember] | None = None,
) -> PlanView:  # fmt: skip
    """Open a plan with everything in it; a fixed number of queries, one less when the team is known."""
    goals = goals_of(plan)
    views = view_goals(patient, goals, at)
    interventions, versions, held = _interventions(plan.pk), _versions(plan.pk), _held(plan.pk)
    approval = next(iter(_approval(versions[0].pk)), None) if versions else None
    entries = [entry for one in views for entry in one.entries]
    for rows in ([plan], goals, entries, interventions, [approval] if approval else [], held):
        context.open(rows)
    return PlanView(
        plan=plan, goals=views, interventions=interventions,
        standing=standing_of(plan, views, local_day(patient, at)), versions=versions, approval=approval,
        reviews=held, due_at=reviews_due([patient.person_id], at, due_only=False).get(patient.person_id),
        team=seats(care_team(patient.pk, at) if team is None else team),
    )  # fmt: skip


@kept
def _interventions(plan_id: UUID) -> QuerySet[PlannedIntervention]:
    return PlannedIntervention.objects.filter(plan=plan_id)


@kept
def _versions(plan_id: UUID) -> QuerySet[PlanVersion]:
    return PlanVersion.objects.filter(plan=plan_id).select_related("signed_by").defer("content")


@kept
def _approval(version_id: UUID) -> QuerySet[PlanApproval]:
    return PlanApproval.objects.filter(plan_version=version_id).select_related("decided_by")[:1]


@kept
def _held(plan_id: UUID) -> QuerySet[PlanReview]:
    return PlanReview.objects.filter(plan=plan_id).select_related("reviewed_by")[:REVIEWS]


def reviewed_or_begun(plan: TreatmentPlan) -> datetime | None:
    """Return since when the next review of a plan is reckoned: the last one, else when it came into force."""
    held = PlanReview.objects.filter(plan=plan.pk).order_by("-held_at").values_list("held_at", flat=True)
    words = PlanApproval.objects.filter(plan_version__plan=plan.pk, approved=True).order_by("decided_at")
    first = PlanVersion.objects.filter(plan=plan.pk).order_by("version")
    needs, signed = first.values_list("needs_approval", "signed_at").first() or (False, None)
    begun = words.values_list("decided_at", flat=True).first() if needs else signed
    return held.first() or begun


def version_of(plan_id: UUID, number: int) -> PlanVersion | None:
    """Return one signed version of a plan, or None."""
    return PlanVersion.objects.filter(plan=plan_id, version=number).select_related("signed_by").first()


def signed_since(patient_ids: Collection[UUID], since: datetime) -> list[tuple[datetime, str]]:
    """Return (when, words) of the signatures under plans of these rows since a time, oldest first."""
    rows = _signed_since(list(patient_ids), since)
    return [(at, version_words(version).lower()) for at, version in rows]


@kept
def _signed_since(patient_ids: list[UUID], since: datetime) -> QuerySet[PlanVersion, tuple[datetime, int]]:
    rows = PlanVersion.objects.filter(patient_id__in=patient_ids, signed_at__gte=since)
    return rows.order_by("signed_at").values_list("signed_at", "version")


def plans_version(patient: Patient, plan_id: UUID, number: int) -> PlanVersion:
    """Return one signed version of one of a person's plans; NotFound for any other."""
    rows = PlanVersion.objects.filter(plan__patient_id__in=rows_of(patient), plan=plan_id, version=number)
    return _own(rows.select_related("signed_by", "plan"))  # type: ignore[no-any-return]


def safety_plan_of(patient: Patient) -> SafetyPlan | None:
    """Return the version of the safety plan that is in force."""
    return current_safety_plan(rows_of(patient))


def level_of(patient: Patient) -> str:
    """Return the level on record; empty when nobody was assessed."""
    found = latest_assessment(patient.person_id)
    return found.level if found else ""


def totals_of(patient: Patient) -> dict[str, int]:
    """Return the newest valid totals of the offered instruments by key."""
    offered = offers.instruments(patient.organization_id)
    keys = {form: row.key for row in offered for form in row.with_forms}
    found = sorted(latest_totals(patient).values(), key=lambda one: one.administered_at)
    return {
        keys[one.instrument_id]: one.total for one in found
        if one.instrument_id in keys and one.total is not None
    }  # fmt: skip
