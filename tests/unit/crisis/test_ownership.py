"""Who owns an alert: claims, conflicts, releases and take-overs, each with its row, verb and event."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cortex.audit import NotFound, RuleBroken
from cortex.audit.models import AuditLog
from crisis.alerts.models import AlertEvent, RiskAlert
from crisis.escalation.models import AlertStep, NotificationAttempt
from crisis.ownership.actions import claim_alert, escalate_alert, release_alert, take_over_alert
from tests.cast import Cast
from tests.makers import make_alert, now, staff

pytestmark = pytest.mark.django_db


def raised(cast: Cast, level: str = "critical", **extra: object) -> RiskAlert:
    return make_alert(cast.patient, level=level, **extra)


def verbs(alert: RiskAlert) -> list[str]:
    return list(
        AuditLog.objects.filter(object_id=alert.pk).order_by("id").values_list("event_type", flat=True)
    )


def kinds(alert: RiskAlert) -> list[str]:
    return list(AlertEvent.objects.filter(alert=alert).order_by("feed_number").values_list("kind", flat=True))


def test_a_raised_alert_tells_everybody_on_duty_and_sets_the_next_step(cast: Cast) -> None:
    cast.on_duty()
    alert = raised(cast)
    told = NotificationAttempt.objects.filter(alert=alert, user=cast.cleo).values_list("channel", flat=True)
    assert set(told) == {"board", "email"}
    assert kinds(alert) == ["raised"]
    assert verbs(alert) == ["alert.raised", "alert.step_fired"]
    waiting = AlertStep.objects.filter(alert=alert, done_at=None).values_list("kind", flat=True)
    assert sorted(waiting) == ["chain", "confirm"]


def test_feed_numbers_have_no_gap(cast: Cast) -> None:
    cast.on_duty()
    alert = raised(cast)
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    numbers = list(AlertEvent.objects.order_by("feed_number").values_list("feed_number", flat=True))
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_second_claimer_learns_who_has_it_and_since_when(cast: Cast) -> None:
    cast.on_duty()
    cast.on_duty(cast.sam)
    alert = raised(cast)
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    with pytest.raises(RuleBroken) as refused:
        claim_alert(actor=staff(cast.sam), alert_id=alert.pk)
    assert refused.value.code == "already_claimed"
    assert refused.value.extra["owner"] == "Cleo Cherono"
    assert refused.value.extra["since"]
    assert "take_over" in refused.value.extra["allowed"]


def test_claiming_twice_changes_nothing(cast: Cast) -> None:
    cast.on_duty()
    alert = raised(cast)
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    assert verbs(alert).count("alert.claimed") == 1


def test_a_claim_takes_all_open_alerts_of_that_person(cast: Cast) -> None:
    cast.on_duty()
    first = raised(cast)
    second = make_alert(cast.patient, kind="medical")
    claim_alert(actor=staff(cast.cleo), alert_id=first.pk)
    second.refresh_from_db()
    assert second.assigned_to_id == cast.cleo.pk


def test_a_stranger_is_told_that_there_is_nothing(cast: Cast) -> None:
    alert = raised(cast)
    for stranger in (cast.bob, cast.charlie):
        with pytest.raises(NotFound):
            claim_alert(actor=staff(stranger), alert_id=alert.pk)


def test_a_release_lets_the_chain_resume_where_it_stood(cast: Cast) -> None:
    cast.on_duty()
    at = now()
    alert = raised(cast, at=at)
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk, at=at + timedelta(seconds=30))
    release_alert(
        actor=staff(cast.cleo), alert_id=alert.pk, reason="Two at once", at=at + timedelta(seconds=60)
    )
    alert.refresh_from_db()
    assert (alert.status, alert.assigned_to_id, alert.chain_position) == ("notified", None, 1)
    step = AlertStep.objects.get(alert=alert, kind="chain", done_at=None, epoch=alert.epoch)
    assert step.due_at == at + timedelta(seconds=120)


def test_a_take_over_needs_a_reason_and_keeps_the_state(cast: Cast) -> None:
    cast.on_duty()
    alert = raised(cast)
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    with pytest.raises(RuleBroken):
        take_over_alert(actor=staff(cast.sam), alert_id=alert.pk, reason=" ")
    take_over_alert(actor=staff(cast.sam), alert_id=alert.pk, reason="Cleo is called away")
    alert.refresh_from_db()
    assert (alert.status, alert.assigned_to_id) == ("acknowledged", cast.sam.pk)


def test_a_rising_level_restarts_the_clocks_on_the_same_alert(cast: Cast) -> None:
    cast.on_duty()
    at = now()
    alert = raised(cast, level="high", at=at)
    again = raised(cast, level="critical", at=at + timedelta(minutes=10))
    assert again.pk == alert.pk
    assert again.level == "critical"
    assert again.level_since == at + timedelta(minutes=10)
    assert again.claim_due_at == at + timedelta(minutes=12)
    assert "level_raised" in kinds(alert)


def test_a_level_never_falls_by_more_evidence(cast: Cast) -> None:
    cast.on_duty()
    raised(cast, level="critical")
    assert raised(cast, level="high").level == "critical"


def test_without_cover_the_last_step_fires_and_the_incident_is_raised(cast: Cast) -> None:
    alert = raised(cast)
    incident = RiskAlert.objects.get(kind="no_cover")
    assert incident.level == "high"
    told = NotificationAttempt.objects.filter(alert=alert, channel="email").values_list("user_id", flat=True)
    assert list(told) == [cast.sam.pk]


def test_escalating_by_hand_fires_the_next_step_and_keeps_the_owner(cast: Cast) -> None:
    cast.on_duty()
    cast.on_duty(cast.sam)
    alert = raised(cast)
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    escalate_alert(actor=staff(cast.cleo), alert_id=alert.pk, reason="I need a second voice")
    alert.refresh_from_db()
    assert (alert.status, alert.assigned_to_id, alert.chain_position) == ("acknowledged", cast.cleo.pk, 2)
    event = AlertEvent.objects.get(alert=alert, kind="escalated")
    assert NotificationAttempt.objects.filter(event_id=event.pk, user=cast.sam, channel="board").exists()
