"""The watchdog over the real path: its canary at a real socket, everybody's clocks, and who is told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from cortex.accounts.models import Organization, User
from cortex.accounts.sessions.models import SessionState
from cortex.audit import SYSTEM
from cortex.live.hub import Hub
from cortex.ops.actions import note_round
from cortex.ops.models import ServiceHeartbeat
from cortex.ops.watched import late_since
from cortex.settings.env import postgres_settings
from crisis.alerts.access import cards_for
from crisis.alerts.models import AlertEvent, AlertFeedback, Kind, RiskAlert
from crisis.duty.models import DutyShift
from crisis.escalation.models import AlertStep, NotificationAttempt
from crisis.resources.queries import places
from crisis.reviews.models import FollowUp, ReviewItem, SecondReview
from crisis.reviews.queries import organizations_with_stale_lines
from crisis.sweep.loop import sweep_once
from crisis.watchdog import loop
from crisis.watchdog.actions import raise_canary
from crisis.watchdog.eyes import Eyes, address_of
from crisis.watchdog.loop import Watchdog
from tests import makers, stores
from tests.cast import Cast
from tests.live.stage import LiveServer
from tests.sinks import outside

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys"])


@pytest.fixture
def watchdog(desk: LiveServer, settings: Any) -> Iterator[Watchdog]:
    """A watchdog of this server, in the role of the machines; the sweeper was there a moment ago."""
    settings.CORTEX_PUBLIC_URL = desk.origin
    with stores.role("cortex_system"):
        note_round(actor=SYSTEM, name="sweeper")
        yield Watchdog(address=address_as("_SYSTEM"))


def address_as(role: str) -> str:
    """The run's database as a role's process is given it."""
    url = stores.child_environment()[f"DATABASE{role}_URL"]
    return address_of(postgres_settings("DATABASE_URL", url))


def codes(watchdog: Watchdog) -> list[str]:
    verdict = watchdog.look_round()
    assert verdict is not None
    return verdict.codes


def test_a_canary_reaches_a_real_socket_and_is_ended(watchdog: Watchdog, cast: Cast) -> None:
    cast.on_duty()
    place = watchdog.canary.prepare()
    left = raise_canary(actor=place.actor, organization_id=place.organization_id)
    for _ in range(2):
        verdict = watchdog.look_round()
        assert verdict is not None
        assert (verdict.codes, verdict.overdue) == ([], 0)
        assert 0 < (verdict.canary_ms or 0) < 5_000
    assert list(RiskAlert.objects.values_list("kind", "status")) == [(Kind.CANARY, "resolved")] * 3
    left.refresh_from_db()
    assert left.status == "resolved", "one that a killed round left is ended by the next"
    listener = User.objects.get(organization__name="Canary")
    assert not listener.has_usable_password()
    assert (
        SessionState.objects.filter(user=listener).count()
        == DutyShift.objects.filter(user=listener).count()
        == 1
    )
    # What OPERATIONS.md says a canary adds; whatever asks a person for anything stays empty.
    rows = {
        model.__name__: model._default_manager.count()
        for model in (AlertEvent, AlertStep, NotificationAttempt)
    }
    assert rows == {"AlertEvent": 6, "AlertStep": 6, "NotificationAttempt": 3}
    assert set(NotificationAttempt.objects.values_list("user_id", "channel")) == {(listener.pk, "board")}
    for model in (SecondReview, ReviewItem, FollowUp, AlertFeedback):
        assert not model._default_manager.exists()  # type: ignore[attr-defined]
    watchdog.canary.leave()
    assert not SessionState.objects.filter(user=listener).exists()


def test_nobody_else_meets_the_canary(watchdog: Watchdog, cast: Cast) -> None:
    Organization.objects.update(jurisdiction="UG")
    shift = cast.on_duty()
    assert codes(watchdog) == []
    canary = Organization.objects.get(name="Canary")
    assert list(Organization.objects.serving()) == [cast.home, cast.elsewhere]
    assert [one["name"] for one in places()] == ["Uganda"]
    assert canary.pk not in organizations_with_stale_lines(makers.now() + timedelta(days=400))
    assert shift.covers == [cast.home.pk]
    for person in (cast.cleo, cast.sam, cast.ada):
        assert not cards_for(person).exists()


def test_an_overdue_alert_and_a_stopped_sweeper_are_found_until_it_runs_again(
    watchdog: Watchdog, cast: Cast
) -> None:
    cast.on_duty()
    alert = makers.make_alert(cast.patient, at=makers.now() - timedelta(seconds=137))
    assert codes(watchdog) == ["overdue_alerts", "late_steps"]
    sweep_once()
    note_round(actor=SYSTEM, name="sweeper", ago=timedelta(seconds=16))
    assert codes(watchdog) == ["sweeper_stopped"]
    note_round(actor=SYSTEM, name="sweeper")
    assert codes(watchdog) == []
    alert.refresh_from_db()
    assert alert.is_open


def test_a_hub_that_never_pushes_is_found(watchdog: Watchdog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "SHOWN_SECONDS", 1.0)
    monkeypatch.setattr(Hub, "pump", lambda *_: None)
    assert codes(watchdog) == ["not_shown_in_10_s"]
    assert RiskAlert.objects.get(kind=Kind.CANARY).status == "resolved"


def test_a_web_that_does_not_answer_is_found_and_the_clocks_are_read_all_the_same(
    watchdog: Watchdog, settings: Any, cast: Cast
) -> None:
    cast.on_duty()
    makers.make_alert(cast.patient, at=makers.now() - timedelta(seconds=137))
    settings.CORTEX_WATCHDOG_URL = f"http://127.0.0.1:{stores.free_port()}"
    assert codes(watchdog) == ["no_socket", "overdue_alerts", "late_steps"]
    settings.CORTEX_WATCHDOG_URL = ""
    settings.CORTEX_PUBLIC_URL = "http://another.example"
    assert "no_socket" in codes(watchdog), "a page of another site opens no socket"


def test_eyes_in_the_wrong_role_are_blind_and_a_database_that_is_away_is_said(
    watchdog: Watchdog, cast: Cast
) -> None:
    cast.on_duty()
    makers.make_alert(cast.patient)
    watchdog.address = address_as("")
    assert codes(watchdog) == ["blind"]
    watchdog.address = "host=127.0.0.1 port=1 connect_timeout=2"
    assert codes(watchdog) == ["no_database"]


def test_two_watchdogs_take_turns(watchdog: Watchdog) -> None:
    with Eyes(watchdog.address) as other:
        assert other.take_turn()
        assert watchdog.look_round() is None
        assert watchdog.work(), "whoever stands by finds nothing and writes nothing"
    assert not ServiceHeartbeat.objects.filter(name="watchdog").exists()
    second = Watchdog(address=watchdog.address)
    assert [codes(one) for one in (watchdog, second, watchdog)] == [[], [], []]


def test_the_outside_hears_of_good_rounds_alone(watchdog: Watchdog, settings: Any) -> None:
    with outside() as (url, asked):
        settings.CORTEX_DEADMAN_URL = url
        assert watchdog.work()
        assert asked == ["/ping"]
        note_round(actor=SYSTEM, name="sweeper", ago=timedelta(minutes=1))
        assert not watchdog.work()
    assert asked == ["/ping"]
    detail = ServiceHeartbeat.objects.get(name="watchdog").detail
    assert (detail["holds"], detail["codes"], detail["deadman"]) == (False, ["sweeper_stopped"], "")
    assert late_since() is not None
