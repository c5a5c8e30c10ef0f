"""What the sweeper must not do: fall silent, starve a row, or speak for a question that was answered."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session

from cortex.accounts.models import SessionState, User
from cortex.audit import system
from crisis.alerts.actions import raise_alert
from crisis.alerts.models import AlertEvent, RiskAlert
from crisis.casework.actions import end_contact, log_contact, still_with_them
from crisis.endings.actions import Ending, decide_review, mark_false_alarm, resolve_alert
from crisis.escalation.models import AlertStep, NotificationAttempt
from crisis.ownership.actions import claim_alert, escalate_alert, take_over_alert
from crisis.reopening.actions import reopen_alert
from crisis.reviews.models import ReviewItem, SecondReview
from crisis.sweep import actions, loop, queries
from tests.cast import Cast
from tests.makers import now, scope_all, staff

pytestmark = pytest.mark.django_db
SWEEPER = system("sweeper")


def raised(cast: Cast, at: datetime | None = None, level: str = "critical", **extra: Any) -> RiskAlert:
    return raise_alert(
        actor=system("test"),
        organization_id=cast.home.pk,
        patient_id=extra.pop("patient_id", cast.patient.pk),
        kind="self_harm",
        level=level,
        reason_code="text_a",
        at=at,
        **extra,
    )


def sweep(at: datetime) -> list[str]:
    """Run what is due and return what really ran."""
    ran = []
    for step in AlertStep.objects.due(at).order_by("due_at", "id"):
        actions.run_step(actor=SWEEPER, step_id=step.pk, at=at)
        step.refresh_from_db()
        if step.outcome != "stale":
            ran.append(f"{step.kind}:{step.outcome}")
    return ran


def sign_in(user: User) -> None:
    """Leave what signing in leaves."""
    moment = now()
    Session.objects.create(session_key=f"key-{user.pk}"[:40], expire_date=moment + timedelta(hours=8))
    SessionState.objects.create(
        session_key=f"key-{user.pk}"[:40], user=user, started_at=moment, last_input_at=moment
    )


# The chain ends at a human


@pytest.mark.parametrize("level", ["high", "critical"])
def test_with_nobody_on_shift_somebody_is_told_at_once(cast: Cast, level: str) -> None:
    alert = raised(cast, level=level)
    told = NotificationAttempt.objects.filter(alert=alert).values_list("user_id", flat=True)
    assert set(told) == {cast.sam.pk}
    assert RiskAlert.objects.filter(kind="no_cover").count() == 1


def test_without_lead_and_supervisor_the_carers_are_told(cast: Cast) -> None:
    User.objects.filter(pk=cast.sam.pk).update(is_active=False, disabled_at=now())
    alert = raised(cast, level="high")
    told = set(NotificationAttempt.objects.filter(alert=alert).values_list("user_id", flat=True))
    assert {cast.cleo.pk, cast.alice.pk, cast.bob.pk} <= told
    assert cast.charlie.pk not in told


# One timer of each kind


def live(alert: RiskAlert) -> list[str]:
    alert.refresh_from_db()
    kinds = AlertStep.objects.filter(alert=alert, done_at=None, epoch=alert.epoch).exclude(kind="confirm")
    return sorted(kinds.values_list("kind", flat=True))


def test_escalating_beside_an_absent_owner_leaves_one_chain(cast: Cast) -> None:
    cast.on_duty()
    cast.on_duty(cast.sam)
    at = now()
    alert = raised(cast, at)
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk, at=at)
    log_contact(actor=staff(cast.cleo), alert_id=alert.pk, at=at)
    actions.note_owner_gone(actor=SWEEPER, alert_id=alert.pk, at=at)
    sweep(at + timedelta(seconds=601))
    escalate_alert(actor=staff(cast.sam), alert_id=alert.pk, reason="Now", at=at + timedelta(seconds=602))
    assert live(alert) == ["chain", "check_in", "disposition_overdue"]
    raised(cast, at + timedelta(seconds=603), waiting=True)
    assert live(alert) == ["chain", "check_in", "contact_overdue", "disposition_overdue"]


def test_an_unconfirmed_call_for_an_owned_alert_fires_the_next_and_keeps_the_owners_timers(
    cast: Cast,
) -> None:
    cast.on_duty()
    cast.on_duty(cast.sam)
    at = now()
    alert = raised(cast, at)
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk, at=at)
    escalate_alert(actor=staff(cast.cleo), alert_id=alert.pk, reason="A second voice", at=at)
    assert "confirm:unconfirmed" in sweep(at + timedelta(seconds=31))
    alert.refresh_from_db()
    assert alert.chain_position > 2
    assert {"warn_claim", "release_claim", "contact_overdue", "disposition_overdue"} <= set(live(alert))


# Owners


def test_a_therapist_without_a_shift_is_present_while_signed_in(cast: Cast) -> None:
    cast.on_duty()
    alert = raised(cast, level="high")
    claim_alert(actor=staff(cast.alice), alert_id=alert.pk)
    assert alert.pk in queries.absent_owner_alert_ids(now())
    sign_in(cast.alice)
    assert alert.pk not in queries.absent_owner_alert_ids(now())


def test_a_counselor_who_ended_the_shift_after_the_claim_is_gone_although_signed_in(cast: Cast) -> None:
    shift = cast.on_duty()
    alert = raised(cast, level="high")
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    sign_in(cast.cleo)
    assert alert.pk not in queries.absent_owner_alert_ids(now())
    type(shift).objects.filter(pk=shift.pk).update(status="ended", ended_at=now())
    assert alert.pk in queries.absent_owner_alert_ids(now())


def test_a_session_that_ended_in_the_store_counts_as_gone(cast: Cast) -> None:
    cast.on_duty()
    alert = raised(cast, level="high")
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    sign_in(cast.cleo)
    Session.objects.all().delete()
    assert alert.pk in queries.absent_owner_alert_ids(now())


# Questions and ends


def ending(at: datetime) -> Ending:
    return Ending(
        disposition="emergency_department", verdict="true_crisis", notes="Went with a friend",
        follow_up_at=at + timedelta(days=1),
    )  # fmt: skip


def test_an_old_questions_timer_does_not_speak_for_a_new_one(cast: Cast) -> None:
    cast.on_duty()
    at = now()
    alert = raised(cast, at)
    alarm = Ending(verdict="not_risk_language", notes="A song")
    cleo = staff(cast.cleo)
    claim_alert(actor=cleo, alert_id=alert.pk, at=at)
    mark_false_alarm(actor=cleo, alert_id=alert.pk, ending=alarm, at=at)
    first = SecondReview.objects.get(alert=alert)
    later = at + timedelta(minutes=20)
    decide_review(actor=staff(cast.sam), review_id=first.pk, agreed=False, note="She means it", at=later)
    mark_false_alarm(actor=cleo, alert_id=alert.pk, ending=alarm, at=later)
    assert "review_overdue:decided" in sweep(at + timedelta(minutes=31))
    assert not AlertEvent.objects.filter(alert=alert, kind="review_overdue").exists()
    ran = sweep(at + timedelta(minutes=51))
    assert [one for one in ran if one.startswith("review_overdue")] == ["review_overdue:told"]


def test_a_taken_over_alert_is_not_ended_by_the_answer_to_its_former_owner(cast: Cast) -> None:
    cast.on_duty()
    alert = raised(cast)
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    mark_false_alarm(
        actor=staff(cast.cleo), alert_id=alert.pk, ending=Ending(verdict="unsure", notes="Perhaps a song")
    )
    take_over_alert(actor=staff(cast.sam), alert_id=alert.pk, reason="I know her")
    assert not SecondReview.objects.filter(alert=alert, decided_at=None).exists()


def test_the_look_a_day_after_belongs_to_the_last_end(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "current_level", lambda _: "high")
    cast.on_duty()
    at, cleo = now(), staff(cast.cleo)
    alert = raised(cast, at)
    claim_alert(actor=cleo, alert_id=alert.pk, at=at)
    resolve_alert(actor=cleo, alert_id=alert.pk, ending=ending(at), at=at)
    again = at + timedelta(hours=5)
    reopen_alert(actor=cleo, alert_id=alert.pk, reason="She called", at=again)
    resolve_alert(actor=cleo, alert_id=alert.pk, ending=ending(again), at=again)
    assert "still_high:settled" in sweep(at + timedelta(hours=24, minutes=1))
    assert not ReviewItem.objects.filter(reason_code="level_stands_after_end").exists()
    assert "still_high:review_item" in sweep(again + timedelta(hours=24, minutes=1))


def test_reopening_starts_every_clock_again(cast: Cast) -> None:
    cast.on_duty()
    at, cleo = now(), staff(cast.cleo)
    alert = raised(cast, at)
    claim_alert(actor=cleo, alert_id=alert.pk, at=at)
    log_contact(actor=cleo, alert_id=alert.pk, at=at)
    resolve_alert(actor=cleo, alert_id=alert.pk, ending=ending(at), at=at)
    again = at + timedelta(hours=2)
    reopen_alert(actor=cleo, alert_id=alert.pk, reason="She called", at=again)
    alert.refresh_from_db()
    assert (alert.first_response_at, alert.contact_at, alert.acknowledged_at) == (None, None, again)
    due = dict(
        AlertStep.objects.filter(alert=alert, done_at=None, epoch=alert.epoch).values_list("kind", "due_at")
    )
    assert due["contact_overdue"] == again + timedelta(minutes=5)
    assert due["disposition_overdue"] == again + timedelta(hours=1)


def test_a_level_that_stands_a_day_after_a_false_alarm_is_a_task_too(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "current_level", lambda _: "critical")
    cast.on_duty()
    at, cleo = now(), staff(cast.cleo)
    alert = raised(cast, at)
    claim_alert(actor=cleo, alert_id=alert.pk, at=at)
    song = Ending(verdict="not_risk_language", notes="A song")
    mark_false_alarm(actor=cleo, alert_id=alert.pk, ending=song, at=at)
    review = SecondReview.objects.get(alert=alert)
    decide_review(actor=staff(cast.sam), review_id=review.pk, agreed=True, note="A song", at=at)
    assert "still_high:review_item" in sweep(at + timedelta(hours=24, minutes=1))
    assert ReviewItem.objects.get(reason_code="level_stands_after_end").owner_id == cast.cleo.pk


def test_who_presses_again_during_and_after_a_contact_is_called_back_by_the_clock_of_first_contacts(
    cast: Cast,
) -> None:
    cast.on_duty()
    at, cleo = now(), staff(cast.cleo)
    alert = raised(cast, at, waiting=True)
    claim_alert(actor=cleo, alert_id=alert.pk, at=at)
    log_contact(actor=cleo, alert_id=alert.pk, at=at)

    def presses(minute: float) -> datetime:
        moment = at + timedelta(minutes=minute)
        raised(cast, moment, waiting=True)
        alert.refresh_from_db()
        return moment

    def told(moment: datetime) -> bool:
        # The first round may fire the next step of a call that nobody confirmed, and with it set all anew.
        return "contact_overdue:told" in [*sweep(moment), *sweep(moment)]

    during = presses(5)
    assert (alert.level_since, alert.waiting_person, alert.status) == (during, True, "in_contact")
    assert told(during + timedelta(minutes=6)), "nobody answered the button"
    still_with_them(actor=cleo, alert_id=alert.pk, at=during + timedelta(minutes=7))
    alert.refresh_from_db()
    assert not alert.waiting_person, "its owner says that they talk"
    presses(14)
    end_contact(actor=cleo, alert_id=alert.pk, at=at + timedelta(minutes=15))
    alert.refresh_from_db()
    assert (alert.waiting_person, alert.status) == (False, "monitoring")
    assert not told(at + timedelta(minutes=22))
    after = presses(23)
    assert (alert.level_since, alert.waiting_person, alert.status) == (after, True, "monitoring")
    assert told(after + timedelta(minutes=6))
    log_contact(actor=cleo, alert_id=alert.pk, at=after + timedelta(minutes=7))
    alert.refresh_from_db()
    assert not alert.waiting_person


# The loop


def test_a_row_that_fails_in_any_way_stops_no_other(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    cast.on_duty()
    alert = raised(cast, level="high")
    AlertStep.objects.filter(alert=alert, done_at=None).update(due_at=now() - timedelta(seconds=1))
    bad = AlertStep.objects.create(
        organization=cast.home, alert=alert, kind="warn_claim", epoch=alert.epoch,
        due_at=now() - timedelta(hours=1),
    )  # fmt: skip

    def explode(*_: object) -> str:
        raise AttributeError("a defect of ours")

    monkeypatch.setitem(actions.HANDLERS, bad.kind, explode)
    loop.sweep_once()
    scope_all()
    bad.refresh_from_db()
    assert (bad.done_at, bad.tries) == (None, 1)
    assert bad.due_at > now()
    alert.refresh_from_db()
    assert alert.chain_position == 3  # a second counselor isn't there: the supervisor was asked at once


def test_no_failure_ends_a_thread_of_the_sweeper() -> None:
    sweeper, rounds = loop.Sweeper(), []

    def work() -> int:
        rounds.append(1)
        if len(rounds) > 1:
            sweeper.stopping.set()
        raise TypeError("a defect of ours")

    thread = threading.Thread(target=sweeper._repeat, args=("mails", work))
    thread.start()
    thread.join(30)
    assert (len(rounds), thread.is_alive()) == (2, False)


def test_the_sweeper_looks_at_the_timetable_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[Any] = []
    monkeypatch.setattr(loop, "catch_up", lambda **words: looks.append(words["actor"]) or 1)
    sweeper = loop.Sweeper()
    assert [sweeper._timetable() for _ in range(3)] == [1, 0, 0]
    sweeper._caught_up -= loop.CATCH_UP_EVERY
    assert sweeper._timetable() == 1
    assert looks == [loop.SWEEPER] * 2
