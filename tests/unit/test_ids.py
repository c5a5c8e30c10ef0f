"""Ids that carry their time: the order in which one process writes, also within a millisecond."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from cortex.ids import floor_of, time_of, uuid7

AT = datetime(2026, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)


def test_ids_of_one_millisecond_and_of_the_next_stand_in_the_order_in_which_they_were_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun = int(AT.timestamp()) * 1_000_000_000 + 999_000_000
    moments = iter(range(begun, begun + 2_000_000, 1_000))
    monkeypatch.setattr(time, "time_ns", lambda: next(moments))
    made = [uuid7() for _ in range(2_000)]
    assert made == sorted(made)
    assert {one.version for one in made} == {7} and {one.variant for one in made} == {made[0].variant}
    assert {time_of(one) for one in made} == {AT, datetime(2027, 1, 1, tzinfo=UTC)}
    assert floor_of(AT) <= made[0] < made[999] < floor_of(datetime(2027, 1, 1, tzinfo=UTC)) <= made[1000]


def test_ids_of_one_moment_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: 1_800_000_000_123_456_789)
    assert len({uuid7() for _ in range(1_000)}) == len({uuid7(AT) for _ in range(1_000)}) == 1_000
    assert time_of(uuid7(AT)) == AT
