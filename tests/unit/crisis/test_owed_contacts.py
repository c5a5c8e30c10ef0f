"""What an end owes, and who may see whom for it: the series, hospitals, reviews of what was done, tries."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from cortex.accounts.models import User
from cortex.audit import RuleBroken
from crisis.alerts.models import RiskAlert
from crisis.byhand.actions import raise_for_caller
from crisis.casework.actions import log_attempt
from crisis.endings.actions import Ending, resolve_alert
from crisis.followups.actions import finish_follow_up
from crisis.ownership.actions import claim_alert
from crisis.reviews.actions import finish_item
from crisis.reviews.models import FollowUp, ReviewItem
from patients.registry import access
from tests import makers
from tests.cast import Cast
from tests.makers import make_alert, now, staff

pytestmark = pytest.mark.django_db


def ended(
    cast: Cast, *, level: str = "critical", days: float = 1, by: User | None = None,
    how: str = "remained_community_with_plan",
) -> RiskAlert:  # fmt: skip
    user = by or cast.cleo
    cast.on_duty(user)
    alert = make_alert(cast.patient, level=level)
    claim_alert(actor=staff(user), alert_id=alert.pk)
    ending = Ending(
        disposition=how, verdict="true_crisis", notes="A plan", follow_up_at=now() + timedelta(days=days)
    )
    resolve_alert(actor=staff(user), alert_id=alert.pk, ending=ending)
    makers.scope_all()
    alert.refresh_from_db()
    return alert


def labels(alert: RiskAlert) -> list[str]:
    return list(FollowUp.objects.filter(alert=alert).order_by("due_at").values_list("label", flat=True))


def test_a_first_contact_that_is_far_off_takes_the_place_of_none_before_it(cast: Cast) -> None:
    found = labels(ended(cast, days=20))
    assert found == ["24h", "72h", "7d", "14d", "first", "30d", "60d", "90d"]


def test_after_a_hospital_they_are_called_within_a_day_and_within_three_at_any_level(cast: Cast) -> None:
    found = labels(ended(cast, level="high", days=10, how="emergency_department"))
    assert found[:3] == ["24h", "48h", "72h"] and "7d" in found


def test_whoever_owes_a_contact_sees_the_person_from_a_day_before_it_until_it_is_made(cast: Cast) -> None:
    alert = ended(cast, level="high", days=2)

    def way(hours: float) -> str | None:
        return access.relationship_of(cast.cleo, cast.patient.pk, now() + timedelta(hours=hours))

    assert (way(1), way(25), way(60)) == ("claim", "follow_up", "follow_up")
    assert (
        access.relationship_of(cast.cleo, cast.patient.pk, now() + timedelta(hours=60), access.CHART) is None
    )
    other = access.relationship_of(makers.make_user("counselor", cast.home), cast.patient.pk, now())
    assert other is None
    for row in FollowUp.objects.filter(alert=alert, due_at__lt=now() + timedelta(days=3)):
        finish_follow_up(
            actor=staff(cast.cleo), follow_up_id=row.pk, outcome="reached", checks=makers.UNASKED
        )
        makers.scope_all()
    assert way(60) is None


def test_what_was_done_without_a_second_reader_is_read_by_a_clinician_who_did_not_do_it(cast: Cast) -> None:
    ended(cast, by=cast.bob, how="admitted_involuntary")
    task = ReviewItem.objects.get(reason_code="after_the_fact_review")
    cast.on_duty()
    for user, code in ((cast.bob, "own_deed"), (cast.cleo, "clinician_needed")):
        with pytest.raises(RuleBroken) as refused:
            finish_item(actor=staff(user), item_id=task.pk, outcome="no_action_needed")
        assert refused.value.code == code
        makers.scope_all()
    cast.on_duty(cast.sam)
    assert finish_item(actor=staff(cast.sam), item_id=task.pk, outcome="reviewed").done_by == cast.sam


def test_a_try_after_a_rise_answers_the_clocks_of_the_new_level(cast: Cast) -> None:
    cast.on_duty()
    alert = make_alert(cast.patient, level="high")
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    log_attempt(actor=staff(cast.cleo), alert_id=alert.pk)
    alert.refresh_from_db()
    first = alert.first_response_at
    log_attempt(actor=staff(cast.cleo), alert_id=alert.pk)
    alert.refresh_from_db()
    assert alert.first_response_at == first, "the first one counts"
    RiskAlert.objects.filter(pk=alert.pk).update(level="critical", level_since=now())
    log_attempt(actor=staff(cast.cleo), alert_id=alert.pk)
    alert.refresh_from_db()
    assert first is not None and alert.first_response_at is not None
    assert alert.first_response_at >= alert.level_since > first


def test_a_corrected_form_raises_another_alert_and_a_second_press_does_not(cast: Cast) -> None:
    other, token = makers.make_patient(cast.home), uuid4()
    cast.on_duty()
    typed = {
        "actor": staff(cast.cleo), "level": "high", "kind": "self_harm", "note": "Her sister rang.",
        "token": token,
    }  # fmt: skip
    first = raise_for_caller(**typed, pseudonym=cast.patient.anonymous_id)  # type: ignore[arg-type]
    makers.scope_all()
    assert raise_for_caller(**typed, pseudonym=cast.patient.anonymous_id).pk == first.pk  # type: ignore[arg-type]
    corrected = raise_for_caller(**typed, pseudonym=other.anonymous_id)  # type: ignore[arg-type]
    assert (corrected.pk == first.pk, corrected.patient_id) == (False, other.pk)
