"""What must not slip through: late evidence, second presses, forgotten shifts, foreign hands."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from cortex.audit import InputRefused, NotFound, RuleBroken, system
from crisis.alerts.actions import mark_notified
from crisis.alerts.models import AlertEvent, RiskAlert
from crisis.casework.actions import log_contact
from crisis.duty.actions import end_forgotten_shift, plan_shift, resume_shift, start_shift
from crisis.duty.models import DutyShift
from crisis.duty.queries import forgotten_shift_ids, has_cover
from crisis.endings.actions import Ending, decide_review, mark_false_alarm, resolve_alert
from crisis.escalation.models import AlertStep, NotificationAttempt, SlaPolicy
from crisis.escalation.queries import policy_for
from crisis.ownership.actions import claim_alert
from crisis.policies.actions import change_policy
from crisis.reopening.actions import reopen_alert
from crisis.reviews.models import FollowUp, ReviewItem, SecondReview
from crisis.sweep.actions import report_failed_step
from crisis.welfare.actions import Verdict, decide_welfare_check
from tests.cast import Cast
from tests.makers import make_alert, now, staff

pytestmark = pytest.mark.django_db


def raised(cast: Cast, *, level: str = "critical", **extra: object) -> RiskAlert:
    return make_alert(cast.patient, level=level, reason_code="H1", **extra)


def kinds(alert: RiskAlert) -> list[str]:
    return list(AlertEvent.objects.filter(alert=alert).order_by("feed_number").values_list("kind", flat=True))


def test_new_evidence_takes_back_a_question_that_was_asked_before_it(cast: Cast) -> None:
    cast.on_duty()
    alert = raised(cast)
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    ending = Ending(verdict="not_risk_language", notes="A song")
    mark_false_alarm(actor=staff(cast.cleo), alert_id=alert.pk, ending=ending)
    review = SecondReview.objects.get(alert=alert)
    raised(cast, renotify=True)
    with pytest.raises(NotFound):
        decide_review(actor=staff(cast.sam), review_id=review.pk, agreed=True, note="It is a song")
    alert.refresh_from_db()
    assert alert.is_open


def test_a_button_pressed_after_contact_calls_again(cast: Cast) -> None:
    cast.on_duty()
    alert = raised(cast, level="high", waiting=True)
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    log_contact(actor=staff(cast.cleo), alert_id=alert.pk)
    before = NotificationAttempt.objects.filter(alert=alert).count()
    again = raised(cast, level="high", waiting=True)
    assert again.pk == alert.pk
    assert again.waiting_person
    assert NotificationAttempt.objects.filter(alert=alert).count() > before


def test_a_shift_that_nobody_ended_is_no_cover_and_is_ended(cast: Cast) -> None:
    shift = cast.on_duty()
    assert has_cover(cast.home.pk)
    long_ago = now() - timedelta(hours=5)
    DutyShift.objects.filter(pk=shift.pk).update(
        planned_start=long_ago - timedelta(hours=8), planned_end=long_ago
    )
    assert not has_cover(cast.home.pk)
    raised(cast)
    assert RiskAlert.objects.filter(kind="no_cover").exists()
    assert forgotten_shift_ids(now()) == [shift.pk]
    end_forgotten_shift(actor=system("sweeper"), shift_id=shift.pk)
    shift.refresh_from_db()
    assert shift.status == "ended"


def test_a_break_is_no_cover_and_ends_with_one_press(cast: Cast) -> None:
    shift = cast.on_duty()
    DutyShift.objects.filter(pk=shift.pk).update(status="paused", paused_at=now())
    assert not has_cover(cast.home.pk)
    resume_shift(actor=staff(cast.cleo))
    assert has_cover(cast.home.pk)


def test_a_shift_needs_the_tone(cast: Cast) -> None:
    with pytest.raises(InputRefused):
        start_shift(actor=staff(cast.cleo), shift_id=None, sound_tested=False)
    assert start_shift(actor=staff(cast.cleo), shift_id=None, sound_tested=True).status == "active"


def test_nobody_covers_a_service_that_did_not_agree(cast: Cast) -> None:
    plan = {
        "user_id": cast.cleo.pk,
        "organization_id": cast.home.pk,
        "role": "counselor",
        "planned_start": now(),
        "planned_end": now() + timedelta(hours=8),
        "covers": [cast.elsewhere.pk],
        "agreement": "typed in by ourselves",
    }
    with pytest.raises(InputRefused):
        plan_shift(actor=staff(cast.ada), **plan)
    cast.elsewhere.settings = {"covered_by": {str(cast.home.pk): "Agreement 7"}}
    cast.elsewhere.save()
    assert plan_shift(actor=staff(cast.ada), **plan).covers == [cast.home.pk, cast.elsewhere.pk]
    with pytest.raises(RuleBroken):
        plan_shift(actor=staff(cast.ada), **plan | {"user_id": cast.charlie.pk})


def test_one_services_clocks_are_its_own(cast: Cast) -> None:
    default = SlaPolicy.objects.get(organization=None, level="critical")
    change_policy(actor=staff(cast.ada), policy_id=default.pk, acknowledge_seconds=90)
    assert policy_for(cast.home.pk, "critical", waiting=False)["acknowledge_seconds"] == 90
    assert policy_for(cast.elsewhere.pk, "critical", waiting=False)["acknowledge_seconds"] == 120
    endless = [{"after": 0, "who": "on_duty"}, {"after": 100_000_000, "who": "supervisor"}]
    with pytest.raises(InputRefused):
        change_policy(actor=staff(cast.ada), policy_id=default.pk, chain=endless)


def test_a_step_that_fails_is_shown_and_somebody_is_told_once(cast: Cast) -> None:
    cast.on_duty()
    alert = raised(cast)
    step = AlertStep.objects.get(alert=alert, kind="chain", done_at=None)
    for _ in range(3):
        report_failed_step(actor=system("sweeper"), step_id=step.pk, error_code="ValueError")
    alert.refresh_from_db()
    assert alert.has_unconfirmed_step
    assert kinds(alert).count("step_failed") == 1
    assert NotificationAttempt.objects.filter(alert=alert, user=cast.sam).exists()


def test_the_mark_that_nobody_confirmed_goes_when_somebody_has_seen_it(cast: Cast) -> None:
    cast.on_duty()
    alert = raised(cast)
    RiskAlert.objects.filter(pk=alert.pk).update(status="notified", has_unconfirmed_step=True)
    mark_notified(actor=system("hub"), alert_id=alert.pk)
    alert.refresh_from_db()
    assert not alert.has_unconfirmed_step


def resolved(cast: Cast, disposition: str) -> RiskAlert:
    cast.on_duty()
    alert = raised(cast)
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    ending = Ending(
        disposition=disposition, verdict="true_crisis", notes="Done", follow_up_at=now() + timedelta(days=1)
    )
    resolve_alert(actor=staff(cast.cleo), alert_id=alert.pk, ending=ending)
    alert.refresh_from_db()
    return alert


def test_an_involuntary_admission_is_reviewed_within_a_day(cast: Cast) -> None:
    resolved(cast, "admitted_involuntary")
    item = ReviewItem.objects.get(reason_code="after_the_fact_review")
    assert item.due_at <= now() + timedelta(hours=24)


def test_only_a_supervisor_agrees_that_somebody_could_not_be_located(cast: Cast) -> None:
    alert = resolved(cast, "unable_to_locate")
    review = SecondReview.objects.get(alert=alert)
    with pytest.raises(RuleBroken) as refused:
        decide_review(actor=staff(cast.alice), review_id=review.pk, agreed=True, note="Tried twice")
    assert refused.value.code == "supervisor_needed"
    with pytest.raises(RuleBroken) as refused:
        decide_review(actor=staff(cast.sam), review_id=review.pk, agreed=True, note="Police go there")
    assert refused.value.code == "welfare_undecided"
    asked = ReviewItem.objects.get(reason_code="welfare_check")
    sent = Verdict("send", reference="Kilimani police, OB 12")
    decide_welfare_check(actor=staff(cast.sam), item_id=asked.pk, verdict=sent)
    decide_review(actor=staff(cast.sam), review_id=review.pk, agreed=True, note="Police do a welfare check")
    alert.refresh_from_db()
    assert alert.status == "resolved"


def test_reopening_takes_back_what_the_end_did(cast: Cast) -> None:
    alert = resolved(cast, "remained_community_with_plan")
    assert FollowUp.objects.filter(alert=alert, status="due").exists()
    reopen_alert(actor=staff(cast.cleo), alert_id=alert.pk, reason="She called back")
    assert not FollowUp.objects.filter(alert=alert, status="due").exists()


def test_what_a_person_saw_is_not_cached(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.sam)
    answer = client.get(f"/alerts/{raised(cast).pk}/")
    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]
