"""Who is there: whom a step asks, what happens when the desk empties and when somebody comes back."""

from __future__ import annotations

import re
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from cortex.accounts.choices import Role
from cortex.accounts.models import User
from cortex.audit import RuleBroken
from cortex.audit.models import AuditLog
from crisis.alerts.models import AlertEvent, RiskAlert
from crisis.alerts.states import Move, allowed
from crisis.casework.actions import log_contact
from crisis.duty.actions import end_shift, plan_shift, start_shift
from crisis.duty.models import DutyShift
from crisis.duty.queries import covered_by, covering_users, has_cover, people_for
from crisis.endings.actions import Ending, resolve_alert
from crisis.escalation.models import AlertStep, NotificationAttempt
from crisis.ownership.actions import claim_alert, take_over_alert
from crisis.sweep import actions, loop, queries
from tests import stores
from tests.cast import Cast
from tests.makers import make_alert, make_user, now, scope_all, staff

pytestmark = pytest.mark.django_db


def raised(cast: Cast, level: str = "high", **extra: Any) -> RiskAlert:
    return make_alert(cast.patient, level=level, reason_code="H1", **extra)


def on_call(cast: Cast, user: User) -> DutyShift:
    shift = cast.on_duty(user)
    DutyShift.objects.filter(pk=shift.pk).update(role="on_call")
    return shift


def told(alert: RiskAlert, **which: Any) -> list[Any]:
    """Who was told of an alert, each once."""
    rows = NotificationAttempt.objects.filter(alert=alert, user__isnull=False, **which)
    return sorted(set(rows.values_list("user_id", flat=True)))


def events(alert: RiskAlert) -> list[str]:
    return list(AlertEvent.objects.filter(alert=alert).order_by("id").values_list("kind", flat=True))


# Whom a step asks


def test_whoever_is_on_call_is_asked_first_when_nobody_else_is_there(cast: Cast) -> None:
    on_call(cast, cast.alice)
    alert = raised(cast)
    assert told(alert) == [cast.alice.pk]
    assert "step_skipped" not in events(alert)


def test_the_only_counselor_is_no_second_one(cast: Cast) -> None:
    cast.on_duty()
    assert people_for("second", cast.home.pk) == []
    second = make_user(Role.COUNSELOR, cast.home)
    cast.on_duty(second)
    assert {one.pk for one in people_for("second", cast.home.pk)} == {cast.cleo.pk, second.pk}
    assert people_for("second", cast.home.pk, besides=cast.cleo.pk) == [second]


def test_nobody_is_told_about_themselves(cast: Cast) -> None:
    cast.on_duty(cast.sam)
    on_call(cast, cast.alice)
    at = now()
    alert = raised(cast, at=at)
    claim_alert(actor=staff(cast.sam), alert_id=alert.pk, at=at)
    log_contact(actor=staff(cast.sam), alert_id=alert.pk, at=at)
    step = AlertStep.objects.get(alert=alert, kind="check_in", done_at=None)
    later = at + timedelta(minutes=20, seconds=1)
    actions.run_step(actor=loop.SWEEPER, step_id=step.pk, at=later)
    assert told(alert, step=step) == [cast.alice.pk]


def test_an_off_shift_supervisor_is_asked_when_the_owner_is_the_one_on_shift(cast: Cast) -> None:
    other = make_user(Role.SUPERVISOR, cast.home)
    cast.on_duty(cast.sam)
    assert people_for("supervisor", cast.home.pk) == [cast.sam]
    assert people_for("supervisor", cast.home.pk, besides=cast.sam.pk) == [other]


def test_a_chain_ends_at_the_owner_only_when_there_is_nobody_else(cast: Cast) -> None:
    User.objects.filter(organization=cast.home).exclude(pk=cast.sam.pk).update(
        is_active=False, disabled_at=now()
    )
    assert people_for("lead", cast.home.pk, besides=cast.sam.pk) == [cast.sam]


def test_only_who_may_decide_is_asked_to_read_a_second_time(cast: Cast) -> None:
    shift = cast.on_duty()
    DutyShift.objects.filter(pk=shift.pk).update(role="supervisor")
    assert people_for("reviewer", cast.home.pk) == []
    cast.on_duty(cast.sam)
    assert people_for("reviewer", cast.home.pk) == [cast.sam]


# New signals


