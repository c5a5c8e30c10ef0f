"""The key cache: at most a minute, at most its size, no stale put after a forgetting, safe for threads."""

from __future__ import annotations

import threading

import pytest

from cortex.ids import uuid7
from cortex.keys.cache import MAX_SECONDS, KeyCache
from tests.unit.crypto.letters import fresh_key


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


def test_a_key_is_held_for_a_minute_from_when_it_was_read() -> None:
    clock = Clock()
    cache, subject = KeyCache(now=clock), uuid7()
    read_at = cache.now()
    clock.time += 10
    cache.put(subject, [fresh_key(subject)], generation=cache.generation, read_at=read_at)
    clock.time = read_at + MAX_SECONDS - 0.1
    assert subject in cache.get_many([subject])
    clock.time = read_at + MAX_SECONDS
    assert cache.get_many([subject]) == {} and len(cache) == 0


def test_a_key_that_nobody_asks_for_leaves_memory_too() -> None:
    clock = Clock()
    cache, old, young = KeyCache(now=clock), uuid7(), uuid7()
    cache.put(old, [fresh_key(old)], generation=0, read_at=cache.now())
    clock.time += MAX_SECONDS
    cache.put(young, [fresh_key(young)], generation=0, read_at=cache.now())
    assert len(cache) == 1


def test_longer_than_a_minute_is_refused() -> None:
    with pytest.raises(ValueError, match="60 s or less"):
        KeyCache(seconds=61)


def test_the_least_recently_used_leave_first() -> None:
    cache = KeyCache(subjects=3)
    subjects = [uuid7() for _ in range(4)]
    for subject in subjects[:3]:
        cache.put(subject, [fresh_key(subject)], generation=0, read_at=cache.now())
    cache.get_many([subjects[0]])
    cache.put(subjects[3], [fresh_key(subjects[3])], generation=0, read_at=cache.now())
    assert set(cache.get_many(subjects)) == {subjects[0], subjects[2], subjects[3]}


def test_a_read_that_began_before_a_forgetting_is_not_kept() -> None:
    cache, subject = KeyCache(), uuid7()
    generation = cache.generation
    cache.forget([subject])
    cache.put(subject, [fresh_key(subject)], generation=generation, read_at=cache.now())
    assert not cache.get_many([subject])


def test_what_is_forgotten_is_gone() -> None:
    cache, one, two = KeyCache(), uuid7(), uuid7()
    for subject in (one, two):
        cache.put(subject, [fresh_key(subject)], generation=cache.generation, read_at=cache.now())
    cache.forget([one])
    assert set(cache.get_many([one, two])) == {two}
    cache.forget()
    assert len(cache) == 0 and "01234567" not in repr(cache)


def test_threads_do_not_disturb_each_other() -> None:
    cache = KeyCache(subjects=50)
    subjects = [uuid7() for _ in range(200)]
    keys = {subject: fresh_key(subject) for subject in subjects}
    faults: list[BaseException] = []

    def work(offset: int) -> None:
        try:
            for n in range(3000):
                subject = subjects[(n * 7 + offset) % 200]
                cache.put(subject, [keys[subject]], generation=cache.generation, read_at=cache.now())
                for found, held in cache.get_many(subjects[offset : offset + 5]).items():
                    assert held == [keys[found]]
                if n % 500 == 0:
                    cache.forget()
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=work, args=(n * 20,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults and len(cache) <= 50
