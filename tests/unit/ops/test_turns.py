"""Short work goes before long among the threads of a process, and nobody waits for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from cortex.ops import turns

ENOUGH = 10.0
LONG = turns.SHORT + 1


@contextmanager
def beside(work: Callable[[], object]) -> Iterator[threading.Thread]:
    """Run `work` in a thread of its own, which is over when the block is left."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    yield thread
    thread.join(ENOUGH)
    assert not thread.is_alive()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every wait last until what it waits for has come."""
    for wait in ("PATIENCE", "PAUSES", "LONGEST_WAIT"):
        monkeypatch.setattr(turns, wait, ENOUGH)


def test_a_long_batch_pauses_between_its_items_until_the_short_request_is_done(patient: None) -> None:
    order: list[str] = []
    begun, go_on = threading.Event(), threading.Event()

    def batch() -> None:
        with turns.turn(LONG):
            for number in turns.politely(range(2 * turns.ITEMS)):
                if number == 0:
                    begun.set()
                    go_on.wait(ENOUGH)
            order.append("batch")

    with beside(batch) as thread:
        begun.wait(ENOUGH)
        with turns.turn(1):
            go_on.set()
            thread.join(0.2)
            order.append("cry")
    assert order == ["cry", "batch"]


@pytest.mark.parametrize(("each", "in_all"), [(0.01, ENOUGH), (ENOUGH, 0.05)])
def test_it_goes_on_all_the_same_when_short_ones_never_end(
    each: float, in_all: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "PATIENCE", each)
    monkeypatch.setattr(turns, "PAUSES", in_all)
    done = threading.Event()

    def batch() -> None:
        with turns.turn(LONG):
            assert list(turns.politely(range(LONG))) == list(range(LONG))
        done.set()

    with turns.turn(1), beside(batch):
        assert done.wait(ENOUGH)


def test_short_work_never_pauses_for_other_short_work(patient: None) -> None:
    done = threading.Event()

    def short() -> None:
        with turns.turn(turns.SHORT):
            list(turns.politely(range(turns.SHORT)))
        done.set()

    with turns.turn(1), beside(short):
        assert done.wait(ENOUGH / 2)


def test_a_batch_begins_when_the_one_before_has_ended(patient: None) -> None:
    order: list[str] = []
    begun, go_on = threading.Event(), threading.Event()

    def first() -> None:
        with turns.turn(LONG):
            begun.set()
            go_on.wait(ENOUGH)
            order.append("first")

    def second() -> None:
        with turns.turn(LONG):
            order.append("second")

    with beside(first):
        assert begun.wait(ENOUGH)
        with beside(second) as waiting:
            waiting.join(0.2)
            assert order == []
            go_on.set()
    assert order == ["first", "second"]


def test_one_that_hangs_holds_up_another_for_a_while_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "LONGEST_WAIT", 0.05)
    hang, begun, done = threading.Event(), threading.Event(), threading.Event()

    def hanging() -> None:
        with turns.turn(LONG):
            begun.set()
            hang.wait(ENOUGH)

    def other() -> None:
        with turns.turn(LONG):
            done.set()

    with beside(hanging):
        assert begun.wait(ENOUGH)
        with beside(other):
            assert done.wait(ENOUGH)
        assert turns._place.locked(), "whoever had no place gave up that of another"
        hang.set()
    assert not turns._place.locked()
