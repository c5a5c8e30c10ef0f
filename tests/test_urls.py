"""Every address of the house: declared, closed to strangers, on record, and the same as the reviewed matrix."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import transaction

from tests.walk.addresses import addresses
from tests.walk.doors import Doors
from tests.walk.rounds import Walk, table, walk_api, walk_pages, walk_rows
from tests.walk.world import World, make_world

MATRIX = Path(__file__).with_name("access_matrix.txt")
# Reviewed by hand: everything that answers without a key, a token or a session.
OPEN = {
    "account_login",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
    "accounts:invitation_accept",
    "accounts:invitation_open",
    "admin:login",
    "crisis:resources",
    "ops:alive_show",
    "ops:metrics_show",
    "ops:readiness_show",
}


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: object) -> Iterator[World]:
    """The world of the walk, made once and rolled back at the end."""
    main, keys = transaction.atomic(), transaction.atomic(using="keys")
    main._from_testcase = keys._from_testcase = True  # type: ignore[attr-defined]  # keys commit "durably" inside
    with django_db_blocker.unblock(), main, keys:  # type: ignore[attr-defined]
        yield make_world()
        transaction.set_rollback(True)
        transaction.set_rollback(True, using="keys")


@pytest.fixture(scope="module")
def walked(world: World) -> Walk:
    """The whole round."""
    walk, doors = Walk(), Doors(world)
    walk_rows(world, doors, walk)
    walk_pages(world, doors, walk)
    walk_api(world, doors, walk)
    walk.faults += doors.faults
    walk.asked = doors.asked
    return walk


def test_every_address_declares_who_may_use_it() -> None:
    assert [address.pattern for address in addresses() if address.access is None] == []


def test_the_open_addresses_are_the_written_ones() -> None:
    open_ones = {one.name for one in addresses() if one.access is not None and one.access.how == "public"}
    assert open_ones == OPEN


def test_every_address_with_an_id_has_a_pair(walked: Walk) -> None:
    assert walked.unpaired == []


def test_the_entitled_come_in_and_strangers_find_nothing(walked: Walk) -> None:
    assert walked.asked > 3000
    assert walked.faults == [], "\n".join(["", *walked.faults])


def test_the_matrix_is_the_reviewed_one(walked: Walk) -> None:
    found = table(walked.rows)
    if os.environ.get("UPDATE_ACCESS_MATRIX") == "1":
        MATRIX.write_text(found)
    assert found == MATRIX.read_text(), "access changed; review it, then run with UPDATE_ACCESS_MATRIX=1"
