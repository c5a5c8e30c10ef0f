"""A server that says nothing over a real connection: waits add up to no more than their sum is allowed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import OperationalError, connections
from psycopg.conninfo import conninfo_to_dict

from cortex.ops.embedded import superuser_address
from cortex.ops.postgres import base
from cortex.ops.postgres.base import DatabaseWrapper, answer_within, answers_by
from cortex.ops.processes import wait_until
from tests import stores
from tests.faults.lines import Fate, Line, lines

pytestmark = pytest.mark.django_db


@contextmanager
def connected(line: Line, **options: Any) -> Iterator[DatabaseWrapper]:
    """The product's own kind of connection, over a line."""
    from django.conf import settings

    place = conninfo_to_dict(superuser_address(stores.DATA_DIR, "main", "cortex_test"))
    own = {"HOST": "127.0.0.1", "PORT": str(line.port), "USER": place["user"], "PASSWORD": place["password"],
           "CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": True, "OPTIONS": options,
           "ANSWER_SECONDS": 20.0}  # fmt: skip
    connections["line"] = DatabaseWrapper({**settings.DATABASES["default"], **own}, "line")
    ours: Any = connections["line"]
    try:
        yield ours
    finally:
        ours.close()
        if options.get("pool"):
            ours.close_pool()
        del connections["line"]


@pytest.fixture
def line() -> Iterator[Line]:
    with lines(str(stores.socket_of("main"))) as (found,):
        yield found


def ask(ours: DatabaseWrapper) -> None:
    with ours.cursor() as cursor:
        cursor.execute("SELECT 1")


def test_all_waits_of_one_request_are_over_in_its_time_however_many_they_are(line: Line) -> None:
    with connected(line, connect_timeout="3") as ours:
        ask(ours)
        line.fate = Fate.SWALLOW
        began = time.monotonic()
        with answers_by(0.5):
            for _ in range(4):
                with pytest.raises(OperationalError):
                    ask(ours)
                ours.close()
        assert time.monotonic() - began < 5
        line.mend()
        ask(ours)


def test_limits_within_limits_keep_the_shorter_and_give_the_longer_back() -> None:
    with answer_within(2.0):
        with answer_within(9.0):
            assert base._hurry.seconds == 2.0
        with answer_within(1.0):
            assert base._hurry.seconds == 1.0
        assert base._hurry.seconds == 2.0
    assert base._hurry.seconds is None
    with answers_by(2.0):
        with answers_by(60.0):
            assert (base.refuse_when_over() or 0) < 2.1
        with answers_by(0.0), pytest.raises(Exception, match="time for all answers"):
            base.refuse_when_over()
    assert base.refuse_when_over() is None


@pytest.mark.parametrize("how", ["reset", "swallow"])
def test_a_pool_whose_line_was_cut_is_made_anew_at_once(
    line: Line, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found out one by one, eight dead connections would cost eight requests, or half a minute."""
    monkeypatch.setattr(base, "CHECK_SECONDS", 0.3)
    with connected(line, pool={"min_size": 8, "max_size": 8, "timeout": 5}) as ours:
        ask(ours)
        ours.close()
        assert wait_until(lambda: ours.pool.get_stats()["pool_available"] == 8, 10)
        if how == "reset":
            assert line.reset() == 8
        else:
            line.fate = Fate.SWALLOW
            line.mend()  # what is connected anew gets through, and nothing that was connected then
        monkeypatch.setattr(base, "FRESH_SECONDS", 0.0)
        began = time.monotonic()
        for _ in range(8):
            ask(ours)
            ours.close()
        assert time.monotonic() - began < 4


def test_three_times_as_many_as_the_pool_has_wait_their_turn_or_are_refused_soon_and_it_recovers(
    line: Line,
) -> None:
    """13.1.2, 13.2.6: nobody waits for ever, nothing is held by who was refused, and all are served again."""
    most = 3
    with connected(line, pool={"min_size": 1, "max_size": most, "timeout": 1}) as ours:

        def one(seconds: float) -> str:
            own = DatabaseWrapper(ours.settings_dict, "line")
            own.inc_thread_sharing()
            began = time.monotonic()
            try:
                with own.cursor() as cursor:
                    cursor.execute("SELECT pg_sleep(%s)", [seconds])
                return "answered"
            except OperationalError:
                return "refused" if time.monotonic() - began < 2 else "waited"
            finally:
                own.close()

        with ThreadPoolExecutor(3 * most) as threads:
            assert list(threads.map(one, [0.05] * 3 * most)) == ["answered"] * 3 * most
            held = [threads.submit(one, 3) for _ in range(most)]
            assert wait_until(lambda: ours.pool.get_stats()["pool_available"] == 0, 10)
            others = list(threads.map(one, [0.01] * 2 * most))
            assert others == ["refused"] * 2 * most
            assert [one.result() for one in held] == ["answered"] * most
            assert list(threads.map(one, [0.05] * 3 * most)) == ["answered"] * 3 * most
        assert wait_until(lambda: ours.pool.get_stats()["pool_available"] >= 1, 10)
