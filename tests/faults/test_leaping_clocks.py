"""Web, sweeper and worker whose machine's clock leaps an hour to and fro; the database's does not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from cortex.clock import clock
from cortex.ops.queries import seconds_since
from crisis.escalation.models import AlertStep, NotificationAttempt
from tests import makers
from tests.cast import Cast
from tests.faults.senders import Screen, Senders, assert_numbered, assert_whole
from tests.faults.system import System
from tests.live.stage import PrivateRedis, wait_until

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True, databases=["default", "keys"])]

LIBRARIES = sorted(Path("/usr/lib").glob("**/faketime/libfaketimeMT.so.1"))


@pytest.fixture
def system(cast: Cast, tmp_path: Path) -> Iterator[System]:
    if not LIBRARIES:
        pytest.skip("libfaketime is not installed")
    cast.on_duty()
    cast.on_duty(cast.sam)
    leap(tmp_path, "+0")
    own = {
        "LD_PRELOAD": str(LIBRARIES[0]), "FAKETIME_TIMESTAMP_FILE": str(tmp_path / "leap"),
        "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "CORTEX_AUDIT_ANCHOR_FILE": str(tmp_path / "anchors.jsonl"),
    }  # fmt: skip
    found = System(tmp_path, PrivateRedis(tmp_path), given=own, names=("web", "sweeper"))
    try:
        found.start()
        yield found
    finally:
        found.stop()


def leap(folder: Path, by: str) -> None:
    """Set the clocks of all processes."""
    fresh = folder / "leap.new"
    fresh.write_text(by + "\n")
    fresh.replace(folder / "leap")


def chain(cast: Cast, due_in: timedelta) -> AlertStep:
    """A second call that is due then; nothing else of its alert is."""
    makers.scope_all()
    alert = makers.make_alert(makers.make_patient(cast.home))
    steps = AlertStep.objects.filter(alert=alert, done_at=None)
    steps.exclude(kind="chain").update(due_at=clock() + timedelta(hours=3))
    steps.filter(kind="chain").update(due_at=clock() + due_in)
    return steps.filter(kind="chain").order_by("position")[0]


def is_done(step: AlertStep) -> bool:
    return AlertStep.objects.filter(pk=step.pk, done_at__isnull=False).exists()


def test_nothing_is_early_late_doubled_or_ended_by_a_clock_that_leaps(
    system: System, cast: Cast, tmp_path: Path
) -> None:
    senders = Senders.of(cast, system.origin, 10)
    cookie = makers.cookie_of(cast.cleo)
    screen = Screen(system.port, cookie, cast)
    people = iter(senders.people)
    later = chain(cast, timedelta(minutes=30))
    try:
        senders.until_all([next(people)])
        for by in ("+3600", "-3600", "+0"):
            leap(tmp_path, by)
            board = httpx.get(f"{system.origin}/board/", headers={"Cookie": cookie}, timeout=30)
            assert board.status_code == 200, f"{by}: a session that is used goes on"
            due = chain(cast, timedelta(0))
            wait_until(lambda due=due: is_done(due), 30)
            sent = [next(people), next(people)]
            assert all(one.is_acknowledged for one in senders.at_once(sent))
            wait_until(screen.shows(sent), 30)
            assert not is_done(later), f"{by}: nothing is called out before its time"
            wait_until(lambda: (seconds_since("sweeper") or 99) < 5, 30)
            told = NotificationAttempt.objects.filter(step=due)
            assert told.count() == len(set(told.values_list("user_id", "channel"))), "nobody is called twice"
        assert screen.wrong == []
    finally:
        screen.stop()
    assert_whole(senders, [one.person for one in senders.answers])
    assert_numbered(cast)