def test_new_signals_reach_the_owner_and_the_desk(cast: Cast) -> None:
    cast.on_duty()
    alert = raised(cast)
    claim_alert(actor=staff(cast.alice), alert_id=alert.pk)
    raised(cast, renotify=True)
    event = AlertEvent.objects.get(alert=alert, kind="renotified")
    assert told(alert, event_id=event.pk) == sorted([cast.alice.pk, cast.cleo.pk])


def test_new_signals_that_nobody_can_hear_fire_the_chain(cast: Cast) -> None:
    shift = cast.on_duty()
    alert = raised(cast)
    DutyShift.objects.filter(pk=shift.pk).update(status="ended", ended_at=now())
    before = alert.chain_position
    again = raised(cast, renotify=True)
    assert again.chain_position > before
    assert told(alert, user=cast.sam) == [cast.sam.pk]


# The owner hears of it


def test_a_warning_and_a_take_over_are_told_to_the_owner(cast: Cast) -> None:
    cast.on_duty()
    at = now()
    alert = raised(cast, at=at)
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk, at=at)
    step = AlertStep.objects.get(alert=alert, kind="warn_claim", done_at=None)
    actions.run_step(actor=loop.SWEEPER, step_id=step.pk, at=at + timedelta(minutes=16))
    warned = AlertEvent.objects.get(alert=alert, kind="claim_warned")
    assert channels(warned) == [("board", cast.cleo.pk), ("email", cast.cleo.pk)]
    take_over_alert(actor=staff(cast.sam), alert_id=alert.pk, reason="Cleo is called away")
    taken = AlertEvent.objects.get(alert=alert, kind="owner_told")
    assert channels(taken) == [("board", cast.cleo.pk), ("email", cast.cleo.pk)]


def channels(event: AlertEvent) -> list[tuple[str, Any]]:
    rows = NotificationAttempt.objects.filter(event_id=event.pk).order_by("channel")
    return list(rows.values_list("channel", "user_id"))


# The desk empties


def test_past_its_end_the_chain_calls_the_desk_too(cast: Cast) -> None:
    at = now()
    alert = raised(cast, at=at)
    assert told(alert) == [cast.sam.pk]
    cast.on_duty()
    step = AlertStep.objects.get(alert=alert, kind="chain", done_at=None)
    actions.run_step(actor=loop.SWEEPER, step_id=step.pk, at=step.due_at)
    assert told(alert, step=step) == sorted([cast.sam.pk, cast.cleo.pk])


def test_an_alert_whose_desk_was_left_does_not_wait_for_its_next_step(cast: Cast) -> None:
    shift = cast.on_duty()
    alert = raised(cast)
    assert queries.uncovered_alert_ids(now()) == []
    DutyShift.objects.filter(pk=shift.pk).update(status="ended", ended_at=now())
    loop.run_chores()
    scope_all()
    assert told(alert, user=cast.sam) == [cast.sam.pk]
    assert RiskAlert.objects.filter(kind="no_cover").exists()
    assert AuditLog.objects.filter(event_type="cover.lost", object_id=alert.pk).count() == 1
    assert queries.uncovered_alert_ids(now()) == []


# Somebody comes back


def incident(cast: Cast) -> RiskAlert:
    raised(cast)
    return RiskAlert.objects.get(kind="no_cover")


def test_an_incident_ends_by_itself_when_somebody_is_on_shift_again(cast: Cast) -> None:
    alert = incident(cast)
    cast.on_duty()
    before = NotificationAttempt.objects.filter(alert=alert).count()
    loop.run_chores()
    scope_all()
    alert.refresh_from_db()
    assert (alert.status, alert.resolved_by_id) == ("resolved", None)
    assert events(alert)[-1] == "cover_back"
    assert AuditLog.objects.filter(event_type="cover.restored", object_id=alert.pk).count() == 1
    AlertStep.objects.filter(alert=alert, done_at=None).update(due_at=now())
    loop.run_steps()
    scope_all()
    assert NotificationAttempt.objects.filter(alert=alert).count() == before, "the lead is not rung again"


def test_an_incident_stays_when_the_shift_has_ended_meanwhile(cast: Cast) -> None:
    alert = incident(cast)
    cast.on_duty()
    assert queries.covered_incident_ids(now()) == [alert.pk]
    end_shift(actor=staff(cast.cleo))
    actions.end_no_cover(actor=loop.SWEEPER, alert_id=alert.pk)
    alert.refresh_from_db()
    assert alert.is_open


