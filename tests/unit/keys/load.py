"""A desk at work beside what is done to its keys: threads that read and make keys past the cache."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from uuid import UUID

from django.db import connections

from cortex.ids import uuid7
from cortex.keys import store
from cortex.keys.cache import cache

WORDS = b"words"


def sealed_words(subjects: list[UUID]) -> dict[UUID, bytes]:
    """Make a key for each and seal a word with it."""
    return {subject: keys[0].seal(WORDS, b"") for subject, keys in store.ensure_keys(subjects).items()}


def opens(sealed: Mapping[UUID, bytes]) -> bool:
    """Whether every word opens by the key that its subject has now."""
    return all(store.ensure_keys([one])[one][0].unseal(blob, b"") == WORDS for one, blob in sealed.items())


@contextmanager
def desk_at_work(sealed: Mapping[UUID, bytes], threads: int) -> Iterator[None]:
    """Open some twenty of these words again and again and make keys meanwhile; fail if a thread failed."""
    some = list(sealed)[:: max(1, len(sealed) // 20)]
    stop, faults, opened = threading.Event(), [], [0]

    def work() -> None:
        try:
            while not stop.is_set():
                cache.forget()
                for subject in some:
                    assert opens({subject: sealed[subject]})
                    opened[0] += 1
                store.ensure_keys([uuid7()])
        except BaseException as fault:
            faults.append(fault)
        finally:
            connections.close_all()

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for one in workers:
        one.start()
    try:
        yield
    finally:
        stop.set()
        for one in workers:
            one.join()
    assert not faults and opened[0] > 0
