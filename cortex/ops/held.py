"""What a process keeps: made once for each state behind it, bounded, oldest out first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Held(Generic[T]):
    """A bounded map; what a value depends on stands in its key, or whoever asks checks it. Thread-safe.

    `most` bounds the entries and `most_weight` their weight together (`weigh`: bytes, say).
    """

    def __init__(self, most: int, most_weight: int, weigh: Callable[[T], int]) -> None:
        self._most, self._most_weight, self._weigh = most, most_weight, weigh
        self._held: OrderedDict[Hashable, T] = OrderedDict()
        self._weight = 0
        self._lock = Lock()

    def get(self, key: Hashable) -> T | None:
        """Return what is kept, and let it live longer."""
        with self._lock:
            found = self._held.get(key)
            if found is not None:
                self._held.move_to_end(key)
            return found

    def put(self, key: Hashable, value: T) -> T:
        """Keep a value and return it."""
        with self._lock:
            before = self._held.pop(key, None)
            self._weight += self._weigh(value) - (self._weigh(before) if before is not None else 0)
            self._held[key] = value
            while self._held and (len(self._held) > self._most or self._weight > self._most_weight):
                _, oldest = self._held.popitem(last=False)
                self._weight -= self._weigh(oldest)
        return value

    def drop(self, is_over: Callable[[T], bool]) -> None:
        """Let go of every value that is over."""
        with self._lock:
            for key in [key for key, one in self._held.items() if is_over(one)]:
                self._weight -= self._weigh(self._held.pop(key))

    def forget(self) -> None:
        """Drop everything."""
        with self._lock:
            self._held.clear()
            self._weight = 0

    def __len__(self) -> int:
        return len(self._held)
