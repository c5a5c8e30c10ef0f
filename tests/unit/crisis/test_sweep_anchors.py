"""The sweeper anchors the trail's head within a minute, and a file that takes no anchor shows in /readyz."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from cortex.audit import anchors
from cortex.audit.models import AuditLink
from cortex.audit.sequencer import anchor_head, link_pending
from cortex.ops.actions import note_round
from cortex.ops.health import MACHINES
from crisis.sweep import loop
from tests import stores
from tests.cast import Cast
from tests.live.stage import wait_until
from tests.makers import staff
from tests.unit.audit.chains import link_all, verdict
from tests.unit.audit.test_trail import rename

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys"])
# What the house promises of a signed head: it lies elsewhere after so many seconds at most.
PROMISED = 60


class MovedClock:
    """Stands for the loop's clock and for the event that ends it: time passes only while the loop waits.

    It starts at nothing, as on a machine that has just been switched on.
    """

    def __init__(self, seconds: float, each_round: Callable[[float], None] = lambda at: None) -> None:
        self.now, self.end, self.each_round = 0.0, seconds, each_round
        self.rest = 0.0

    def monotonic(self) -> float:
        return self.now

    def is_set(self) -> bool:
        return self.now >= self.end

    def set(self) -> None:
        self.end = 0.0

    def wait(self, seconds: float) -> None:
        time.sleep(self.rest)
        self.now += seconds
        self.each_round(self.now)


def trail_of(sweeper: loop.Sweeper, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Return what the sweeper gives its thread for the trail, and start none."""
    parts: dict[str, Callable[[], int]] = {}
    with monkeypatch.context() as patch:
        patch.setattr(loop, "install_lexicon", lambda **_: None)
        patch.setattr(loop.Sweeper, "_repeat", lambda _, name, work: parts.update({name: work}))
        sweeper.run()
    return parts["trail"]


def put_in(sweeper: loop.Sweeper, clock: MovedClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a sweeper live by a clock that a test moves."""
    monkeypatch.setattr(loop, "time", clock)
    sweeper.stopping = clock  # type: ignore[assignment]


def link_as_system() -> int:
    """Link by the role of the real process, whatever connection this thread has."""
    with stores.role("cortex_system"):
        return link_pending()


@pytest.fixture
def sweeper(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> loop.Sweeper:
    """A sweeper over a trail with a head that is to be anchored."""
    link_all()
    monkeypatch.setattr(loop, "link_trail", link_as_system)
    monkeypatch.setattr(loop, "close_old_connections", lambda: None)  # hundreds of rounds on one of them
    return loop.Sweeper()


def state(client: Client) -> str:
    """Return what /readyz says of the trail's machine."""
    return str(client.get("/readyz").json()["parts"]["trail"]["state"])


def test_every_link_lies_under_an_anchor_within_a_minute(
    cast: Cast, sweeper: loop.Sweeper, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "anchors.jsonl"
    settings.CORTEX_AUDIT_ANCHOR_FILE = str(path)
    linked: dict[int, float] = {}
    oldest: list[float] = []

    def look(at: float) -> None:
        """See how old the oldest link is that no anchor covers, and write something more every 5 seconds."""
        for number in AuditLink.objects.values_list("number", flat=True):
            linked.setdefault(number, at)
        head = anchors.last(path)
        waiting = [at - since for number, since in linked.items() if head is None or number > head.number]
        oldest.append(max(waiting, default=0.0))
        if at % 5 == 0:
            rename(actor=staff(cast.sam), organization=cast.home, name=f"Name {at}")

    work = trail_of(sweeper, monkeypatch)
    put_in(sweeper, MovedClock(3 * PROMISED, look), monkeypatch)
    sweeper._repeat("trail", work)
    assert len(oldest) == 3 * PROMISED
    assert len(linked) > 3 * PROMISED / 5
    assert max(oldest) <= PROMISED
    assert verdict(path).holds


def without_a_good_round() -> None:
    """Let the time pass after which a machine that did no good round counts as standing."""
    note_round(actor=loop.SWEEPER, name="trail", ago=timedelta(seconds=MACHINES["trail"] + 1))


@pytest.mark.parametrize("place", ["/sys/anchors.jsonl", "a folder"])
def test_an_anchor_file_that_can_not_be_written_shows_and_holds_up_no_link(
    cast: Cast, sweeper: loop.Sweeper, client: Client, tmp_path: Path, settings: Any,
    monkeypatch: pytest.MonkeyPatch, place: str,
) -> None:  # fmt: skip
    (tmp_path / "a folder").mkdir()
    settings.CORTEX_AUDIT_ANCHOR_FILE = str(tmp_path / place)  # an absolute place stays what it is
    clock = MovedClock(loop.ANCHOR_EVERY + 3)
    put_in(sweeper, clock, monkeypatch)
    sweeper._repeat("trail", sweeper._trail)
    assert state(client) == "ok", "the round before the first anchor was a good one"
    without_a_good_round()
    links = AuditLink.objects.count()
    rename(actor=staff(cast.sam), organization=cast.home, name="While nothing is anchored")
    clock.end += 5
    sweeper._repeat("trail", sweeper._trail)
    assert state(client) == "degraded"
    assert AuditLink.objects.count() > links
    settings.CORTEX_AUDIT_ANCHOR_FILE = str(tmp_path / "mended.jsonl")
    clock.end += 1
    sweeper._repeat("trail", sweeper._trail)
    assert state(client) == "ok"
    assert verdict(tmp_path / "mended.jsonl").holds
    assert anchors.last(tmp_path / "mended.jsonl").number == AuditLink.objects.count()  # type: ignore[union-attr]


def test_an_anchor_file_that_hangs_shows_and_is_written_once_it_lets_go(
    sweeper: loop.Sweeper, client: Client, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "anchors.jsonl"
    os.mkfifo(path)  # whoever opens it waits for somebody at its other end
    settings.CORTEX_AUDIT_ANCHOR_FILE = str(path)
    reached = threading.Event()

    def reach() -> bool:
        reached.set()
        return anchor_head()

    monkeypatch.setattr(loop, "anchor_head", reach)
    clock = MovedClock(10**6)
    clock.rest = 0.01
    put_in(sweeper, clock, monkeypatch)
    sweeper._anchored = -loop.ANCHOR_EVERY - 1
    without_a_good_round()
    thread = threading.Thread(target=sweeper._repeat, args=("trail", sweeper._trail), daemon=True)
    thread.start()
    try:
        assert reached.wait(30)
        thread.join(0.3)
        assert (state(client), clock.now) == ("degraded", 0.0)
    finally:
        other_end = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        path.unlink()
        os.close(other_end)
    wait_until(lambda: state(client) == "ok")
    clock.set()
    thread.join(30)
    assert not thread.is_alive()
    assert verdict(path).holds
    assert anchors.last(path) is not None
