"""The watchdog's own reading of the clocks, held against what the chain itself planned."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from cortex.audit import RuleBroken, system
from crisis.alerts.actions import mark_notified
from crisis.alerts.models import RiskAlert
from crisis.alerts.states import WAITING
from crisis.casework.actions import log_contact
from crisis.endings.actions import Ending, resolve_alert
from crisis.escalation.models import AlertStep
from crisis.ownership.actions import claim_alert, escalate_alert, release_alert
from crisis.reopening.actions import reopen_alert
from crisis.sweep import actions
from crisis.watchdog.eyes import Blind, Look, look
from tests import stores
from tests.cast import Cast
from tests.makers import make_alert, now, staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("as_system")]
SWEEPER = system("sweeper")
SECOND = timedelta(seconds=1)


def seen(alert: RiskAlert, at: datetime) -> Look:
    raw: Any = connection.connection
    return look(raw, alert.pk, at)


def sweep(at: datetime) -> None:
    """Run everything that is due by `at`, each at its own time, as a sweeper that is always there."""
    while (step := AlertStep.objects.due(at).order_by("due_at", "id").first()) is not None:
        actions.run_step(actor=SWEEPER, step_id=step.pk, at=max(step.due_at, step.created_at))
        step.refresh_from_db()
        assert step.done_at is not None


def next_due(alert: RiskAlert, *kinds: str) -> datetime:
    alert.refresh_from_db()
    waiting = AlertStep.objects.filter(alert=alert, epoch=alert.epoch, done_at=None, kind__in=kinds)
    return waiting.order_by("due_at").values_list("due_at", flat=True)[0]


def far_away(alert: RiskAlert) -> RiskAlert:
    """Give an alert clocks that nothing here reaches: it waits as the canary does, to be seen."""
    later = now() + timedelta(days=30)
    RiskAlert.objects.filter(pk=alert.pk).update(level_since=later)
    AlertStep.objects.filter(alert=alert, done_at=None).update(due_at=later)
    return alert


@pytest.mark.parametrize("level", ["critical", "high"])
def test_each_step_is_overdue_fifteen_seconds_after_its_time_until_the_end_and_beyond(
    cast: Cast, level: str
) -> None:
    cast.on_duty()
    cast.on_duty(cast.sam)
    alert = make_alert(cast.patient, level, at=now())
    for _ in range(7):
        asks = level == "critical" and not alert.has_unconfirmed_step
        due = next_due(alert, "chain", *(["confirm"] if asks else []))
        assert [seen(alert, due + seconds * SECOND).overdue for seconds in (14, 16)] == [0, 1]
        sweep(next_due(alert, "chain", "confirm"))
        alert.refresh_from_db()
    assert alert.chain_position > len(alert.policy["chain"])


def test_a_call_that_nobody_confirms_is_asked_about_after_thirty_seconds(cast: Cast) -> None:
    cast.on_duty()
    at = now()
    alert = make_alert(cast.patient, at=at)
    assert [seen(alert, at + seconds * SECOND).overdue for seconds in (44, 46)] == [0, 1]
    mark_notified(actor=SWEEPER, alert_id=alert.pk, at=at)
    assert [seen(alert, at + seconds * SECOND).overdue for seconds in (46, 134, 136)] == [0, 0, 1]


def test_a_step_that_fails_again_and_again_is_overdue_although_its_row_is_put_off(cast: Cast) -> None:
    cast.on_duty()
    at = now() - timedelta(seconds=140)
    alert = make_alert(cast.patient, at=at)
    for step in AlertStep.objects.filter(alert=alert, done_at=None):
        actions.report_failed_step(actor=SWEEPER, step_id=step.pk, error_code="Poison")
    found = seen(alert, now())
    assert (found.overdue, found.late_steps) == (1, 0)
    assert "overdue_alerts" in found.codes


def test_an_alert_without_a_next_step_is_found_at_once(cast: Cast) -> None:
    cast.on_duty()
    alert = make_alert(cast.patient, "high", at=now())
    assert seen(alert, now()).stranded == 0
    AlertStep.objects.filter(alert=alert, done_at=None).update(done_at=now(), outcome="lost")
    found = seen(alert, now())
    assert (found.stranded, found.overdue) == (1, 0)
    assert "no_next_step" in found.codes


def test_a_claimed_alert_is_not_overdue_and_one_beside_an_absent_owner_is(cast: Cast) -> None:
    cast.on_duty()
    cast.on_duty(cast.charlie)
    witness = far_away(make_alert(cast.stranger, "high"))
    alert = make_alert(cast.patient)
    claim_alert(actor=staff(cast.cleo), alert_id=alert.pk)
    assert seen(witness, now() + timedelta(minutes=4)).overdue == 0
    RiskAlert.objects.filter(pk=alert.pk).update(chain_beside=True)
    found = seen(witness, now() + timedelta(minutes=4))
    assert (found.overdue, found.stranded) == (1, 1)


def moves(cast: Cast) -> list[Callable[[RiskAlert, datetime], object]]:
    cleo = staff(cast.cleo)
    ending = Ending(
        disposition="remained_community_with_plan", verdict="true_crisis", notes="At home.",
        no_follow_up_reason="Moved away.",
    )  # fmt: skip
    return [
        lambda alert, at: claim_alert(actor=cleo, alert_id=alert.pk, at=at),
        lambda alert, at: release_alert(actor=cleo, alert_id=alert.pk, reason="Mine ends.", at=at),
        lambda alert, at: escalate_alert(actor=cleo, alert_id=alert.pk, reason="Sooner.", at=at),
        lambda alert, at: mark_notified(actor=SWEEPER, alert_id=alert.pk, at=at),
        lambda alert, at: log_contact(actor=cleo, alert_id=alert.pk, note="They answer.", at=at),
        lambda alert, at: resolve_alert(actor=cleo, alert_id=alert.pk, ending=ending, at=at),
        lambda alert, at: reopen_alert(actor=cleo, alert_id=alert.pk, reason="It goes on.", at=at),
        lambda alert, at: make_alert(cast.patient, "critical", at=at, reason_code="text_b"),
        lambda alert, at: sweep(at + timedelta(minutes=3)),
    ]


@pytest.mark.parametrize("seed", range(int(os.environ.get("CORTEX_EXPLORE", "20")) // 10))
def test_whatever_people_do_the_two_readings_agree(cast: Cast, seed: int) -> None:
    """Random moves, a sweeper that is always there: nothing is overdue in time, and everything 16 s later."""
    chance = random.Random(seed)
    cast.on_duty()
    cast.on_duty(cast.charlie)
    at = now()
    witness = far_away(make_alert(cast.stranger, "high", at=at))
    alert = make_alert(cast.patient, chance.choice(["high", "critical"]), at=at)
    checked = 0
    for number in range(15):
        at += timedelta(seconds=chance.choice([1, 20, 100, 400]))
        sweep(at)
        try:
            # At first nobody does anything: a history may go on with an owner to its end.
            if number:
                chance.choice(moves(cast))(alert, at)
        except RuleBroken:
            continue
        at += timedelta(minutes=3)
        sweep(at)
        alert.refresh_from_db()
        before = seen(witness, at)
        assert (before.overdue, before.stranded) == (0, 0)
        if alert.status in WAITING or alert.chain_beside:
            due = next_due(alert, "chain")
            assert [seen(witness, due + seconds * SECOND).overdue for seconds in (14, 16)] == [0, 1]
            checked += 1
    assert checked


def test_a_look_that_does_not_see_everybody_is_blind_and_never_zero(cast: Cast) -> None:
    cast.on_duty()
    alert = make_alert(cast.patient)
    raw: Any = connection.connection
    assert look(raw, alert.pk).overdue == 0
    with pytest.raises(Blind):
        look(raw, None)
    raw.execute(
        "SET LOCAL ROLE cortex_owner; GRANT EXECUTE ON FUNCTION crisis_waiting_alerts() TO cortex_app; "
        f"SET LOCAL ROLE cortex_app; SET LOCAL app.orgs = '{cast.home.pk}'"
    )
    assert look(raw, alert.pk).overdue == 0
    with stores.role("cortex_system"):
        make_alert(cast.stranger)
    raw.execute(f"SET LOCAL ROLE cortex_app; SET LOCAL app.orgs = '{cast.home.pk}'")
    with pytest.raises(Blind):
        look(raw, alert.pk)
    raw.execute("SET LOCAL app.orgs = ''")
    with pytest.raises(Blind):
        look(raw, alert.pk)
