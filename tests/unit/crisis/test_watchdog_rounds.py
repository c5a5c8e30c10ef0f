"""The watchdog's rounds go on whatever they meet, and what they found is kept and told."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from cortex.clock import clock
from cortex.ops.models import ServiceHeartbeat
from cortex.ops.watched import late_since
from cortex.settings.env import web_address
from crisis.alerts.board_source import BoardSource
from crisis.watchdog import loop
from crisis.watchdog.loop import Verdict, Watchdog
from tests import stores
from tests.cast import Cast
from tests.sinks import outside

pytestmark = pytest.mark.django_db


@pytest.fixture
def watchdog(monkeypatch: pytest.MonkeyPatch) -> Watchdog:
    """A watchdog whose rounds find nothing."""
    found = Watchdog(address="unused", first_after=0)
    monkeypatch.setattr(loop, "close_old_connections", lambda: None)
    monkeypatch.setattr(loop, "connection", type("Kept", (), {"close": staticmethod(lambda: None)}))
    monkeypatch.setattr(found, "look_round", Verdict)
    return found


@pytest.mark.parametrize(("status", "said"), [(500, "refused_500"), (None, "ConnectError")])
def test_an_outside_that_does_not_answer_stops_nothing(
    watchdog: Watchdog, settings: Any, monkeypatch: pytest.MonkeyPatch, status: int | None, said: str
) -> None:
    monkeypatch.setattr(watchdog, "look_round", Verdict)
    with outside(status or 200) as (url, _):
        settings.CORTEX_DEADMAN_URL = url if status else f"http://127.0.0.1:{stores.free_port()}/"
        assert watchdog.work()
    detail = ServiceHeartbeat.objects.get(name="watchdog").detail
    assert (detail["holds"], detail["deadman"]) == (True, said)


def test_whatever_a_round_meets_the_next_one_comes(
    watchdog: Watchdog, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds: list[int] = []

    def fail(*_: object, **__: object) -> None:
        rounds.append(1)
        if len(rounds) == 3:
            watchdog.stopping.set()
        raise RuntimeError

    monkeypatch.setattr(loop, "AGAIN_AFTER", 0.05)
    monkeypatch.setattr(loop, "note", fail)
    monkeypatch.setattr(watchdog, "look_round", lambda: Verdict(["no_socket"]))
    watchdog.run()
    assert len(rounds) == 3


def test_what_no_part_of_a_round_foresaw_is_a_finding(
    watchdog: Watchdog, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(watchdog, "look_round", fail)
    assert not watchdog.work()
    detail = ServiceHeartbeat.objects.get(name="watchdog").detail
    assert (detail["holds"], detail["codes"]) == (False, ["round_failed"])


def age(seconds: float) -> datetime:
    """Let the last round be so old; return the moment at which it is."""
    beat, at = ServiceHeartbeat.objects.get(name="watchdog"), clock()
    ServiceHeartbeat.objects.filter(pk=beat.pk).update(last_run_at=at - timedelta(seconds=seconds))
    return at


def test_late_since_is_when_it_last_held_and_ends_with_a_good_round(cast: Cast) -> None:
    def marks() -> str:
        return BoardSource().marks([str(cast.home.pk)])[str(cast.home.pk)]["late"]

    assert late_since() is None, "where nobody ever watched, no board says anything"
    unwatched = marks()
    loop.note(Verdict())
    held_at = datetime.fromisoformat(ServiceHeartbeat.objects.get(name="watchdog").detail["held_at"])
    assert (late_since(), marks()) == (None, unwatched)
    assert late_since(age(149)) is None
    assert late_since(age(151)) == held_at
    for codes in (["blind"], ["no_socket", "overdue_alerts"]):
        loop.note(Verdict(codes))
        assert late_since() == held_at
        assert marks() != unwatched
    loop.note(Verdict())
    assert (late_since(), marks()) == (None, unwatched)


def test_a_watchdog_that_never_held_is_late_since_its_first_round() -> None:
    first = loop.note(Verdict(["blind"]))
    assert loop.note(Verdict(["blind"]))["held_at"] == first["held_at"]
    assert late_since() == datetime.fromisoformat(first["held_at"])


@pytest.mark.parametrize(
    ("value", "is_taken"),
    [("https://example.org/ping", True), ("http://localhost:9/ping", True), ("http://127.0.0.1/", True),
     ("http://example.org/ping", False), ("ftp://localhost/", False), ("https://", False)],
)  # fmt: skip
def test_the_outside_is_told_over_tls_alone(value: str, is_taken: bool) -> None:
    if is_taken:
        assert web_address("CORTEX_DEADMAN_URL", value, secure=True) == value
        return
    with pytest.raises(ImproperlyConfigured) as refusal:
        web_address("CORTEX_DEADMAN_URL", value, secure=True)
    assert value.removeprefix("https://") == "" or value not in str(refusal.value), "the URL is a secret"
