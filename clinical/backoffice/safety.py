"""The demo's safety plans: fictional people's own words, by the real actions; one of each kind, and none."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from clinical.backoffice import queries
from cortex.accounts.models import User
from cortex.audit.actors import actor_of_user
from cortex.clock import clock
from crisis.safetyplans.actions import Written, finish_plan, review_plan, save_draft
from crisis.safetyplans.queries import Lines, held, services_of, with_plans
from patients.registry.models import Patient
from patients.registry.queries import rows_of

PEOPLE = 8
# Whoever was handed over since has had no plan from their new therapist so long ago.
OLDEST = timedelta(days=31)
WORDS: tuple[Lines, ...] = (
    {
        "warning_signs": [("Going over old messages late at night", ""), ("Not answering Tobi", "")],
        "self_coping": [
            ("Cold shower, then the long playlist", ""), ("Walk to the canal lights and back", ""),
        ],
        "distraction_people_places": [
            ("Sam, we talk about football", "0700 900 276"), ("Choir hall, open on Sunday", ""),
        ],
        "people_to_ask": [("Tobi, my brother", "0700 900 318"), ("Aunt Bisi", "0700 900 455")],
        "safer_environment": [("The cabinet with the medicines is locked", "Tobi keeps the keys")],
        "reasons_for_living": [("My daughter starts school in January", "")],
    },
    {
        "warning_signs": [("Cancelling plans, not eating lunch", ""), ("The stone in my chest", "")],
        "self_coping": [("Walk to the reservoir", ""), ("Breathing out slowly, ten times", "")],
        "distraction_people_places": [("The library, first floor by the window", "")],
        "people_to_ask": [("Noor, she knows", "0700 900 611")],
        "safer_environment": [("Pills in weekly boxes, one week at home", "Noor brings the next one")],
    },
    {
        "warning_signs": [("Silali, nafikiria deni", "")],
        "self_coping": [("Kuosha uso kwa maji baridi, kusali", "")],
        "people_to_ask": [("Mama Wanjiru, jirani", "0700 900 702")],
        "safer_environment": [("Dawa za shamba ziko kwa jirani", "Baba Kamau")],
        "reasons_for_living": [("Watoto wangu wawili", "")],
    },
)  # fmt: skip


def make_safety_plans(staff: list[User]) -> int:
    """Let each fictional therapist write a few plans with their people, once; return how many."""
    made = 0
    for therapist in (one for one in staff if one.role == "therapist"):
        actor = actor_of_user(therapist)
        at = clock()
        people = queries.treated_by(therapist.pk, at, at - OLDEST)[:PEOPLE]
        there = with_plans(one.pk for one in people)
        for turn, patient in enumerate(one for one in people if one.pk not in there):
            if turn % 4 != 3:
                _write(actor, patient, turn)
                made += 1
    return made


def _write(actor: Any, patient: Patient, turn: int) -> None:
    """One plan: whole and gone through, whole and due, or without step 6; some are being changed."""
    now, words = clock(), WORDS[turn % len(WORDS)]
    lines = words | {"professionals_services": services_of(patient, now)}
    if turn % 4 == 2:
        lines = {key: rows for key, rows in lines.items() if key != "safer_environment"}
    days = OLDEST.days if turn % 4 == 1 else 19
    plan = finish_plan(
        actor=actor, patient_id=patient.pk, seen="", at=now - timedelta(days=days),
        written=Written(lines, turn % 5 != 4, (now + timedelta(days=20)).date()),
    )  # fmt: skip
    if turn % 4 == 0:
        review_plan(actor=actor, patient_id=patient.pk, plan_id=plan.pk, at=now - timedelta(days=7))
    if turn == 0:
        seen = held(rows_of(patient)).token
        more = lines | {"self_coping": [*lines["self_coping"], ("Ring the shop and say I come later", "")]}
        save_draft(
            actor=actor, patient_id=patient.pk, seen=seen,
            written=Written(more, created_with_patient=True, means_review_on=plan.means_review_on),
        )  # fmt: skip
