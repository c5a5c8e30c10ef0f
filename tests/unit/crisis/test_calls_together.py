"""Due calls of one organization run in one transaction, and each ends as it would have ended alone."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from cortex.audit.models import AuditLog
from crisis.alerts.models import AlertEvent, RiskAlert
from crisis.duty.models import DutyShift
from crisis.escalation import firing
from crisis.escalation.models import AlertStep, NotificationAttempt
from crisis.sweep import loop, queries
from crisis.sweep.calls.actions import run_calls
from patients.registry.queries import locked as lock_patients
from tests.cast import Cast
from tests.makers import make_alert, make_patient, now, scope_all

pytestmark = pytest.mark.django_db


def raised(cast: Cast, count: int, level: str = "critical") -> list[RiskAlert]:
    return [make_alert(make_patient(cast.home), level=level, reason_code="H1") for _ in range(count)]


def due(alerts: Iterable[RiskAlert], kind: str = "chain") -> list[AlertStep]:
    """The waiting step of this kind of each alert, due since just now, and none of another kind."""
    steps = AlertStep.objects.filter(alert__in=list(alerts), done_at=None)
    steps.exclude(kind=kind).update(due_at=now() + timedelta(hours=1))
    steps.filter(kind=kind).update(due_at=now() - timedelta(seconds=1))
    return list(steps.filter(kind=kind))


def run(cast: Cast, steps: list[AlertStep]) -> tuple[int, list[Any]]:
    ran, left = run_calls(
        actor=loop.SWEEPER, organization_id=cast.home.pk, step_ids=[one.pk for one in steps]
    )
    scope_all()
    return ran, left


def outcomes(steps: list[AlertStep]) -> set[str]:
    return set(AlertStep.objects.filter(pk__in=[one.pk for one in steps]).values_list("outcome", flat=True))


def test_calls_cost_the_same_statements_however_many_they_are(cast: Cast) -> None:
    cast.on_duty()
    cast.on_duty(cast.sam)
    counts = []
    for number in (2, 8):
        steps = due(raised(cast, number))
        with CaptureQueriesContext(connection) as asked:
            assert run(cast, steps) == (number, [])
        counts.append(len(asked))
    assert counts[0] == counts[1] < 30


def test_each_call_of_a_batch_is_told_recorded_numbered_and_timed_anew(cast: Cast) -> None:
    cast.on_duty()
    cast.on_duty(cast.sam)
    alerts = raised(cast, 3)
    steps = due(alerts)
    run(cast, steps)
    assert outcomes(steps) == {"fired"}
    for alert in alerts:
        told = NotificationAttempt.objects.filter(alert=alert, step__in=steps)
        assert set(told.values_list("user", "channel")) == {(cast.sam.pk, "board"), (cast.sam.pk, "email")}
        event = AlertEvent.objects.filter(alert=alert).latest("feed_number")
        assert (event.kind, event.codes["who"], event.pk) == ("step_fired", "supervisor", told[0].event_id)
        alert.refresh_from_db()
        assert alert.chain_position == 2
        waiting = AlertStep.objects.filter(alert=alert, done_at=None, position=2)
        assert sorted(waiting.values_list("kind", flat=True)) == ["chain", "confirm"]
        verbs = AuditLog.objects.filter(object_id=alert.pk, event_type__in=["step.run", "alert.step_fired"])
        assert verbs.filter(event_type="step.run").count() == 1
        assert verbs.filter(event_type="alert.step_fired").count() == 2  # the first when it was raised
    numbers = list(AlertEvent.objects.order_by("feed_number").values_list("feed_number", flat=True))
    assert numbers == list(range(1, len(numbers) + 1))


def test_whoever_left_before_the_batch_is_not_asked(cast: Cast) -> None:
    shift = cast.on_duty()
    cast.on_duty(cast.sam)
    alerts = raised(cast, 2)
    RiskAlert.objects.update(chain_position=4)
    first, second = due(alerts)
    run(cast, [first])
    DutyShift.objects.filter(pk=shift.pk).update(status="ended", ended_at=now())
    run(cast, [second])
    beside = NotificationAttempt.objects.filter(channel="board")
    assert set(beside.filter(step=first).values_list("user", flat=True)) == {cast.cleo.pk, cast.sam.pk}
    assert set(beside.filter(step=second).values_list("user", flat=True)) == {cast.sam.pk}


def test_an_empty_desk_opens_one_incident_for_the_whole_batch(cast: Cast) -> None:
    shift = cast.on_duty()
    alerts = raised(cast, 3)
    DutyShift.objects.filter(pk=shift.pk).update(status="ended", ended_at=now())
    steps = due(alerts)
    assert run(cast, steps) == (3, [])
    assert RiskAlert.objects.filter(kind="no_cover").count() == 1
    told = NotificationAttempt.objects.filter(step__in=steps, channel="board")
    assert set(told.values_list("user", flat=True)) == {cast.sam.pk}


def test_confirmed_steps_end_together_and_an_unconfirmed_one_fires_the_next_alone(cast: Cast) -> None:
    cast.on_duty()
    cast.on_duty(cast.sam)
    heard, unheard, ended = raised(cast, 3)
    NotificationAttempt.objects.filter(alert=heard).update(state="confirmed")
    RiskAlert.objects.filter(pk=ended.pk).update(chain_position=4)
    steps = due([heard, unheard, ended], "confirm")
    ran, left = run(cast, steps)
    assert (ran, left) == (2, [one.pk for one in steps if one.alert_id == unheard.pk])
    found = AlertStep.objects.filter(pk__in=[one.pk for one in steps])
    ends = dict(found.values_list("alert_id", "outcome"))
    assert ends == {heard.pk: "confirmed", ended.pk: "unconfirmed", unheard.pk: ""}
    ended.refresh_from_db()
    assert ended.has_unconfirmed_step
    loop.run_steps()
    scope_all()
    unheard.refresh_from_db()
    assert (unheard.chain_position, outcomes(steps)) == (2, {"confirmed", "unconfirmed"})


def test_a_call_that_raises_an_error_takes_no_other_down(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    cast.on_duty()
    alerts = raised(cast, 3)
    steps, bad, real = due(alerts), alerts[1].pk, firing.call

    def call(ears: Any, written: Any, alert: RiskAlert, *args: Any, **kwargs: Any) -> int:
        if alert.pk == bad:
            raise AttributeError("a defect of ours")
        return real(ears, written, alert, *args, **kwargs)

    monkeypatch.setattr(firing, "call", call)
    loop.run_steps()
    scope_all()
    states = {
        one.alert_id: (one.done_at is not None, one.tries)
        for one in AlertStep.objects.filter(pk__in=[one.pk for one in steps])
    }
    assert states == {alert.pk: (alert.pk != bad, int(alert.pk == bad)) for alert in alerts}
    assert AlertEvent.objects.filter(alert_id=bad, kind="step_failed").count() == 1


def test_a_step_of_an_earlier_epoch_ends_as_stale_and_calls_nobody(cast: Cast) -> None:
    cast.on_duty()
    alerts = raised(cast, 2)
    RiskAlert.objects.filter(pk=alerts[0].pk).update(epoch=9)
    steps = due(alerts)
    run(cast, steps)
    old = [one for one in steps if one.alert_id == alerts[0].pk]
    assert outcomes(old) == {"stale"}
    assert not NotificationAttempt.objects.filter(step__in=old).exists()


@pytest.mark.django_db(transaction=True, databases=["default", "keys"])
def test_a_batch_waits_for_nobody_who_works_on_one_of_its_people(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "LOCK_WAIT", "200ms")
    cast.on_duty()
    alerts = raised(cast, 3)
    steps = due(alerts)
    holds, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            scope_all()
            lock_patients([alerts[0].patient_id])
            holds.set()
            done.wait(120)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert holds.wait(30)
    try:
        ran, left = run(cast, steps)
    finally:
        done.set()
        thread.join(30)
    assert (ran, left) == (2, [one.pk for one in steps if one.alert_id == alerts[0].pk])
    loop.run_steps()
    scope_all()
    assert outcomes(steps) == {"fired"}
