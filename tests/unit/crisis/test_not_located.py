"""A critical alert of somebody who could not be located ends only after a decision on a welfare check."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from cortex.accounts.models import User
from cortex.audit import RuleBroken
from crisis.alerts.models import AlertEvent, RiskAlert
from crisis.endings.actions import Ending, decide_review, resolve_alert
from crisis.followups.actions import ask_supervisor
from crisis.ownership.actions import claim_alert
from crisis.reviews.models import ReviewItem, SecondReview
from crisis.reviews.queries import due_for_supervisor
from crisis.welfare.actions import Verdict
from tests.cast import Cast
from tests.makers import make_alert, make_user, now, scope_all, staff
from tests.unit.crisis.test_desk_pages import get, text
from tests.unit.crisis.test_welfare_checks import NONE, SWEEPER, asked, decide, question

pytestmark = pytest.mark.django_db


def lost(cast: Cast, by: User | None = None) -> tuple[RiskAlert, SecondReview]:
    user = by or cast.cleo
    cast.on_duty(user)
    alert = make_alert(cast.patient)
    claim_alert(actor=staff(user), alert_id=alert.pk)
    ending = Ending("unable_to_locate", "No trace", "unsure", follow_up_at=now() + timedelta(days=1))
    resolve_alert(actor=staff(user), alert_id=alert.pk, ending=ending)
    return alert, SecondReview.objects.get(alert=alert)


def agree(cast: Cast, review: SecondReview) -> RiskAlert:
    return decide_review(actor=staff(cast.sam), review_id=review.pk, agreed=True, note="Nobody found")


def test_a_critical_alert_ends_as_not_located_only_after_the_decision(cast: Cast) -> None:
    alert, review = lost(cast)
    item = question()
    assert (item.owner, item.source_type, item.source_id) == (cast.sam, "alert", alert.pk)
    assert item.due_at - item.created_at < timedelta(minutes=31)
    with pytest.raises(RuleBroken) as refused:
        agree(cast, review)
    assert refused.value.code == "welfare_undecided"
    alert.refresh_from_db()
    assert alert.status == "acknowledged"
    page = text(get(cast.sam, "alert_page", alert.pk))
    assert reverse("crisis:welfare_check", args=[item.pk]) in page
    scope_all()
    decide(cast.sam, item, NONE)
    assert "send none" in text(get(cast.sam, "alert_page", alert.pk))
    scope_all()
    assert agree(cast, review).status == "resolved"
    assert AlertEvent.objects.filter(alert=alert, kind="welfare_check_dont_send").exists()


def test_sending_one_for_a_critical_alert_is_rung_back_within_two_hours(cast: Cast) -> None:
    lost(cast)
    row = decide(cast.sam, question())
    back = ReviewItem.objects.get(reason_code="welfare_check_sent")
    assert back.due_at - row.decided_at == timedelta(hours=2)


def test_whoever_asked_to_end_it_doesn_t_decide(cast: Cast) -> None:
    second = make_user("supervisor", cast.home)
    _, review = lost(cast, by=second)
    with pytest.raises(RuleBroken) as refused:
        decide(second, question())
    assert refused.value.code == "same_person"
    decide(cast.sam, question())
    assert agree(cast, review).status == "resolved"


def test_trying_again_takes_the_question_back_and_ends_nothing(cast: Cast) -> None:
    alert, review = lost(cast)
    decide(cast.sam, question(), Verdict("try_again", again_by=now() + timedelta(hours=1)))
    review.refresh_from_db()
    assert (review.agreed, review.decided_by) == (False, None)
    ending = Ending("unable_to_locate", "Still none", "unsure", follow_up_at=now() + timedelta(days=1))
    alert.refresh_from_db()
    resolve_alert(actor=staff(cast.cleo), alert_id=alert.pk, ending=ending)
    fresh = SecondReview.objects.get(alert=alert, decided_at=None)
    with pytest.raises(RuleBroken) as refused:
        agree(cast, fresh)
    assert refused.value.code == "welfare_undecided"


def test_a_decision_before_the_level_rose_says_nothing_of_now(cast: Cast) -> None:
    alert, review = lost(cast)
    decide(cast.sam, question(), NONE)
    RiskAlert.objects.filter(pk=alert.pk).update(level_since=now() + timedelta(seconds=5))
    with pytest.raises(RuleBroken) as refused:
        agree(cast, review)
    assert refused.value.code == "welfare_undecided"


def test_an_alert_s_end_takes_over_a_question_that_a_follow_up_asked(cast: Cast) -> None:
    item = asked(cast)
    before = item.due_at
    alert = make_alert(cast.patient)
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    ending = Ending("unable_to_locate", "No trace", "unsure", follow_up_at=now() + timedelta(days=1))
    resolve_alert(actor=staff(cast.cleo), alert_id=alert.pk, ending=ending)
    item = question()
    assert (item.source_type, item.source_id, item.due_at < before) == ("alert", alert.pk, True)
    assert item.next_escalation_at == item.due_at
    decide(cast.sam, item)
    assert agree(cast, SecondReview.objects.get(alert=alert)).status == "resolved"


def test_not_agreeing_puts_the_question_away(cast: Cast) -> None:
    _, review = lost(cast)
    item = question()
    decide_review(actor=staff(cast.sam), review_id=review.pk, agreed=False, note="Her aunt knows more")
    item.refresh_from_db()
    assert item.outcome == "no_action_needed"


def test_a_high_alert_asks_for_no_welfare_check(cast: Cast) -> None:
    cast.on_duty()
    alert = make_alert(cast.patient, level="high")
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    ending = Ending("unable_to_locate", "No trace", "unsure", follow_up_at=now() + timedelta(days=1))
    resolve_alert(actor=staff(cast.cleo), alert_id=alert.pk, ending=ending)
    assert not ReviewItem.objects.filter(reason_code="welfare_check").exists()
    review = SecondReview.objects.get(alert=alert)
    decided = decide_review(actor=staff(cast.alice), review_id=review.pk, agreed=True, note="Nobody found")
    assert decided.status == "resolved"


def test_a_question_that_a_follow_up_asked_comes_back_when_the_alert_ends_otherwise(cast: Cast) -> None:
    item = asked(cast)
    contact, before = item.source_id, item.due_at
    alert = make_alert(cast.patient)
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    ending = Ending("unable_to_locate", "No trace", "unsure", follow_up_at=now() + timedelta(days=1))
    resolve_alert(actor=staff(cast.cleo), alert_id=alert.pk, ending=ending)
    # It is looked at again while the alert's question stands, and stays.
    ask_supervisor(actor=SWEEPER, follow_up_id=contact, at=before)  # type: ignore[arg-type]
    review = SecondReview.objects.get(alert=alert)
    decide_review(actor=staff(cast.sam), review_id=review.pk, agreed=False, note="Her aunt knows more")
    assert not ReviewItem.objects.open().filter(reason_code="welfare_check").exists()
    later = before + timedelta(hours=2)
    assert due_for_supervisor(later) == [contact]
    ask_supervisor(actor=SWEEPER, follow_up_id=contact, at=later)  # type: ignore[arg-type]
    assert (question().source_type, question().source_id) == ("follow_up", contact)
    decide(cast.sam, question(), NONE)
    assert due_for_supervisor(later + timedelta(days=1)) == []
