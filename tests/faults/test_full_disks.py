"""Disks that fill up, in earnest: said before, refused as a whole while it lasts, and gone on after."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from django.db import connection, connections

from cortex.ops.embedded import DATABASE
from tests import cast as players
from tests import makers, stores
from tests.cast import Cast
from tests.faults.disks import Housed, housed, may_mount
from tests.faults.senders import Senders, assert_numbered, assert_whole
from tests.faults.system import System
from tests.live.stage import PrivateRedis, wait_until

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True, databases=["default", "keys"])]

PEOPLE = 700
# So many are sent at once; each leaves some kilobytes in the trail.
TOGETHER = 20


@pytest.fixture
def house(transactional_db: None) -> Iterator[Housed]:
    if not may_mount():
        pytest.skip("this account may mount no small disk")
    with housed() as found:
        place = {"HOST": str(found.cluster.sockets), "PORT": str(found.cluster.port), "NAME": DATABASE}
        before = {name: connections.databases["default"][name] for name in place}
        stores.point_at("default", place)
        try:
            yield found
        finally:
            stores.point_at("default", before)


def addresses(house: Housed) -> dict[str, str]:
    """What children of this test are told of the main database."""
    given = {}
    for name, value in stores.child_environment().items():
        if re.fullmatch(r"DATABASE(_SYSTEM)?_URL", name):
            place = f"{house.cluster.port}/{DATABASE}?host={house.cluster.sockets}"
            given[name] = re.sub(r"\d+/\w+\?host=.*", place, value)
    return given


def disks(system: System) -> tuple[str, int]:
    """What readiness says of the disks: their state, and the fullest of the small ones in percent."""
    part = httpx.get(f"{system.origin}/readyz", timeout=30).json()["parts"]["disks"]
    return part["state"], max(part["used_percent"][f"watched {place}"] for place in (1, 2))


def until_refused(senders: Senders, people: Iterator[str]) -> list[str]:
    """Send until some are refused; return all who were sent about."""
    sent: list[str] = []
    while True:
        some = [next(people) for _ in range(TOGETHER)]
        sent += some
        answers = senders.at_once(some)
        assert {one.status for one in answers} <= {200, 503}
        refused = [one for one in answers if not one.is_acknowledged]
        assert all(one.status == 503 and one.has_support for one in refused), refused[:2]
        if refused:
            return sent


def test_a_disk_that_fills_up_is_said_before_and_costs_nothing_that_was_acknowledged(
    house: Housed, tmp_path: Path
) -> None:
    cast: Cast = players.make_cast()
    cast.on_duty()
    watched = ",".join(str(house.disks.seen(one)) for one in (house.trail, house.wal))
    own = {"CORTEX_AUDIT_ANCHOR_FILE": str(tmp_path / "anchors.jsonl"), "CORTEX_WATCHED_FOLDERS": watched}
    system = System(tmp_path, PrivateRedis(tmp_path), given=own | addresses(house), names=("web", "sweeper"))
    try:
        system.start()
        senders = Senders.of(cast, system.origin, PEOPLE)
        people = iter(senders.people)
        senders.until_all([next(people)])
        for disk in (house.trail, house.wal):
            house.disks.fill(disk, 0.85)
            state, fullest = disks(system)
            assert (state, fullest >= 80) == ("degraded", True), "the alarm comes before the harm"
            senders.until_all([next(people)])
            house.disks.fill(disk)
            if disk == house.wal:
                for _ in range(20):  # the server needs its next piece of log, and finds no room for it
                    if house.has_died():
                        break
                    try:
                        house.ask("SELECT pg_switch_wal()")
                        house.ask("CREATE TABLE IF NOT EXISTS spare (); DROP TABLE spare")
                    except Exception:
                        break
                wait_until(house.has_died, 60)
            sent = until_refused(senders, people)
            house.disks.free(disk)
            if disk == house.wal:
                house.start()
                connection.close()  # our own died with the server
                makers.scope_all()
            else:
                assert_whole(senders, sent)
            senders.until_all(sent, 120)
            assert_whole(senders, sent)
            assert_numbered(cast)
        assert_whole(senders, [one.person for one in senders.answers])
        makers.scope_all()
        print(f"\naccount: {senders.tell('disks')}")
    finally:
        system.stop()
