"""Redis at its limit refuses every write, or stands still for half a minute: boards go on by asking."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from django.conf import settings as django_settings
from redis import Redis
from redis.exceptions import OutOfMemoryError

from cortex.audit import SYSTEM
from cortex.clock import clock
from cortex.live.watch import ASK
from cortex.ops.models import ScheduledSlot
from cortex.ops.slots import actions
from cortex.ops.slots.catchup import catch_up
from tests import makers
from tests.cast import Cast
from tests.faults.senders import Screen, Senders, assert_numbered, assert_whole
from tests.faults.system import System
from tests.faults.test_timetable import Run, run  # noqa: F401  (a fixture)
from tests.live.stage import PrivateRedis, wait_until

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True, databases=["default", "keys"])]

# A poll, a second, and what two cores that others use too add to it.
LATEST = ASK + 1 + 6
STALL = 30.0


@contextmanager
def at_its_limit(url: str) -> Iterator[Redis]:
    """Let Redis have no more memory than it uses already."""
    with Redis.from_url(url) as client:
        before = client.config_get("maxmemory")["maxmemory"]
        client.config_set("maxmemory", 1)
        client.config_set("maxmemory-policy", "noeviction")
        try:
            with pytest.raises(OutOfMemoryError):
                client.set("one", "more")
            yield client
        finally:
            client.config_set("maxmemory", before)


@pytest.fixture
def system(cast: Cast, tmp_path: Path) -> Iterator[System]:
    cast.on_duty()
    cast.on_duty(cast.sam)
    own = {"CORTEX_AUDIT_ANCHOR_FILE": str(tmp_path / "anchors.jsonl")}
    found = System(tmp_path, PrivateRedis(tmp_path), given=own, names=("web", "sweeper"))
    try:
        found.start()
        yield found
    finally:
        found.stop()


def parts(system: System) -> dict[str, dict[str, object]]:
    report = httpx.get(f"{system.origin}/readyz", timeout=30)
    assert report.status_code == 200, "people are served all the same"
    return dict(report.json()["parts"])


def shown_in_time(senders: Senders, screen: Screen, people: list[str]) -> float:
    """Send about each, acknowledged at once; return the longest time from there to the counselor's screen."""
    longest = 0.0
    for person in people:
        sent = senders.send(person)
        assert sent.is_acknowledged and sent.seconds < 10, sent
        longest = max(longest, wait_until(screen.shows([person]), LATEST))
    return longest


def test_boards_go_on_by_asking_while_redis_is_full_or_stands_still(system: System, cast: Cast) -> None:
    senders = Senders.of(cast, system.origin, 40)
    screen = Screen(system.port, makers.cookie_of(cast.cleo), cast)
    people = iter(senders.people)
    try:
        shown_in_time(senders, screen, [next(people)])
        with at_its_limit(system.redis.url):
            told = parts(system)
            assert told["redis"]["state"] == "degraded" and int(str(told["redis"]["used_percent"])) >= 100
            full = shown_in_time(senders, screen, [next(people) for _ in range(3)])
        assert parts(system)["redis"]["state"] == "ok"
        began, still = time.monotonic(), 0.0
        system.redis.stall()
        while time.monotonic() - began < STALL:
            still = max(still, shown_in_time(senders, screen, [next(people)]))
        assert parts(system)["redis"]["state"] == "down"
        system.redis.go_on()
        wait_until(lambda: parts(system)["redis"]["state"] == "ok", 20)
        shown_in_time(senders, screen, [next(people)])
        assert screen.wrong == []
    finally:
        system.redis.go_on()
        screen.stop()
    sent = [one.person for one in senders.answers]
    assert_whole(senders, sent)
    assert_numbered(cast)
    print(f"\naccount: {len(sent)} alerts, none lost; shown {full:.1f} s late at most while Redis was full, "
          f"{still:.1f} s while it stood still")  # fmt: skip


@pytest.mark.filterwarnings("ignore:task_always_eager has no effect")
def test_slots_that_a_full_redis_let_fall_are_caught_up_each_once(run: Run) -> None:  # noqa: F811
    wait_until(lambda: len(run.ticks()) >= 2, 60)
    with at_its_limit(django_settings.REDIS_URL):
        time.sleep(10)
    until = clock()
    # Celery's worker may take that for its end, by what it just did; whoever runs it starts it again, as `up`
    # does. One that lives goes on by itself.
    if run.worker.process is None or run.worker.process.poll() is not None:
        run.worker.start()
    wait_until(lambda: any(slot > until for slot in run.ticks()), 60)
    for _ in range(3):
        catch_up(actor=SYSTEM, at=until + actions.GRACE)
    wait_until(lambda: not ScheduledSlot.objects.undone().filter(slot__lte=until).exists(), 60)
    ticks = run.ticks()
    slots = sorted(slot for slot in ticks if slot <= until)
    assert slots == [slots[0] + timedelta(seconds=n) for n in range(len(slots))], "none is missed"
    assert set(ticks.values()) == {1}, "and none ran twice"
