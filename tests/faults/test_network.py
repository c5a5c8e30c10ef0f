"""The line between the product and its stores is cut, swallows, deafens or drags: said in time, then over."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import psycopg
import pytest
from django.db import connection, transaction

from cortex.ops.queries import seconds_since
from cortex.settings.env import IDLE_SECONDS, Environment, role_databases
from crisis.escalation.models import AlertStep
from tests import makers, stores
from tests.cast import Cast
from tests.faults.lines import Fate, Line, lines
from tests.faults.senders import LONGEST, Screen, Senders, assert_numbered, assert_whole
from tests.faults.system import System
from tests.live.stage import PrivateRedis, wait_until

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True, databases=["default", "keys"])]

# So soon after the line is mended the sweeper runs what is due: its own wait for an answer, and some rounds.
ITS_CLOCK = 30.0
SOCKETS = ("main", "keys")
FEED = "SELECT 1 FROM live_feed WHERE organization_id = %s"


@dataclass
class House:
    """Web and sweeper, which reach each of their stores over a line of ours."""

    system: System
    main: Line
    keys: Line
    redis: Line
    cast: Cast
    senders: Senders
    screen: Screen
    used: int = 0

    def people(self, count: int) -> list[str]:
        """People of whom nothing was sent yet."""
        self.used += count
        return self.senders.people[self.used - count : self.used]

    def step(self) -> AlertStep:
        """A call that is due now; nothing else of its alert is."""
        makers.scope_all()
        alert = makers.make_alert(makers.make_patient(self.cast.home))
        steps = AlertStep.objects.filter(alert=alert, done_at=None)
        steps.exclude(kind="chain").update(due_at=makers.now() + timedelta(hours=1))
        steps.filter(kind="chain").update(due_at=makers.now())
        return steps.filter(kind="chain").order_by("position")[0]


def over(line: Line, address: str) -> str:
    """The same address by way of a line."""
    return re.sub(r"@:\d+/(\w+)\?host=.*", rf"@127.0.0.1:{line.port}/\1", address)


@pytest.fixture
def house(cast: Cast, tmp_path: Path) -> Iterator[House]:
    cast.on_duty()
    cast.on_duty(cast.sam)
    redis = PrivateRedis(tmp_path)
    redis.start()
    homes = [str(stores.socket_of(name)) for name in SOCKETS]
    with lines(*homes, str(redis.socket)) as (main, keys, hints):
        given = {"REDIS_URL": f"redis://127.0.0.1:{hints.port}",
                 "CORTEX_AUDIT_ANCHOR_FILE": str(tmp_path / "anchors.jsonl")}  # fmt: skip
        for name, value in stores.child_environment().items():
            if re.fullmatch(r"(KEYS_)?DATABASE(_SYSTEM)?_URL", name):
                given[name] = over(keys if name.startswith("KEYS") else main, value)
        system = System(tmp_path, redis, given=given, names=("web", "sweeper"))
        screen = None
        try:
            system.start()
            senders = Senders.of(cast, system.origin, 30)
            screen = Screen(system.port, makers.cookie_of(cast.cleo), cast)
            found = House(system, main, keys, hints, cast, senders, screen)
            first = found.people(1)
            senders.until_all(first)
            wait_until(screen.shows(first), 30)
            yield found
            print(senders.tell("\nnetwork"))
        finally:
            if screen is not None:
                screen.stop()
            system.stop()


def assert_answered(house: House, people: list[str], *, stored: bool = False) -> None:
    """Each request was answered within its time: stored, or 503 with the way to support."""
    for one in (one for one in house.senders.answers if one.person in people):
        assert one.seconds < LONGEST, one
        assert one.status == 200 if stored else one.status in (200, 503), one
        assert one.has_support, one


def assert_done(step: AlertStep) -> None:
    """The sweeper ran what was due within its clock after the line was mended."""
    wait_until(lambda: AlertStep.objects.filter(pk=step.pk, done_at__isnull=False).exists(), ITS_CLOCK)


def assert_all_is_well_again(house: House, people: list[str], step: AlertStep) -> None:
    """Mended: what was not acknowledged is taken, pages miss nothing, the sweeper is within its clock."""
    mended = time.monotonic()
    assert_done(step)
    house.senders.until_all(people)
    assert_answered(house, people)
    assert_whole(house.senders, people)
    assert_numbered(house.cast)
    wait_until(house.screen.shows(people), 60)
    assert house.screen.wrong == []
    wait_until(lambda: (seconds_since("sweeper") or 99) < 5, 30)
    print(f"well again after {time.monotonic() - mended:.1f} s")


def swallows(house: House, fate: Fate) -> None:
    """Requests that come while nothing is heard of the database, and one that is under way at that moment."""
    people = house.people(6)
    step = house.step()
    house.main.fate = fate
    told = house.senders.at_once(people)
    assert house.main.swallowed > 0
    assert_answered(house, people)
    assert {one.status for one in told} == {503}
    assert httpx.get(f"{house.system.origin}/healthz", timeout=10).status_code == 200
    assert httpx.get(f"{house.system.origin}/readyz", timeout=LONGEST).status_code == 503
    assert_whole(house.senders, people)  # deaf: what was committed unheard is there as a whole
    house.main.mend()
    assert_all_is_well_again(house, people, step)


def is_reset(house: House) -> None:
    """Every connection is ended with an RST several times a second."""
    people = house.people(12)
    step = house.step()
    enough = threading.Event()

    def hurt() -> None:
        while not enough.wait(0.15):
            house.main.reset()

    nemesis = threading.Thread(target=hurt, daemon=True)
    nemesis.start()
    for place in range(0, len(people), 4):
        house.senders.at_once(people[place : place + 4])
    enough.set()
    nemesis.join(5)
    assert_all_is_well_again(house, people, step)


def drags(house: House) -> None:
    """Each piece takes a twentieth of a second: everything is late, nothing is wrong."""
    people = house.people(3)
    step = house.step()
    house.main.delay, house.main.fate = 0.05, Fate.SLOW
    house.senders.at_once(people)
    assert_answered(house, people, stored=True)
    house.main.mend()
    assert_all_is_well_again(house, people, step)


def test_a_line_to_the_database_that_swallows_deafens_drags_or_is_reset_loses_nothing(house: House) -> None:
    swallows(house, Fate.SWALLOW)
    swallows(house, Fate.DEAF)
    is_reset(house)
    drags(house)


def test_with_the_keys_or_redis_out_of_reach_alerts_are_raised_and_nothing_hangs(house: House) -> None:
    people = house.people(4)
    step = house.step()
    house.keys.fate = Fate.SWALLOW
    told = house.senders.at_once(people)
    assert_answered(house, people)
    assert any(one.result == "failed" for one in told), told
    # What can't be sealed is not stored, and its alert is raised all the same. Whose time was over before (on
    # a slow machine) was told that nothing was taken, and sends again as an app does.
    while late := [one.person for one in told if one.result == "unavailable"]:
        told = house.senders.at_once(late)
    wait_until(house.screen.shows(people), 60)
    house.keys.mend()
    house.senders.until_all(people)
    assert_done(step)
    for fate in (Fate.SWALLOW, Fate.DEAF):
        people = house.people(4)
        step = house.step()
        house.redis.fate = fate
        for person in people:
            assert house.senders.send(person).is_acknowledged
        wait_until(house.screen.shows(people), 20)
        report = httpx.get(f"{house.system.origin}/readyz", timeout=LONGEST)
        assert (report.status_code, report.json()["parts"]["redis"]["state"]) == (200, "down")
        assert max(one.seconds for one in house.senders.answers if one.person in people) < 10
        house.redis.mend()
        assert_all_is_well_again(house, people, step)


def test_a_lock_whose_holder_the_network_swallowed_is_free_within_its_time(cast: Cast) -> None:
    address = stores.child_environment()["DATABASE_URL"]
    makers.make_alert(cast.patient)
    with lines(str(stores.socket_of("main"))) as (line,):
        env = Environment({"DATABASE_URL": over(line, address), "KEYS_DATABASE_URL": over(line, address)})
        options = role_databases(env, "app")["default"]["OPTIONS"]["options"]
        gone = psycopg.connect(over(line, address), options=options, connect_timeout=3)
        try:
            gone.execute("SELECT set_config('app.orgs', %s, false)", [str(cast.home.pk)])
            held = gone.execute(f"{FEED} FOR UPDATE", [cast.home.pk])
            assert held.rowcount == 1
            line.fate = Fate.SWALLOW
            began = time.monotonic()
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '60s'")
                cursor.execute(f"{FEED} FOR UPDATE", [cast.home.pk])
            waited = time.monotonic() - began
        finally:
            gone.close()
    assert 5 < waited < IDLE_SECONDS["app"] + 10
