"""What the clock does: the chain, confirmations, inactive claims, absent owners, second readings."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from cortex.audit import system
from cortex.ids import uuid7
from crisis.alerts.models import AlertEvent, RiskAlert
from crisis.casework.actions import log_contact, still_with_them
from crisis.duty.actions import end_shift
from crisis.endings.actions import Ending, decide_review, mark_false_alarm, resolve_alert
from crisis.escalation.actions import confirm_on_board
from crisis.escalation.models import AlertStep, NotificationAttempt
from crisis.ownership.actions import claim_alert
from crisis.reviews.models import FollowUp, SecondReview
from crisis.risk.models import Evidence
from crisis.sweep import actions, queries
from tests.cast import Cast
from tests.makers import make_alert, now, staff

pytestmark = pytest.mark.django_db
SWEEPER = system("sweeper")


def raised(cast: Cast, at: datetime, level: str = "critical", **extra: object) -> RiskAlert:
    return make_alert(cast.patient, level=level, at=at, **extra)


def sweep(at: datetime) -> list[str]:
    """Run what is due at `at`, as the sweeper would; return the kinds that ran for real."""
    ran = []
    for step in AlertStep.objects.due(at).order_by("due_at", "id"):
        actions.run_step(actor=SWEEPER, step_id=step.pk, at=at)
        step.refresh_from_db()
        if step.outcome != "stale":
            ran.append(f"{step.kind}:{step.outcome}")
    return ran


def kinds(alert: RiskAlert) -> list[str]:
    return list(AlertEvent.objects.filter(alert=alert).order_by("id").values_list("kind", flat=True))


def test_an_unclaimed_critical_alert_climbs_the_chain_until_the_lead_and_then_repeats(cast: Cast) -> None:
    cast.on_duty()
    cast.on_duty(cast.sam)
    at = now()
    alert = raised(cast, at)
    confirm(cast, alert)
    for minute in (2, 5, 10, 15, 20):
        sweep(at + timedelta(minutes=minute))
        confirm_all(alert)
    asked = [
        event.codes["who"]
        for event in AlertEvent.objects.filter(alert=alert, kind="step_fired").order_by("id")
    ]
    assert asked[0] == "supervisor"
    assert asked[-2:] == ["lead", "lead"]
    assert "step_skipped" in kinds(alert)  # nobody is on call in this cast: the step is skipped and shown


def confirm(cast: Cast, alert: RiskAlert) -> None:
    number = AlertEvent.objects.filter(alert=alert).latest("feed_number").feed_number
    confirm_on_board(actor=system("hub"), user_id=cast.cleo.pk, organization_id=cast.home.pk, number=number)


def confirm_all(alert: RiskAlert) -> None:
    NotificationAttempt.objects.filter(alert=alert).update(state="confirmed")


def test_a_critical_step_that_nobody_confirms_in_30_s_fires_the_next_one(cast: Cast) -> None:
    cast.on_duty()
    cast.on_duty(cast.sam)
    at = now()
    alert = raised(cast, at)
    assert "confirm:unconfirmed" in sweep(at + timedelta(seconds=31))
    alert.refresh_from_db()
    assert alert.has_unconfirmed_step
    assert alert.chain_position == 2
    assert "step_unconfirmed" in kinds(alert)


def test_a_confirmed_step_waits_for_its_time(cast: Cast) -> None:
    cast.on_duty()
    at = now()
    alert = raised(cast, at)
    confirm(cast, alert)
    assert sweep(at + timedelta(seconds=31)) == ["confirm:confirmed"]
    alert.refresh_from_db()
    assert alert.chain_position == 1


def test_an_inactive_claim_warns_then_releases(cast: Cast) -> None:
    cast.on_duty()
    at = now()
    alert = raised(cast, at)
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk, at=at)
    assert "warn_claim:warned" in sweep(at + timedelta(minutes=3, seconds=1))
    assert "release_claim:released" in sweep(at + timedelta(minutes=5, seconds=1))
    alert.refresh_from_db()
    assert (alert.status, alert.assigned_to_id) == ("notified", None)


def test_once_in_contact_no_timer_releases_and_the_supervisor_looks_in(cast: Cast) -> None:
    cast.on_duty()
    at = now()
    alert = raised(cast, at)
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk, at=at)
    log_contact(actor=staff(cast.cleo), alert_id=alert.pk, at=at + timedelta(minutes=1))
    ran = sweep(at + timedelta(minutes=21, seconds=1))
    assert ran == ["check_in:told"]
    still_with_them(actor=staff(cast.cleo), alert_id=alert.pk, at=at + timedelta(minutes=22))
    assert sweep(at + timedelta(minutes=41)) == []
    alert.refresh_from_db()
    assert (alert.status, alert.assigned_to_id) == ("in_contact", cast.cleo.pk)


def test_an_owner_who_leaves_before_contact_loses_the_claim_after_ten_minutes(cast: Cast) -> None:
    cast.on_duty()
    at = now()
    alert = raised(cast, at, level="high")
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk, at=at)
    end_shift(actor=staff(cast.cleo))
    assert alert.pk in queries.absent_owner_alert_ids(at)
    actions.note_owner_gone(actor=SWEEPER, alert_id=alert.pk, at=at)
    assert NotificationAttempt.objects.filter(alert=alert, user=cast.sam).exists()
    assert "owner_gone:released" in sweep(at + timedelta(minutes=10, seconds=1))
    alert.refresh_from_db()
    assert alert.assigned_to_id is None


def test_in_contact_the_owner_stays_and_the_chain_runs_beside(cast: Cast) -> None:
    cast.on_duty()
    cast.on_duty(cast.sam)
    at = now()
    alert = raised(cast, at, level="high")
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk, at=at)
    log_contact(actor=staff(cast.cleo), alert_id=alert.pk, at=at)
    actions.note_owner_gone(actor=SWEEPER, alert_id=alert.pk, at=at)
    assert "owner_gone:chain_beside" in sweep(at + timedelta(minutes=10, seconds=1))
    alert.refresh_from_db()
    assert (alert.assigned_to_id, alert.chain_beside) == (cast.cleo.pk, True)
    actions.note_owner_back(actor=SWEEPER, alert_id=alert.pk, at=at + timedelta(minutes=12))
    alert.refresh_from_db()
    assert not alert.chain_beside


def ending(**changes: object) -> Ending:
    values = {
        "disposition": "remained_community_with_plan",
        "verdict": "true_crisis",
        "notes": "Agreed to a call",
        "follow_up_at": now() + timedelta(days=1),
    } | changes
    return Ending(**values)  # type: ignore[arg-type]


def test_resolving_plans_the_follow_ups_of_the_level(cast: Cast) -> None:
    cast.on_duty()
    alert = raised(cast, now())
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    resolve_alert(actor=staff(cast.cleo), alert_id=alert.pk, ending=ending())
    labels = list(FollowUp.objects.filter(alert=alert).order_by("due_at").values_list("label", flat=True))
    assert labels == ["first", "72h", "7d", "14d", "30d", "60d", "90d"]
    alert.refresh_from_db()
    assert alert.status == "resolved"


def test_a_critical_false_alarm_waits_for_a_second_reader_who_is_somebody_else(cast: Cast) -> None:
    cast.on_duty()
    evidence = Evidence.objects.create(
        organization=cast.home,
        patient=cast.patient,
        code="TEXT_A",
        domain="text",
        tier="A",
        source_type="message",
        source_id=uuid7(),
        observed_at=now(),
        received_at=now(),
    )
    alert = raised(
        cast,
        now(),
        facts={"evidence": [evidence.pk]},
    )
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    mark_false_alarm(
        actor=staff(cast.cleo), alert_id=alert.pk, ending=Ending(verdict="not_risk_language", notes="A song")
    )
    alert.refresh_from_db()
    assert alert.status == "acknowledged"
    review = SecondReview.objects.get(alert=alert)
    decide_review(actor=staff(cast.sam), review_id=review.pk, agreed=True, note="It is a song title")
    alert.refresh_from_db()
    evidence.refresh_from_db()
    assert alert.status == "false_alarm"
    assert evidence.refuted_by_alert == alert.pk
