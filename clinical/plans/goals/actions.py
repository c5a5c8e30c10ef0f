"""Writes of goals and of their progress."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from clinical.assessments.instruments.queries import instrument, instruments
from clinical.assessments.models import Instrument
from clinical.plans import queries
from clinical.plans.actions import begin_version
from clinical.plans.diagnoses.queries import diagnosis_of
from clinical.plans.goals.smart import Scale, gaps, same_steps
from clinical.plans.models import Goal, GoalProgress, GoalStatus, TreatmentPlan
from clinical.plans.seen import refuse_changed
from clinical.sessions.labels import reach
from clinical.sessions.queries import has_session
from cortex.access.context import opening
from cortex.audit import Actor, InputRefused, RuleBroken, Unchanged, action, record
from cortex.clock import clock
from cortex.horizon import refuse_far
from cortex.records import version_of
from patients.registry.queries import local_day, rows_of

PLAIN = (
    "measure_type", "baseline", "target", "direction", "window_days", "concerns", "due_date", "weight",
)  # fmt: skip
WORDS = ("specific", "achievable_note", "metric")
# What changes nothing of what was agreed, and what does.
SETTLED = (GoalStatus.ACHIEVED, GoalStatus.PARTIALLY_ACHIEVED, GoalStatus.ACTIVE)
ASKED = ("baseline", "target", "window_days", "metric", "concerns")


@action
def save_goal(
    *, actor: Actor, patient_id: UUID, fields: Mapping[str, Any], steps: Sequence[tuple[str, int]] = (),
    goal_id: UUID | None = None, seen: str | None = None, once: UUID | None = None,
    at: datetime | None = None,
) -> Goal:  # fmt: skip
    """Add a goal to a plan, or change one; `steps` are the milestones (what, weight) of such a goal.

    `fields` holds specific, measure_type, instrument (key), metric, baseline, target, window_days,
    achievable_note, diagnosis (id), concerns, due_date, weight. InputRefused names what is missing: a goal is
    SMART or it is none. RuleBroken `changed_meanwhile` when the goal isn't the one that the form has `seen`.
    `once` is the new goal's id: a button that is pressed twice adds one.
    """
    at = clock(at)
    plan = queries.locked_plan(actor, patient_id, at)
    before = queries.locked_goal(plan, goal_id) if goal_id is not None else None
    if before is None:
        done, once = queries.written_once(Goal, once, plan.patient, _is_kept)
        if done:
            return Unchanged(done)  # type: ignore[return-value]
    own = before.instrument if before is not None else None
    after = before.starts_on if before is not None else plan.start
    wanted = _checked(plan, dict(fields), steps, own, after)
    goal = before or Goal(
        **queries.own_id(once), organization_id=plan.organization_id, plan=plan, patient=plan.patient,
        starts_on=max(plan.start, local_day(plan.patient, at)),
    )  # fmt: skip
    if before is None and goal.starts_on >= wanted["due_date"]:
        goal.starts_on = plan.start
    with opening(actor, purpose="treatment") as context:
        context.load_keys([plan.patient_id], create=True)
        entries = queries.entries_of([goal])[goal.pk]
        context.open([goal, *entries])
        milestones = [one for one in entries if one.kind == "milestone"]
        if before is not None:
            if _says(goal, milestones, wanted, steps):
                return Unchanged(goal)  # type: ignore[return-value]
            refuse_changed(version_of(goal), seen)
        for name, value in wanted.items():
            setattr(goal, name, value)
        goal.save()
        _save_steps(actor, goal, milestones, steps, at)
    begin_version(actor=actor, plan=plan)
    verb = "goal.added" if goal_id is None else "goal.changed"
    record(actor, verb, goal, codes={"plan": str(plan.pk), "measured": goal.measure_type})
    return goal


def _is_kept(goal: Goal) -> bool:
    return goal.status != GoalStatus.CANCELLED


def _checked(
    plan: TreatmentPlan, given: dict[str, Any], steps: Sequence[tuple[str, int]], own: Instrument | None,
    after: date,
) -> dict[str, Any]:  # fmt: skip
    """Return the goal's fields as they are kept; InputRefused with the first field that doesn't fit.

    `own` is what the goal is measured by so far, `after` the day that its own lies behind.
    """
    refuse_far(clock(), due_date=given["due_date"])
    kind = given["measure_type"]
    asked = dict.fromkeys(ASKED) | given | {"steps": steps}
    row = _measure(given.get("instrument"), plan.organization_id, own) if kind == "numeric" else None
    scale = Scale(row.title, row.read().highest) if row is not None else None
    for gap in gaps(asked, steps, scale, after):
        raise InputRefused(gap.words, gap.code, field=gap.field)
    found = dict.fromkeys((*PLAIN, *WORDS, "instrument", "diagnosis")) | {
        "measure_type": kind, "specific": given["specific"], "achievable_note": given["achievable_note"],
        "metric": given.get("metric") or None, "concerns": list(given.get("concerns") or []),
        "due_date": given["due_date"], "weight": given["weight"], "direction": "",
    }  # fmt: skip
    if given.get("diagnosis"):
        found["diagnosis"] = diagnosis_of(plan.patient, given["diagnosis"])
    if kind == "numeric":
        direction = "lower" if given["target"] < given["baseline"] else "higher"
        found |= {"baseline": given["baseline"], "target": given["target"], "direction": direction,
                  "instrument": row}  # fmt: skip
    elif kind == "frequency":
        found |= {"target": given["target"], "window_days": given["window_days"], "direction": "higher"}
    return found


def _says(
    goal: Goal, milestones: list[GoalProgress], wanted: Mapping[str, Any], steps: Sequence[tuple[str, int]]
) -> bool:
    """Whether a goal, opened with its milestones, says what is wanted."""
    said = [(one.title, one.weight) for one in milestones]
    asked = list(steps) if wanted["measure_type"] == "milestone" else []
    return said == asked and all(getattr(goal, name) == value for name, value in wanted.items())


def _measure(key: str | None, organization_id: UUID, own: Instrument | None) -> Instrument | None:
    """Return the measure as the organization offers it; a goal's own stays though it is offered no more."""
    if not key:
        return None
    if own is not None and own.key == key and all(one.key != key for one in instruments(organization_id)):
        return own
    return instrument(key, organization_id)