def test_an_incident_that_somebody_took_stays_theirs_and_ends_with_a_note(cast: Cast) -> None:
    alert = incident(cast)
    cast.on_duty()
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    actions.end_no_cover(actor=loop.SWEEPER, alert_id=alert.pk)
    alert.refresh_from_db()
    assert (alert.status, alert.assigned_to_id) == ("acknowledged", cast.cleo.pk)
    with pytest.raises(RuleBroken):
        resolve_alert(actor=staff(cast.cleo), alert_id=alert.pk, ending=Ending())
    client = Client()
    client.force_login(cast.cleo)
    address = reverse("crisis:alert_resolve", args=[alert.pk])
    page = client.get(address).content.decode()
    assert 'name="notes"' in page
    assert 'name="disposition"' not in page
    assert 'name="verdict"' not in page
    seen = re.search(r'name="seen" value="(\d+)"', page)
    assert seen is not None
    assert client.post(address, {"notes": "I came in", "seen": seen.group(1)}).status_code == 303
    alert.refresh_from_db()
    assert alert.status == "resolved"


def test_only_the_clock_ends_an_incident_that_way(cast: Cast) -> None:
    alert = raised(cast)
    cast.on_duty()
    assert Move.COVER_BACK not in allowed("new")
    actions.end_no_cover(actor=loop.SWEEPER, alert_id=alert.pk)
    alert.refresh_from_db()
    assert alert.is_open


@pytest.mark.django_db(transaction=True, databases=["default", "keys"])
def test_a_claim_and_the_end_of_an_incident_at_once_leave_one_of_the_two(cast: Cast) -> None:
    alert = incident(cast)
    cast.on_duty()
    start, outcomes = threading.Barrier(2), []

    def race(name: str, run: Any) -> None:
        start.wait(30)
        try:
            run()
            outcomes.append(name)
        except RuleBroken as broken:
            outcomes.append(broken.code)
        finally:
            connection.close()

    def end() -> None:
        with stores.role("cortex_system"):
            actions.end_no_cover(actor=loop.SWEEPER, alert_id=alert.pk)

    racers = [("claim", lambda: claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)), ("end", end)]
    threads = [threading.Thread(target=race, args=one) for one in racers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    alert.refresh_from_db()
    if alert.status == "resolved":
        assert sorted(outcomes) == ["end", "move_not_allowed"]
        assert alert.assigned_to_id is None
    else:
        assert (alert.status, sorted(outcomes)) == ("acknowledged", ["claim", "end"])


# Agreements


def covering(cast: Cast, user: User) -> DutyShift:
    cast.elsewhere.settings = {"covered_by": {str(cast.home.pk): "Agreement 7"}}
    cast.elsewhere.save()
    return plan_shift(
        actor=staff(cast.ada), user_id=user.pk, organization_id=cast.home.pk, role="counselor",
        planned_start=now(), planned_end=now() + timedelta(hours=8), covers=[cast.elsewhere.pk],
        agreement="Agreement 7",
    )  # fmt: skip


def take_back(cast: Cast) -> None:
    cast.elsewhere.settings = {}
    cast.elsewhere.save()


def test_a_shift_covers_another_service_only_while_it_agrees(cast: Cast) -> None:
    shift = covering(cast, cast.cleo)
    start_shift(actor=staff(cast.cleo), shift_id=shift.pk, sound_tested=True)
    both = {cast.home.pk, cast.elsewhere.pk}
    assert (covered_by(cast.cleo.pk), has_cover(cast.elsewhere.pk)) == (both, True)
    assert covering_users(cast.elsewhere.pk, [cast.cleo.pk]) == {cast.cleo.pk}
    take_back(cast)
    assert (covered_by(cast.cleo.pk), has_cover(cast.elsewhere.pk)) == ({cast.home.pk}, False)
    assert covering_users(cast.elsewhere.pk, [cast.cleo.pk]) == set()
    assert has_cover(cast.home.pk)


def test_a_shift_that_starts_after_the_agreement_ended_covers_its_own_service_alone(cast: Cast) -> None:
    shift = covering(cast, cast.cleo)
    take_back(cast)
    started = start_shift(actor=staff(cast.cleo), shift_id=shift.pk, sound_tested=True)
    assert started.covers == [cast.home.pk]
