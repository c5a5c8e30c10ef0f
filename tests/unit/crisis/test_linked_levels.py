"""What becomes of a person's level when a caller turns out to be them, and when that was wrong."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from cortex.audit import system
from cortex.audit.models import AuditLog
from crisis.alerts.models import RiskAlert
from crisis.byhand.actions import unlink_person
from crisis.decisions.actions import apply_decisions
from crisis.intake.queries import has_waiting_alert
from crisis.ownership.actions import claim_alert
from crisis.resources.support import support_for
from crisis.reviews.models import ReviewItem
from crisis.risk.actions import evaluate_patients
from crisis.risk.models import Evidence, RiskAssessment
from tests.cast import Cast
from tests.makers import now, scope_all, staff
from tests.unit.crisis.test_linking import desk, link
from tests.unit.crisis.test_raised_by_hand import told

__all__ = ["desk"]
pytestmark = pytest.mark.django_db


def level(patient_id: Any) -> str:
    return RiskAssessment.objects.filter(patient_id=patient_id).latest("computed_at", "id").level


def look(cast: Cast, *people: Any) -> None:
    """What the sweeper does of the evaluations that a link or its undoing asks for."""
    found = evaluate_patients(actor=system("test"), patient_ids=people)
    apply_decisions(actor=system("test"), evaluations=found)
    scope_all()


def test_a_critical_level_found_on_a_caller_s_row_is_the_person_s_and_people_alone_end_it(desk: Cast) -> None:
    look(desk, desk.patient.pk)
    mine = told(desk, level="critical", third_party=True)
    assert (level(mine.patient_id), level(desk.patient.pk)) == ("critical", "low")
    Evidence.objects.filter(patient=mine.patient).update(refuted_at=now())
    link(desk, mine, desk.sam)
    look(desk, desk.patient.pk)
    assert level(desk.patient.pk) == "critical", (
        "held: nothing counts any more, and nobody said that it ended"
    )
    carried = AuditLog.objects.get(event_type="risk.level_carried")
    assert (carried.subject, carried.codes["level"]) == (desk.patient.pk, "critical")


def test_a_wrong_link_leaves_no_stranger_s_level_with_the_person(desk: Cast) -> None:
    look(desk, desk.patient.pk)
    mine = told(desk, level="critical", third_party=True)
    link(desk, mine, desk.sam)
    look(desk, desk.patient.pk)
    assert level(desk.patient.pk) == "critical"
    unlink_person(actor=staff(desk.sam), alert_id=mine.pk, reason="Another street")
    scope_all()
    look(desk, desk.patient.pk, mine.patient_id)
    assert (level(desk.patient.pk), level(mine.patient_id)) == ("low", "critical")
    assert not ReviewItem.objects.filter(reason_code="level_stands_after_end").exists()


def test_a_level_that_may_be_the_person_s_own_is_held_after_a_wrong_link_for_people_to_look_at(
    desk: Cast,
) -> None:
    look(desk, desk.patient.pk)
    mine = told(desk, level="critical", third_party=True)
    link(desk, mine, desk.sam)
    look(desk, desk.patient.pk)
    Evidence.objects.create(
        organization=desk.home, patient=desk.patient, code="TEXT_D", domain="text", tier="D",
        source_type="message", source_id=uuid4(), observed_at=now(), received_at=now(),
    )  # fmt: skip
    unlink_person(actor=staff(desk.sam), alert_id=mine.pk, reason="Another street")
    scope_all()
    look(desk, desk.patient.pk)
    assert level(desk.patient.pk) == "critical"
    task = ReviewItem.objects.get(reason_code="level_stands_after_end")
    assert (task.patient_id, task.source_id) == (desk.patient.pk, mine.pk)


def test_the_person_s_app_hears_that_somebody_has_what_was_raised_on_the_caller_s_row(desk: Cast) -> None:
    mine = told(desk, level="critical")
    claim_alert(actor=staff(desk.sam), alert_id=mine.pk)
    link(desk, mine, desk.sam)
    block = support_for(desk.home.pk, [(desk.patient.pk, "en")], now())[desk.patient.pk]
    assert block["state"] == "taken"
    assert not has_waiting_alert(desk.patient.pk, "critical")
    RiskAlert.objects.filter(pk=mine.pk).update(waiting_person=True)
    assert has_waiting_alert(desk.patient.pk, "critical"), "a second press is no second alert"