def _save_steps(
    actor: Actor, goal: Goal, before: list[GoalProgress], steps: Sequence[tuple[str, int]], at: datetime
) -> None:
    """Keep milestones that stay, with what was reached; add new ones, take others back."""
    wanted = dict(steps) if goal.measure_type == "milestone" else {}
    own = {one.title or "": one for one in before}
    kept = {new: own.pop(old) for new, old in same_steps(list(own), list(wanted)).items()}
    for order, (title, weight) in enumerate(wanted.items()):
        step = kept.get(title) or GoalProgress(
            organization_id=goal.organization_id, goal=goal, patient_id=goal.patient_id, kind="milestone",
            recorded_by=actor.user,
        )  # fmt: skip
        step.title, step.weight, step.order = title, weight, order
        step.save()
    for gone in own.values():
        gone.taken_back_at = at
        gone.save(update_fields=["taken_back_at", "updated_at"])


@action
def settle_goal(
    *, actor: Actor, patient_id: UUID, goal_id: UUID, status: str, at: datetime | None = None
) -> Goal:
    """Say that a goal is achieved, partially so, or active again, or drop it (cancelled).

    Dropping one changes the plan, and so does taking it up again, where a plan was signed as a proposal.
    """
    at = clock(at)
    plan = queries.locked_plan(actor, patient_id, at)
    goal = queries.locked_goal(plan, goal_id)
    if status not in (*SETTLED, GoalStatus.CANCELLED):
        raise InputRefused("Choose where the goal stands.", "status_unknown", field="status")
    if goal.status == status:
        return Unchanged(goal)  # type: ignore[return-value]
    is_other_plan = GoalStatus.CANCELLED in (goal.status, status)
    if goal.status == GoalStatus.CANCELLED and plan.signed_version is None:
        status = GoalStatus.PROPOSED
    goal.status = status
    goal.save(update_fields=["status", "updated_at"])
    if is_other_plan:
        begin_version(actor=actor, plan=plan)
    record(actor, "goal.settled", goal, codes={"status": status})
    return goal


