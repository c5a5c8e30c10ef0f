"""Plans for the walk: in force, changed since, and waiting for a supervisor; and who may open their pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from clinical.plans.actions import begin_plan, change_plan, decide_approval, sign_plan
from clinical.plans.allergies.actions import mark_error, save_allergy
from clinical.plans.diagnoses import actions as diagnoses
from clinical.plans.diagnoses.actions import add_diagnosis, mark_favourite
from clinical.plans.endings.actions import end_plan
from clinical.plans.goals.actions import record_progress, save_goal
from clinical.plans.interventions.actions import save_intervention
from clinical.plans.medications import actions as medications
from clinical.plans.medications.actions import save_medication
from clinical.plans.models import GoalProgress
from clinical.plans.reviews.actions import hold_review
from cortex.audit import Actor
from tests import makers

MEDICINE: dict[str, Any] = {
    "name": "Sertraline", "dose": "", "unit": "", "route": "", "frequency": "", "prn": False, "start": None,
    "stop": None, "prescriber": "", "indication": "", "status": "active", "source": "prescribed",
    "adherence": "unknown", "side_effects": "", "code_system": "", "code": "",
}  # fmt: skip

ALLERGY: dict[str, Any] = {
    "substance": "Penicillin", "kind": "allergy", "category": "medication", "criticality": "low",
    "clinical_status": "active", "verification": "unconfirmed", "source": "person", "since": None,
    "reaction": "",
}  # fmt: skip


@dataclass
class PlanRows:
    """The ids of one person's plan and of what is in it."""

    patient_id: str
    ids: dict[str, str] = field(default_factory=dict)


def begin(actor: Actor, who: UUID, words: str) -> PlanRows:
    """Write a plan with two goals, progress, an intervention, a diagnosis, a medication and allergies."""
    today = makers.now().date()
    plan = begin_plan(
        actor=actor, patient_id=who, presenting_problem=words, start=today,
        target_end=today + timedelta(days=60),
    )  # fmt: skip
    smart = {"achievable_note": words, "concerns": ["sleep"], "weight": 2, "due_date": plan.target_end}
    habit = smart | {"specific": words, "measure_type": "frequency", "metric": "Walks", "target": 5.0,
                     "window_days": 7}  # fmt: skip
    walks = save_goal(actor=actor, patient_id=who, fields=habit)
    steps = smart | {"specific": words, "measure_type": "milestone"}
    work = save_goal(actor=actor, patient_id=who, fields=steps, steps=[(words, 1)])
    entry = record_progress(actor=actor, patient_id=who, goal_id=walks.pk, value=1, observed_on=today)
    done = save_intervention(
        actor=actor, patient_id=who, code="CBT", frequency="weekly", evidence_level="A", note=words
    )
    diagnosis = add_diagnosis(actor=actor, patient_id=who, code="F33.1", status="confirmed", note=words)
    medication = save_medication(actor=actor, patient_id=who, fields=MEDICINE | {"side_effects": words})
    allergy = save_allergy(actor=actor, patient_id=who, fields=ALLERGY | {"reaction": words})
    wrong = save_allergy(actor=actor, patient_id=who, fields=ALLERGY | {"substance": "Latex"})
    mark_error(actor=actor, patient_id=who, allergy_id=wrong.pk)
    never = add_diagnosis(actor=actor, patient_id=who, code="F40.10", status="provisional")
    diagnoses.mark_error(actor=actor, patient_id=who, diagnosis_id=never.pk)
    others = save_medication(actor=actor, patient_id=who, fields=MEDICINE | {"name": "Zinc"})
    medications.mark_error(actor=actor, patient_id=who, medication_id=others.pk)
    ids = {
        "plan_id": plan.pk, "goal_id": walks.pk, "entry_id": entry.pk, "intervention_id": done.pk,
        "milestone_id": GoalProgress.objects.get(goal=work).pk, "diagnosis_id": diagnosis.pk,
        "medication_id": medication.pk, "allergy_id": allergy.pk, "wrong_id": wrong.pk,
        "never_id": never.pk, "others_id": others.pk,
    }  # fmt: skip
    return PlanRows(str(who), {name: str(pk) for name, pk in ids.items()})


