"""This machine's clock leaps by an hour; what counts is the database's time, or a clock that nobody sets."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.urls import reverse

from cortex import clock as clocks
from cortex.accounts.models import SessionState
from cortex.accounts.signin import recent
from cortex.audit import SYSTEM
from cortex.clock import clock, steady_now
from cortex.ops.models import ScheduledSlot
from cortex.ops.slots import actions as slots
from crisis.alerts.actions import raise_alert
from crisis.duty.models import DutyShift
from crisis.escalation.models import AlertStep
from crisis.sweep.loop import run_steps
from tests import makers
from tests.cast import Cast

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
LEAPS = [HOUR, -HOUR]


@pytest.mark.parametrize("leap", LEAPS)
def test_a_session_neither_ends_nor_lives_on_by_a_leap(cast: Cast, leap: timedelta) -> None:
    cast.on_duty()
    client = makers.client_of(cast.cleo)
    board = reverse("crisis:board")
    assert client.get(board).status_code == 200
    with time_machine.travel(datetime.now(UTC) + leap):
        assert abs(steady_now() - clock()) < timedelta(seconds=5)
        assert client.get(board).status_code == 200, "nobody is sent away in the middle of a shift"
        SessionState.objects.update(last_input_at=clock() - timedelta(minutes=40))
        assert client.get(board).status_code == 302, "and who idled is covered"


@pytest.mark.parametrize("leap", LEAPS)
def test_a_key_ends_at_its_time(cast: Cast, leap: timedelta) -> None:
    from cortex.accounts.keys import authenticate_key
    from tests.api.conftest import issue_key

    key, raw = issue_key(cast.home)
    for left, works in ((timedelta(minutes=30), True), (-timedelta(minutes=30), False)):
        type(key).objects.filter(pk=key.pk).update(expires_at=clock() + left)
        with time_machine.travel(datetime.now(UTC) + leap):
            assert (authenticate_key(raw) is not None) is works


def test_a_password_that_was_typed_after_now_was_not_typed_lately(monkeypatch: pytest.MonkeyPatch) -> None:
    noted = [{"at": time.time()}]
    monkeypatch.setattr(recent, "get_authentication_records", lambda *_: noted)
    request = SimpleNamespace(user=None)
    assert recent.is_recent(request)  # type: ignore[arg-type]
    for leap in LEAPS:
        with time_machine.travel(datetime.now(UTC) + leap):
            assert not recent.is_recent(request)  # type: ignore[arg-type]


@pytest.mark.parametrize("leap", LEAPS)
def test_due_steps_run_by_the_databases_clock(cast: Cast, leap: timedelta, as_system: None) -> None:
    DutyShift.objects.all().delete()
    cast.on_duty()
    alert = makers.make_alert(cast.patient)
    steps = AlertStep.objects.filter(alert=alert, done_at=None)
    steps.update(due_at=clock() + timedelta(minutes=10))
    with time_machine.travel(datetime.now(UTC) + leap):
        run_steps()
        assert not AlertStep.objects.filter(alert=alert, kind="chain", position=1, done_at__isnull=False)
        steps.filter(kind="chain").update(due_at=clock() - timedelta(seconds=1))
        run_steps()
        assert AlertStep.objects.filter(alert=alert, kind="chain", position=1, done_at__isnull=False)
    numbers = list(alert.events.order_by("feed_number").values_list("feed_number", flat=True))
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_slot_is_not_done_before_its_time_by_a_beat_whose_clock_is_ahead() -> None:
    now = clock()
    own = {"actor": SYSTEM, "job": "tick", "lease": timedelta(minutes=1), "at": now}
    early = now + HOUR
    assert not slots.take_slot(slot=early, message="early", **own)  # type: ignore[arg-type]
    assert not ScheduledSlot.objects.exists(), "it is owed when its time comes"
    assert slots.take_slot(slot=early, message="right", **{**own, "at": early})  # type: ignore[arg-type]


def test_the_time_is_asked_anew_and_counted_on_in_between(
    db: None, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: object
) -> None:
    monkeypatch.setattr(clocks, "_asked", None)
    assert clocks.known_now() is None
    with django_assert_num_queries(1):  # type: ignore[operator]
        first, second = steady_now(), steady_now()
    assert first <= second <= clock()
    monkeypatch.setattr(clocks, "ASKED_EVERY", 0.0)
    monkeypatch.setattr(clocks, "_asked", (datetime(2020, 1, 1, tzinfo=UTC), time.monotonic() - 1))
    assert abs(steady_now() - clock()) < timedelta(seconds=5), "a wrong memory doesn't last"


# An hour that is missing, one that comes twice, and a day that most years lack.
TURNS = [
    datetime(2026, 3, 8, 1, 59, tzinfo=ZoneInfo("America/New_York")),
    datetime(2026, 11, 1, 1, 59, tzinfo=ZoneInfo("America/New_York")),
    datetime(2028, 2, 28, 23, 59, tzinfo=ZoneInfo("Africa/Nairobi")),
    datetime(2028, 2, 29, 23, 59, tzinfo=UTC),
]


@pytest.mark.parametrize("at", TURNS, ids=lambda at: f"{at:%Y-%m-%d}")
def test_a_chain_takes_as_long_across_any_turn_of_the_clocks(cast: Cast, at: datetime) -> None:
    def spans(begun: datetime) -> list[tuple[str, timedelta]]:
        alert = raise_alert(
            actor=makers.machine(cast.home), organization_id=cast.home.pk, kind="self_harm",
            patient_id=makers.make_patient(cast.home).pk, level="critical", reason_code="text_a", at=begun,
        )  # fmt: skip
        steps = AlertStep.objects.filter(alert=alert).order_by("kind", "position", "due_at")
        return [(f"{one.kind} {one.position}", one.due_at - begun) for one in steps]

    cast.home.timezone = str(at.tzinfo)
    cast.home.save()
    assert spans(at) == spans(datetime(2026, 6, 15, 12, tzinfo=UTC))
