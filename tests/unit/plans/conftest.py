"""A plan with three goals, ready to be signed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from clinical.plans.actions import begin_plan, sign_plan
from clinical.plans.goals.actions import save_goal
from clinical.plans.interventions.actions import save_intervention
from clinical.plans.models import Goal, PlanVersion, TreatmentPlan
from cortex.accounts.actions import update_organization
from cortex.audit import Actor
from tests import makers
from tests.cast import Cast

SMART: dict[str, Any] = {"achievable_note": "They did it before.", "concerns": ["depression"], "weight": 3}


@dataclass
class Planned:
    """Alice's plan for the patient, and its goals."""

    cast: Cast
    plan: TreatmentPlan
    mood: Goal
    walks: Goal
    work: Goal

    @property
    def alice(self) -> Actor:
        return makers.staff(self.cast.alice)

    @property
    def who(self) -> Any:
        return self.cast.patient.pk

    def fresh(self) -> TreatmentPlan:
        return TreatmentPlan.objects.get(pk=self.plan.pk)

    def sign(self, **more: Any) -> PlanVersion:
        return sign_plan(actor=self.alice, patient_id=self.who, **({"patient_agreed": True} | more))


@pytest.fixture
def planned(cast: Cast) -> Planned:
    alice, who, today = makers.staff(cast.alice), cast.patient.pk, makers.now().date()
    plan = begin_plan(
        actor=alice, patient_id=who, presenting_problem="Low since the spring.",
        start=today - timedelta(days=45), target_end=today + timedelta(days=45),
    )  # fmt: skip
    common = SMART | {"due_date": today + timedelta(days=45)}

    def goal(fields: dict[str, Any], steps: list[tuple[str, int]] | None = None) -> Goal:
        return save_goal(actor=alice, patient_id=who, fields=common | fields, steps=steps or [])

    mood = goal(
        {"specific": "Sleep through most nights.", "measure_type": "numeric", "metric": "Nights awake",
         "baseline": 18.0, "target": 9.0}
    )  # fmt: skip
    walks = goal(
        {"specific": "Walk again.", "measure_type": "frequency", "metric": "Walks", "target": 5.0,
         "window_days": 7, "weight": 2}
    )  # fmt: skip
    work = goal(
        {"specific": "Back to work.", "measure_type": "milestone", "weight": 1},
        [("Call", 1), ("Visit", 1), ("One day", 1), ("All days", 1)],
    )
    save_intervention(
        actor=alice, patient_id=who, code="CBT", frequency="weekly", evidence_level="A", goals=[mood.pk]
    )
    return Planned(cast, plan, mood, walks, work)


def setting(cast: Cast, **wanted: bool) -> None:
    cast.home.settings = cast.home.settings | wanted
    update_organization(
        actor=makers.staff(cast.ada), organization_id=cast.home.pk, settings=dict(cast.home.settings)
    )
