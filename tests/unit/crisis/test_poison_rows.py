"""A row that can't be run, or not even reported, holds up nobody else's."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from cortex.audit.models import AuditLog
from crisis.alerts.models import RiskAlert
from crisis.escalation.actions import finish_stale_steps
from crisis.escalation.models import AlertStep
from crisis.risk.models import RiskDue
from crisis.sweep import actions, loop, queries
from patients.registry.queries import locked as lock_patients
from tests.cast import Cast
from tests.makers import make_alert, make_patient, now, scope_all

pytestmark = pytest.mark.django_db


def raised(cast: Cast, patient: Any = None, level: str = "high") -> RiskAlert:
    return make_alert(patient or cast.patient, level=level, reason_code="H1")


def due_step(alert: RiskAlert, kind: str = "warn_claim", ago: timedelta = timedelta(hours=1)) -> AlertStep:
    """A step of the alert's present epoch that should have run `ago`."""
    return AlertStep.objects.create(
        organization=alert.organization, alert=alert, kind=kind, epoch=alert.epoch, due_at=now() - ago
    )


def explode(*_: object, **__: object) -> str:
    raise AttributeError("a defect of ours")


def test_a_step_whose_failure_cannot_be_reported_is_put_off_and_stops_nothing(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    cast.on_duty()
    bad = due_step(raised(cast))
    good = due_step(raised(cast, make_patient(cast.home)), "contact_overdue", timedelta(minutes=1))
    monkeypatch.setitem(actions.HANDLERS, bad.kind, explode)
    monkeypatch.setattr(actions, "report_failed_step", explode)
    loop.run_steps()
    scope_all()
    bad.refresh_from_db()
    good.refresh_from_db()
    assert (bad.done_at, bad.tries, bad.due_at > now()) == (None, 1, True)
    assert good.outcome == "told"
    assert AuditLog.objects.filter(event_type="step.put_off").exists()


def test_a_step_that_was_put_off_first_is_still_reported_later(cast: Cast) -> None:
    cast.on_duty()
    alert = raised(cast)
    step = due_step(alert)
    actions.put_step_off(actor=loop.SWEEPER, step_id=step.pk, error_code="ValueError", busy=False)
    for _ in range(2):
        actions.report_failed_step(actor=loop.SWEEPER, step_id=step.pk, error_code="ValueError")
    assert list(alert.events.filter(kind="step_failed").values_list("codes__kind", flat=True)) == [step.kind]


def test_a_chore_that_cannot_even_ask_stops_no_other(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    chores = (
        ("broken", explode, lambda _: None),
        ("sound", lambda _: [cast.patient.pk], lambda _: done.append("sound")),
    )
    monkeypatch.setattr(loop, "CHORES", chores)
    assert (loop.run_chores(), done) == (1, ["sound"])


def test_unreadable_leads_stop_no_chain(cast: Cast) -> None:
    for leads in (5, "not a list", [None, "no id", {}]):
        cast.home.settings = {"leads": leads}
        cast.home.save()
        alert = raised(cast, make_patient(cast.home), level="critical")
        assert alert.notifications.filter(user=cast.sam).exists()


# Evaluations


def due_evaluation(cast: Cast, patient: Any = None) -> RiskDue:
    patient = patient or cast.patient
    return RiskDue.objects.create(
        organization=cast.home, patient=patient, reason_code="level_watch", due_at=now() - timedelta(hours=1)
    )


def test_an_evaluation_that_fails_waits_longer_each_time_and_people_are_told_once(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    cast.on_duty()
    due = due_evaluation(cast)
    monkeypatch.setattr(actions, "take_due", explode)
    pauses = []
    for _ in range(3):
        RiskDue.objects.filter(pk=due.pk).update(due_at=now() - timedelta(seconds=1))
        loop.run_chores()
        scope_all()
        due.refresh_from_db()
        pauses.append(round((due.due_at - now()).total_seconds() / 30))
    assert (pauses, due.attempts, due.done_at) == ([1, 2, 4], 3, None)
    (alert,) = RiskAlert.objects.filter(patient=cast.patient)
    assert (alert.kind, alert.level, alert.source) == ("could_not_screen", "high", "system")
    assert [event.kind for event in alert.events.all()].count("raised") == 1
    assert not alert.events.filter(kind="evidence_added").exists()


def test_an_evaluation_that_fails_does_not_starve_the_others(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, other = due_evaluation(cast), due_evaluation(cast, make_patient(cast.home))
    real = actions.take_due

    def take(**values: Any) -> Any:
        return explode() if values["due_id"] == bad.pk else real(**values)

    monkeypatch.setattr(actions, "take_due", take)
    monkeypatch.setattr(actions, "report_failed_evaluation", explode)
    loop.run_chores()
    scope_all()
    bad.refresh_from_db()
    other.refresh_from_db()
    assert (bad.done_at, bad.due_at > now()) == (None, True)
    assert other.done_at is not None


# Locks


@contextmanager
def frozen(cast: Cast) -> Iterator[None]:
    """A transaction elsewhere that holds the cast's patient and doesn't move."""
    holds, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            scope_all()
            lock_patients([cast.patient.pk])
            holds.set()
            done.wait(120)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert holds.wait(30)
    try:
        yield
    finally:
        done.set()
        thread.join(30)


@pytest.mark.django_db(transaction=True, databases=["default", "keys"])
def test_a_frozen_transaction_holds_up_its_own_person_only(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "LOCK_WAIT", "200ms")
    cast.on_duty()
    held = raised(cast)
    first, second = due_step(held), due_step(held, "contact_overdue")
    free = due_step(raised(cast, make_patient(cast.home)), "contact_overdue", timedelta(minutes=1))
    queries.wait_briefly()
    with frozen(cast):
        loop.run_steps()
        scope_all()
        states = {
            step.pk: (step.done_at is not None, step.tries)
            for step in AlertStep.objects.filter(pk__in=[first.pk, second.pk, free.pk])
        }
    assert states == {first.pk: (False, 1), second.pk: (False, 1), free.pk: (True, 0)}
    AlertStep.objects.filter(pk=second.pk).update(due_at=now() - timedelta(seconds=1))
    loop.run_steps()
    scope_all()
    second.refresh_from_db()
    assert second.outcome == "told"


# What has moved on, and what comes first


def test_steps_of_alerts_that_moved_on_are_finished_in_one_go(cast: Cast) -> None:
    cast.on_duty()
    alert = raised(cast)
    old = [due_step(alert) for _ in range(3)]
    RiskAlert.objects.filter(pk=alert.pk).update(epoch=alert.epoch + 1)
    review = due_step(alert, "review_overdue")
    assert finish_stale_steps(actor=loop.SWEEPER) == 3
    outcomes = set(AlertStep.objects.filter(pk__in=[one.pk for one in old]).values_list("outcome", flat=True))
    review.refresh_from_db()
    assert (outcomes, review.done_at) == ({"stale"}, None)


def test_critical_and_waiting_come_before_what_is_longer_overdue(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "BATCH", 50)
    cast.on_duty()
    high = raised(cast)
    late = [due_step(high, "contact_overdue", timedelta(hours=5)) for _ in range(loop.BATCH + 1)]
    critical = due_step(raised(cast, make_patient(cast.home), level="critical"), "contact_overdue")
    waiting_for = raised(cast, make_patient(cast.home))
    RiskAlert.objects.filter(pk=waiting_for.pk).update(waiting_person=True)
    waiting = due_step(waiting_for, "contact_overdue", timedelta(minutes=1))
    loop.run_steps()
    scope_all()
    order = list(AlertStep.objects.filter(kind="contact_overdue").order_by("done_at"))
    assert {order[0].pk, order[1].pk} == {critical.pk, waiting.pk}
    assert len(order) == len(late) + 2
    assert all(step.done_at for step in order)
