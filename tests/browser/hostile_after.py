"""Hostile words of what comes after an alert: tries, a welfare check that is asked for, a step down."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from crisis.alerts.models import RiskAlert
from crisis.followups.actions import finish_follow_up
from crisis.reviews.models import ReviewItem
from crisis.stepdown.actions import ask_step_down, decide_step_down
from crisis.welfare.actions import Verdict, ask_welfare_check, decide_welfare_check
from patients.registry.models import Patient
from tests import makers
from tests.browser.hostile import Pen
from tests.cast import Cast
from tests.unit.crisis import test_step_down
from tests.unit.crisis.test_follow_ups import miss, series

# Sealed columns of the floor in which nobody's words stand, and why; everything else must be planted.
NOT_WORDS = {
    "DutyShift.phone": "a number, which a form checks", "PagerEndpoint.secret": "is shown nowhere",
    "SafetyPlan.draft": "its lines are planted as SafetyPlan.text and SafetyPlan.contact",
}  # fmt: skip


@dataclass
class After:
    """Whom it is about, the welfare check that is open, and both requests: one turned down, one open."""

    patient: Patient
    item: ReviewItem
    step_downs: tuple[UUID, UUID]

    def pages(self) -> list[str]:
        """Return what a supervisor opens."""
        return [
            f"/reviews/welfare-checks/{self.item.pk}/",
            *(f"/reviews/step-downs/{one}/" for one in self.step_downs),
        ]


def write(people: Cast, pen: Pen) -> After:
    """Somebody whom nobody reached after a critical alert, and whose level is asked to come down."""
    patient, sam, line = people.patient, makers.staff(people.sam), pen.line
    test_step_down.ended(people)
    first, *_ = series(RiskAlert.objects.get(patient=patient))
    turned_down = test_step_down.ask(people, reason=line("StepDown.reason", 400))
    decide_step_down(
        actor=sam, step_down_id=turned_down.pk, agree=False, note=line("StepDown.decision_note", 400)
    )
    makers.scope_all()
    asked = ask_step_down(
        actor=makers.staff(people.alice), patient_id=patient.pk, reason=line("StepDown.reason again", 400)
    )
    miss(first)
    finish_follow_up(
        actor=makers.staff(people.cleo), follow_up_id=first.pk, outcome="no_answer", channel="phone",
        note=line("FollowUpAttempt.note", 400),
    )  # fmt: skip
    first.refresh_from_db()
    item = _asked(people, patient, first)
    again = Verdict("try_again", line("WelfareDecision.reason", 400),
                    line("WelfareDecision.reference", 300), makers.now() + timedelta(hours=2))  # fmt: skip
    decide_welfare_check(actor=sam, item_id=item.pk, verdict=again)
    makers.scope_all()
    return After(patient, _asked(people, patient, first), (turned_down.pk, asked.pk))


def _asked(people: Cast, patient: Patient, source: object) -> ReviewItem:
    item = ask_welfare_check(
        actor=makers.machine(people.home), patient=patient, organization_id=people.home.pk,
        source=source, at=makers.now(),  # type: ignore[arg-type]
    )  # fmt: skip
    makers.scope_all()
    return item
