"""A question to a second reader never outlives what it was asked about, and never leaves an alert untimed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from cortex.audit import NotFound, RuleBroken, system
from cortex.audit.models import AuditLog
from crisis.alerts.access import pages_for
from crisis.alerts.models import AlertEvent, RiskAlert
from crisis.casework.actions import log_contact
from crisis.endings.actions import Ending, decide_review, mark_false_alarm, resolve_alert
from crisis.escalation.models import AlertStep
from crisis.ownership.actions import claim_alert
from crisis.reopening.actions import reopen_alert
from crisis.reviews.models import SecondReview
from crisis.sweep.actions import run_step
from tests.cast import Cast
from tests.makers import make_alert, make_user, now, opened, scope_all, staff
from tests.unit.crisis.test_desk_pages import get, last_seen, send, text

pytestmark = pytest.mark.django_db
SONG = Ending(verdict="not_risk_language", notes="A song")


def raised(cast: Cast, **extra: Any) -> RiskAlert:
    return make_alert(cast.patient, reason_code="H1", **{"level": "critical", **extra})


def asked(cast: Cast, at: datetime) -> tuple[RiskAlert, SecondReview]:
    """A critical alert whose owner called it a false alarm at `at`."""
    cast.on_duty()
    cast.on_duty(cast.sam)
    alert = raised(cast, at=at - timedelta(seconds=60))
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk, at=at - timedelta(seconds=30))
    mark_false_alarm(actor=staff(cast.cleo), alert_id=alert.pk, ending=SONG, at=at)
    return alert, SecondReview.objects.get(alert=alert)


def timers(alert: RiskAlert) -> dict[str, datetime]:
    alert.refresh_from_db()
    steps = AlertStep.objects.filter(alert=alert, done_at=None, epoch=alert.epoch)
    return dict(steps.values_list("kind", "due_at"))


@pytest.mark.parametrize("renotify", [True, False])
def test_new_evidence_takes_back_a_question_and_its_owner_is_timed_again(cast: Cast, renotify: bool) -> None:
    at = now()
    alert, review = asked(cast, at)
    assert set(timers(alert)) == {"review_overdue"}
    later = at + timedelta(minutes=20)
    raised(cast, renotify=renotify, at=later)
    with pytest.raises(NotFound):
        decide_review(actor=staff(cast.sam), review_id=review.pk, agreed=True, note="It is a song")
    found = timers(alert)
    assert alert.is_open
    # The owner's minutes start here: nobody could log anything that the clock asked for while it rested.
    assert found["release_claim"] == later + timedelta(minutes=5)
    assert found["warn_claim"] == later + timedelta(minutes=3)
    assert {"contact_overdue", "disposition_overdue"} <= set(found)
    for step in AlertStep.objects.due(later + timedelta(minutes=6)).order_by("due_at"):
        run_step(actor=system("sweeper"), step_id=step.pk, at=later + timedelta(minutes=6))
    alert.refresh_from_db()
    assert (alert.status, alert.assigned_to_id) == ("notified", None)


def test_an_end_takes_the_open_question_with_it(cast: Cast) -> None:
    at = now()
    alert, review = asked(cast, at)
    reader = make_user("psychiatrist", cast.home)
    cast.on_duty(reader)
    assert pages_for(reader, at).filter(pk=alert.pk).exists()
    ending = Ending("emergency_department", "Taken in", "true_crisis", follow_up_at=at + timedelta(days=1))
    resolve_alert(actor=staff(cast.cleo), alert_id=alert.pk, ending=ending, at=at + timedelta(minutes=1))
    review.refresh_from_db()
    assert (review.agreed, review.decided_by_id) == (False, None)
    assert review.decided_at is not None
    assert not pages_for(reader, at).filter(pk=alert.pk).exists()
    assert AlertEvent.objects.get(alert=alert, kind="second_review_withdrawn").codes == {"why": "ended"}
    assert AuditLog.objects.filter(event_type="review.withdrawn", object_id=review.pk).count() == 1
    reopen_alert(
        actor=staff(cast.cleo), alert_id=alert.pk, reason="She is back", at=at + timedelta(minutes=2)
    )
    assert {"release_claim", "warn_claim", "contact_overdue", "disposition_overdue"} <= set(timers(alert))
    with pytest.raises(NotFound):
        decide_review(actor=staff(cast.sam), review_id=review.pk, agreed=True, note="It is a song")


def test_the_reader_who_agrees_is_the_one_who_is_remembered(cast: Cast) -> None:
    alert, review = asked(cast, now())
    decide_review(actor=staff(cast.sam), review_id=review.pk, agreed=True, note="It is a song")
    review.refresh_from_db()
    alert.refresh_from_db()
    assert (review.agreed, review.decided_by_id, alert.status) == (True, cast.sam.pk, "false_alarm")
    assert not AlertEvent.objects.filter(alert=alert, kind="second_review_withdrawn").exists()


def test_a_question_rests_the_owner_s_timers_in_contact_too_and_gives_them_back(cast: Cast) -> None:
    at = now()
    cast.on_duty()
    alert = raised(cast, at=at)
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk, at=at)
    log_contact(actor=staff(cast.cleo), alert_id=alert.pk, at=at)
    mark_false_alarm(actor=staff(cast.cleo), alert_id=alert.pk, ending=SONG, at=at)
    assert "check_in" not in timers(alert)
    raised(cast, at=at + timedelta(minutes=1))
    assert timers(alert)["check_in"] == at + timedelta(minutes=21)


def test_only_agreeing_that_nobody_was_found_takes_a_supervisor(cast: Cast) -> None:
    cast.on_duty()
    alert = raised(cast)
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    lost = Ending("unable_to_locate", "No trace", "unsure", follow_up_at=now() + timedelta(days=1))
    resolve_alert(actor=staff(cast.cleo), alert_id=alert.pk, ending=lost)
    review = SecondReview.objects.get(alert=alert)
    with pytest.raises(RuleBroken) as refused:
        decide_review(actor=staff(cast.alice), review_id=review.pk, agreed=True, note="Tried twice")
    assert refused.value.code == "supervisor_needed"
    decide_review(actor=staff(cast.alice), review_id=review.pk, agreed=False, note="Her aunt knows more")
    alert.refresh_from_db()
    assert alert.status == "acknowledged"


def test_the_second_reader_sees_the_verdict_and_both_give_their_reasons(cast: Cast) -> None:
    alert, review = asked(cast, now())
    page = text(get(cast.sam, "alert_page", alert.pk))
    assert "The words did not mean it" in page.split("A second reader is asked")[1].split("<form")[0]
    assert "A song" in page
    client = Client()
    client.force_login(cast.sam)
    address = reverse("crisis:review_decide", args=[review.pk])
    seen = str(last_seen(alert))
    answer = client.post(address, {"agreed": "yes", "note": "", "seen": seen})
    assert answer.status_code == 422
    assert "Write a sentence about what you saw." in text(answer)
    client.post(address, {"agreed": "yes", "note": "I know the song", "seen": seen})
    scope_all()
    notes = {one.kind: opened(one, "note") for one in AlertEvent.objects.filter(alert=alert)}
    assert notes["false_alarm"] == "A song"
    assert notes["second_review_agreed"] == "I know the song"


def test_a_false_alarm_asks_why(cast: Cast) -> None:
    cast.on_duty()
    alert = raised(cast, level="high")
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    assert "Why it was a false alarm" in text(get(cast.cleo, "alert_page", alert.pk))
    answer = send(cast.cleo, alert, "false_alarm", verdict="duplicate", notes=" ")
    assert answer.status_code == 422
    assert "Say why this was a false alarm." in text(answer)