@action
def record_progress(
    *, actor: Actor, patient_id: UUID, goal_id: UUID, value: float, observed_on: date, note: str = "",
    session_id: UUID | None = None, once: UUID | None = None, at: datetime | None = None,
) -> GoalProgress:  # fmt: skip
    """Write down a reading of a goal, or how many times something was done.

    A measure's own answers count by themselves. `once` is the new entry's id: a button that is pressed twice
    writes one.
    """
    at = clock(at)
    plan = queries.locked_plan(actor, patient_id, at)
    done, once = queries.written_once(GoalProgress, once, plan.patient, lambda row: row.taken_back_at is None)
    if done:
        return Unchanged(done)  # type: ignore[return-value]
    goal = queries.locked_goal(plan, goal_id)
    if goal.measure_type == "milestone":
        raise RuleBroken("Tick the milestones of this goal.", "has_milestones")
    if goal.instrument_id is not None:
        raise RuleBroken("This goal takes its value from the measure. Ask the measure.", "has_measure")
    refuse_far(at, observed_on=observed_on)
    if observed_on > local_day(plan.patient, at):
        raise InputRefused("This lies in the future.", "in_the_future", field="observed_on")
    kind = "reading" if goal.measure_type == "numeric" else "count"
    if kind == "count" and value <= 0:
        raise InputRefused("Say how many times, at least once.", "not_counted", field="value")
    if session_id is not None and not has_session(
        rows_of(plan.patient), reach(actor, plan.patient, at), session_id
    ):
        raise InputRefused("This is no session of theirs.", "session_unknown", field="session_id")
    entry = GoalProgress(
        **queries.own_id(once), organization_id=goal.organization_id, goal=goal, patient_id=goal.patient_id,
        kind=kind, value=value, observed_on=observed_on, recorded_by=actor.user, session_id=session_id,
    )  # fmt: skip
    with opening(actor, purpose="treatment") as context:
        context.load_keys([plan.patient_id], create=True)
        entry.note = note.strip() or None
        entry.save(force_insert=True)
    _keep_current(goal)
    record(actor, "goal.progressed", goal, codes={"kind": kind})
    return entry


def _keep_current(goal: Goal) -> None:
    readings = [one for one in queries.entries_of([goal])[goal.pk] if one.kind == "reading"]
    current = readings[-1].value if readings else None
    if goal.current != current:
        goal.current = current
        goal.save(update_fields=["current", "updated_at"])


@action
def tick_milestone(
    *, actor: Actor, patient_id: UUID, entry_id: UUID, reached: bool, at: datetime | None = None
) -> GoalProgress:
    """Say that a milestone is reached, or take that back."""
    at = clock(at)
    plan = queries.locked_plan(actor, patient_id, at)
    entry = queries.locked_entry(plan, entry_id)
    if entry.kind != "milestone" or entry.taken_back_at is not None:
        raise RuleBroken("This is no milestone of the goal.", "no_milestone")
    if (entry.observed_on is not None) == reached:
        return Unchanged(entry)  # type: ignore[return-value]
    entry.observed_on = local_day(plan.patient, at) if reached else None
    entry.recorded_by = actor.user
    entry.save(update_fields=["observed_on", "recorded_by", "updated_at"])
    record(actor, "goal.milestone_reached" if reached else "goal.milestone_taken_back", entry.goal)
    return entry


@action
def take_back_progress(
    *, actor: Actor, patient_id: UUID, entry_id: UUID, at: datetime | None = None
) -> GoalProgress:
    """Take a wrong reading or count back; it stays on record as taken back."""
    at = clock(at)
    plan = queries.locked_plan(actor, patient_id, at)
    entry = queries.locked_entry(plan, entry_id)
    if entry.kind == "milestone":
        raise RuleBroken("Untick the milestone instead.", "is_milestone")
    if entry.taken_back_at is not None:
        return Unchanged(entry)  # type: ignore[return-value]
    entry.taken_back_at = at
    entry.save(update_fields=["taken_back_at", "updated_at"])
    _keep_current(entry.goal)
    record(actor, "goal.progress_taken_back", entry.goal)
    return entry
