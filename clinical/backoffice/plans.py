"""The demo's treatment plans: goals, diagnoses, medications, allergies, reviews, by the real actions."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from clinical.backoffice.actions import date_rows
from clinical.backoffice.world import Answers
from clinical.plans.actions import begin_plan, change_plan, sign_plan
from clinical.plans.allergies.actions import save_allergy, say_none_known
from clinical.plans.allergies.models import Allergy
from clinical.plans.diagnoses.actions import add_diagnosis
from clinical.plans.goals.actions import record_progress, save_goal, tick_milestone
from clinical.plans.interventions.actions import count_session, save_intervention
from clinical.plans.medications.actions import save_medication
from clinical.plans.models import Goal
from clinical.plans.queries import entries_of
from clinical.plans.reviews.actions import hold_review
from cortex.accounts.models import User
from cortex.audit.actors import Actor, actor_of_user

PROBLEMS = (
    "Low since losing work in the spring; sleeps badly, sees few friends.",
    "Worries that don't stop, most of all about school fees and the family.",
    "Since the accident afraid of buses; stays at home on most days.",
    "Grief after the death of a sister; can't take up the shop again.",
)
CODES = (("F33.1", "confirmed"), ("F41.1", "provisional"), ("F43.10", "provisional"), ("F43.21", "confirmed"))
CONCERNS = (["depression"], ["anxiety"], ["trauma"], ["grief", "work_study"])
TREATMENTS = ("BEHAVIOURAL_ACTIVATION", "CBT", "TF_CBT", "IPT")
WALKS = (
    "Walk to the market and back, with a neighbour.", "Ten minutes of breathing before supper.",
    "One stop by bus, with somebody along.", "Visit a friend or have one over.",
)  # fmt: skip
COUNTED = ("Walks", "Evenings", "Rides", "Visits")
STEPS = [
    ("Speak with the employer", 1),
    ("One morning at work", 1),
    ("Two days a week", 1),
    ("Back as before", 1),
]
MEDICINES = (("Amitriptyline", "25", "mg"), ("Sertraline", "50", "mg"), ("Paracetamol", "500", "mg"))
# Substance, kind, category, criticality, what happens; who has none of these knows of none, or wasn't asked.
ALLERGIES = (
    ("Penicillin", "allergy", "medication", "high", "Swollen face and short of breath as a child."),
    ("Groundnuts", "allergy", "food", "low", "Itching in the mouth."),
    ("Ibuprofen", "intolerance", "medication", "low", "Stomach pain."),
)
SEES = "They say that mornings are easier and that the walks help most; nights are still long."


def write_plan(therapist: User, number: int, answers: list[Answers], now: datetime, patient_id: UUID) -> None:
    """Give a fictional person a plan: one in force, a draft, an unsigned change, or none."""
    kind, sort = number % 5, number % 4
    if kind == 4:
        return
    actor, began = actor_of_user(therapist), now - timedelta(days=36)
    day = began.date()
    words: dict[str, Any] = {
        "presenting_problem": PROBLEMS[sort], "start": day, "target_end": day + timedelta(days=90),
        "formulation": "Withdrawal keeps the low mood going; what used to give strength has fallen away.",
    }  # fmt: skip
    begin_plan(actor=actor, patient_id=patient_id, at=began, **words)
    code, status = CODES[sort]
    diagnosis = add_diagnosis(actor=actor, patient_id=patient_id, code=code, status=status, at=began)
    goals = _goals(actor, patient_id, sort, diagnosis.pk, answers, began)
    save_intervention(
        actor=actor, patient_id=patient_id, code=TREATMENTS[sort], frequency="weekly", evidence_level="A",
        sessions_planned=12, goals=[one.pk for one in goals], at=began,
    )  # fmt: skip
    name, dose, unit = MEDICINES[number % len(MEDICINES)]
    medication = save_medication(
        actor=actor, patient_id=patient_id, at=began,
        fields={
            "name": name, "dose": dose, "unit": unit, "route": "oral", "frequency": "once a day",
            "prn": False, "start": day, "stop": None, "prescriber": "", "indication": "", "status": "active",
            "adherence": "partly" if number % 2 else "as_agreed", "side_effects": "", "code_system": "",
            "code": "", "source": "prescribed", "lethal_quantity": False,
        },
    )  # fmt: skip
    said = _allergies(actor, number, began, patient_id)
    date_rows(actor=actor, rows=[diagnosis, medication, *said], at=began)
    if kind == 3:
        return
    # Who was reviewed today was due tomorrow; the others are late since a week ago.
    signed = began if kind == 1 else now - timedelta(days=29)
    sign_plan(actor=actor, patient_id=patient_id, patient_agreed=number % 6 != 0, at=signed)
    _progress(actor, patient_id, number, goals, now)
    if kind != 1:
        hold_review(
            actor=actor, patient_id=patient_id, patient_view=SEES, decision="continue",
            summary="Steady so far.",
        )  # fmt: skip
    if kind == 2:
        later = words | {"target_end": day + timedelta(days=120)}
        change_plan(actor=actor, patient_id=patient_id, **later)


def _allergies(actor: Actor, number: int, at: datetime, patient_id: UUID) -> list[Allergy]:
    """Record what some people must not get, and of others that they know of nothing."""
    if number % 3 == 0:
        return [say_none_known(actor=actor, patient_id=patient_id, at=at)]
    if number % 3 == 1:
        return []
    found = []
    # One each in turn, and some people two.
    turn = number // 3
    told = [ALLERGIES[(turn + more) % len(ALLERGIES)] for more in range(2 if turn % 4 == 0 else 1)]
    for name, kind, category, criticality, reaction in told:
        fields = {
            "substance": name, "kind": kind, "category": category, "criticality": criticality,
            "clinical_status": "active", "verification": "confirmed" if kind == "allergy" else "unconfirmed",
            "reaction": reaction, "since": None, "source": "person",
        }  # fmt: skip
        found.append(save_allergy(actor=actor, patient_id=patient_id, fields=fields, at=at))
    return found


def _goals(
    actor: Actor, patient_id: UUID, sort: int, diagnosis: UUID, answers: list[Answers], at: datetime
) -> list[Goal]:
    """Return three goals: one of a measure where there is room to fall, one of a habit, one of milestones."""
    due = at.date() + timedelta(days=80)
    common = {"diagnosis": diagnosis, "concerns": CONCERNS[sort], "due_date": due}
    first = next(sum(value or 0 for value in given.values()) for key, _, given in answers if key == "phq9")
    wanted: list[tuple[dict[str, Any], list[tuple[str, int]]]] = [
        (
            {
                "specific": WALKS[sort], "measure_type": "frequency", "metric": COUNTED[sort], "target": 5.0,
                "window_days": 7, "weight": 2, "achievable_note": "They did this before; a friend helps.",
            },
            [],
        ),
        (
            {
                "specific": "Back to work, or what work means to them, step by step.",
                "measure_type": "milestone", "weight": 1,
                "achievable_note": "The employer has kept the place open until the new year.",
            },
            STEPS,
        ),
    ]  # fmt: skip
    if first >= 8:
        low = {
            "specific": "Low mood no longer rules the day.", "measure_type": "numeric", "instrument": "phq9",
            "baseline": float(first), "target": float(first // 2), "weight": 3,
            "achievable_note": "Half of those who stay with it get there in three months.",
        }  # fmt: skip
        wanted.insert(0, (low, []))
    return [
        save_goal(actor=actor, patient_id=patient_id, fields=one | common, steps=steps, at=at)
        for one, steps in wanted
    ]


def _progress(actor: Actor, patient_id: UUID, number: int, goals: list[Goal], now: datetime) -> None:
    for goal in goals:
        if goal.measure_type == "frequency":
            for back in range(1, 2 + number % 4):
                at = now - timedelta(days=back)
                record_progress(
                    actor=actor, patient_id=patient_id, goal_id=goal.pk, value=1, observed_on=at.date(), at=at
                )
        for entry in entries_of([goal])[goal.pk][: number % 4]:
            if entry.kind == "milestone":
                tick_milestone(
                    actor=actor, patient_id=patient_id, entry_id=entry.pk, reached=True,
                    at=now - timedelta(days=9),
                )  # fmt: skip
    for row in goals[0].plan.interventions.all()[:1]:
        for _ in range(1 + number % 5):
            count_session(
                actor=actor, patient_id=patient_id, intervention_id=row.pk, again=True,
                at=now - timedelta(days=1),
            )  # fmt: skip