def make_plans(world: Any) -> dict[str, PlanRows]:
    """Write the plans: one changed since it was signed, one in force without agreement, one that waits."""
    cast, alice = world.cast, makers.staff(world.cast.alice)
    changed = begin(alice, world.patients["contact"].pk, "mbuyuni3 plan")
    who = world.patients["contact"].pk
    sign_plan(actor=alice, patient_id=who, patient_agreed=True)
    today = makers.now().date()
    change_plan(
        actor=alice, patient_id=who, presenting_problem="mbuyuni3 anew", start=today,
        target_end=today + timedelta(days=70),
    )  # fmt: skip
    force = begin(alice, world.patients["claimed"].pk, "mbuyuni2 plan")
    sign_plan(actor=alice, patient_id=world.patients["claimed"].pk, patient_agreed=False)
    hold_review(
        actor=alice,
        patient_id=world.patients["claimed"].pk,
        patient_view="mbuyuni2 says",
        decision="continue",
    )
    mark_favourite(actor=alice, code="F40.01", keep=True)
    ended = world.patients["ended"].pk
    makers.add_to_team(world.patients["ended"], cast.sam, role="supervisor")
    waits = begin(alice, ended, "mbuyuni4 plan")
    cast.home.settings = cast.home.settings | {"plans_need_approval": True}
    cast.home.save()
    sign_plan(actor=alice, patient_id=ended, patient_agreed=True)
    # One word is there for the back office, the next version waits for its own.
    decide_approval(
        actor=makers.staff(cast.sam), patient_id=ended, version=1, approved=False, note="mbuyuni4"
    )
    sign_plan(actor=alice, patient_id=ended, patient_agreed=True)
    none = world.patients["waiting"].pk
    over = begin_plan(
        actor=alice, patient_id=none, presenting_problem="mbuyuni1 over", start=today,
        target_end=today + timedelta(days=9),
    )  # fmt: skip
    end_plan(actor=alice, patient_id=none, how="discontinue", reason="change")
    return {
        "changed": changed,
        "force": force,
        "waits": waits,
        "none": PlanRows(str(none), {"plan_id": str(over.pk)}),
    }


def plan_pairs(plans: dict[str, PlanRows], chart: Callable[..., Any]) -> dict[str, Any]:
    """Return the pairs of the pages of a plan; `chart` makes one of a page of Alice's."""
    both, today = ("GET", "POST"), makers.now().date()
    words = {"presenting_problem": "x", "start": today, "target_end": today + timedelta(days=9)}

    def of(name: str, *methods: str, keys: tuple[str, ...] = (), data: Any = None, **more: Any) -> Any:
        rows = plans[name]
        own = {key: rows.ids[key] for key in keys}
        return chart(*methods, ids={"patient_id": rows.patient_id} | own | more, data=data)

    reading = {"value": "1", "observed_on": today}
    allergy = {name: value for name, value in ALLERGY.items() if value is not None}
    changed = plans["changed"]
    undo = chart("POST", ids={"patient_id": changed.patient_id, "allergy_id": changed.ids["wrong_id"]})
    undo_diagnosis, undo_medication = (
        chart("POST", ids={"patient_id": changed.patient_id, name: changed.ids[wrong]})
        for name, wrong in (("diagnosis_id", "never_id"), ("medication_id", "others_id"))
    )
    milestone = chart("POST", ids={"entry_id": plans["changed"].ids["milestone_id"]}, data={"reached": "1"})
    return {
        "clinical:plan": of("changed", "GET"),
        "clinical:plan_begin": of("none", *both, data=words),
        "clinical:plan_edit": of("changed", *both, data=words),
        "clinical:plan_sign": of("changed", *both),
        "clinical:plan_agree": of("force", "POST", data={"version": "1"}),
        "clinical:plan_move": of("force", "POST", data={"move": "hold"}),
        "clinical:plan_end": of("force", *both, data={"how": "complete", "reason": "discharge"}),
        "clinical:plan_reopen": of("none", "POST", keys=("plan_id",)),
        "clinical:plan_print": of("changed", "GET"),
        "clinical:plan_review": of("force", *both, data={"patient_view": "x", "decision": "continue"}),
        "clinical:plan_version": of("changed", "GET", keys=("plan_id",), version="1"),
        "clinical:goal_add": of("changed", *both),
        "clinical:goal_edit": of("changed", *both, keys=("goal_id",)),
        "clinical:goal_progress": of("changed", *both, keys=("goal_id",), data=reading),
        "clinical:goal_settle": of("changed", "POST", keys=("goal_id",), data={"status": "achieved"}),
        "clinical:goal_drop": of("changed", *both, keys=("goal_id",)),
        "clinical:milestone_tick": milestone,
        "clinical:progress_take_back": of("changed", "POST", keys=("entry_id",)),
        "clinical:intervention_add": of("changed", *both),
        "clinical:intervention_edit": of("changed", *both, keys=("intervention_id",)),
        "clinical:intervention_end": of("changed", *both, keys=("intervention_id",)),
        "clinical:intervention_move": of("changed", "POST", keys=("intervention_id",), data={"move": "held"}),
        "clinical:diagnosis_add": of("changed", *both, data={"code": "F41.1", "status": "confirmed"}),
        "clinical:diagnosis_edit": of("changed", *both, keys=("diagnosis_id",), data={"status": "remission"}),
        "clinical:allergy_add": of("changed", *both, data=allergy | {"substance": "Nuts"}),
        "clinical:allergies_none_known": of("none", "POST"),
        "clinical:allergy_edit": of("changed", *both, keys=("allergy_id",), data=allergy),
        "clinical:allergy_error": of("force", "POST", keys=("allergy_id",)),
        "clinical:allergy_error_undo": undo,
        "clinical:diagnosis_error": of("force", "POST", keys=("diagnosis_id",)),
        "clinical:diagnosis_error_undo": undo_diagnosis,
        "clinical:medication_error": of("force", "POST", keys=("medication_id",)),
        "clinical:medication_error_undo": undo_medication,
        "clinical:medication_add": of("changed", *both),
        "clinical:medication_edit": of("changed", *both, keys=("medication_id",)),
    }  # fmt: skip
