"""Reads of what a signature stands under: the whole plan as plain data, and what labels keep back of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from clinical.plans.diagnoses.queries import diagnoses_of
from clinical.plans.labels import Shut
from clinical.plans.medications.queries import medications_of
from clinical.plans.models import GoalStatus, TreatmentPlan
from clinical.plans.queries import GoalView, level_of, plan_view, safety_plan_of
from clinical.plans.versions import Hidden, canonical
from cortex.access.context import AccessContext
from cortex.crypto.digest import keyed_digest
from crisis.safetyplans.models import SafetyPlan
from patients.registry.models import Patient
from patients.registry.queries import local_day


def hidden_of(patient: Patient, shut: Shut) -> Hidden:
    """Return what labels keep back of a plan's content, as they stand now, whenever it was signed."""
    diagnoses = [one for one in diagnoses_of(patient) if not shut.opens(one)]
    medications = [one for one in medications_of(patient) if not shut.opens(one)]
    return Hidden(
        frozenset(str(one.pk) for one in [*diagnoses, *medications]),
        frozenset(one.title for one in diagnoses),
    )


def to_sign(
    context: AccessContext, patient: Patient, plan: TreatmentPlan, at: datetime
) -> tuple[dict[str, Any], bytes]:
    """Return what a signature of now would stand under, and its digest under the person's key.

    What signing does to the plan is in it: the level and the safety plan of now, and goals that begin by it.
    """
    plan.risk_level, plan.safety_plan = level_of(patient), safety_plan_of(patient)
    content = content_of(context, patient, plan, at)
    proposed, active = GoalStatus.PROPOSED.label, GoalStatus.ACTIVE.label
    content["goals"] = [
        one | {"status": active} if one["status"] == proposed else one for one in content["goals"]
    ]
    return content, keyed_digest(context.key_for(plan.patient_id), canonical(content))


def content_of(context: AccessContext, patient: Patient, plan: TreatmentPlan, at: datetime) -> dict[str, Any]:
    """Return what a signature stands under: the whole plan as plain data."""
    view = plan_view(context, patient, plan, at)
    names = {one.goal.pk: one.goal.specific for one in view.goals}
    diagnoses = [one for one in diagnoses_of(patient) if one.status != "ruled_out"]
    today = local_day(patient, at)
    medications = [one for one in medications_of(patient) if not one.is_over(today)]
    context.open(diagnoses)
    context.open(medications)
    return {
        "presenting_problem": plan.presenting_problem,
        "formulation": plan.formulation or "",
        "start": plan.start.isoformat(),
        "target_end": plan.target_end.isoformat(),
        "review_interval_days": plan.review_interval_days,
        "risk_level": plan.risk_level,
        "safety_plan": _safety_words(patient, plan.safety_plan),
        "goals": [_goal_content(one) for one in view.goals],
        "interventions": [
            {
                "id": str(one.pk), "title": one.get_code_display(), "code": one.code,
                "frequency": one.get_frequency_display(), "sessions_planned": one.sessions_planned,
                "evidence_level": one.evidence_level,
                "goals": [names[key] for key in one.goals if key in names],
                "note": one.note or "", "ended_on": one.ended_on.isoformat() if one.ended_on else None,
            }
            for one in view.interventions
        ],
        "diagnoses": [
            {"id": str(one.pk), "title": f"{one.code} {one.title}", "status": one.get_status_display(),
             "onset": one.onset.isoformat() if one.onset else None}
            for one in diagnoses
        ],
        "medications": [
            {"id": str(one.pk), "name": one.name, "dose": " ".join(filter(None, (one.dose, one.unit))),
             "frequency": one.frequency or "", "status": one.get_status_display()}
            for one in medications
        ],
        "team": [
            {"id": str(one.pk), "name": one.user.full_name if one.user else "Without an account",
             "role": one.get_role_display()}
            for one in view.team
        ],
    }  # fmt: skip


def _safety_words(patient: Patient, one: SafetyPlan | None) -> str:
    if one is None or one.finished_at is None:
        return ""
    return f"Version {one.version} of {local_day(patient, one.finished_at):%-d %b %Y}"


def _goal_content(view: GoalView) -> dict[str, Any]:
    goal = view.goal
    serves = [goal.diagnosis.title] if goal.diagnosis else []
    measured = goal.instrument.title if goal.instrument else goal.metric or goal.get_measure_type_display()
    return {
        "id": str(goal.pk), "specific": goal.specific, "measure_type": goal.measure_type,
        "measured": measured, "baseline": goal.baseline, "target": goal.target,
        "steps": [f"{one.title} (weight {one.weight})" for one in view.milestones],
        "achievable_note": goal.achievable_note, "serves": [*serves, *goal.concerns],
        "due_date": goal.due_date.isoformat(), "weight": goal.weight, "status": goal.get_status_display(),
    }  # fmt: skip
