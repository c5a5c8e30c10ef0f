"""Unwrapped data keys of this process, for at most a minute: a provider's short outage is not felt."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from uuid import UUID

from cortex.crypto.keys import DataKey

MAX_SECONDS = 60.0
MAX_SUBJECTS = 5_000
"""A ready key takes about 2.7 kB, so this is 14 MB per process at most."""


class KeyCache:
    """A bounded map of subject -> its keys; the least recently used leave first. Safe for threads."""

    def __init__(
        self,
        *,
        seconds: float = MAX_SECONDS,
        subjects: int = MAX_SUBJECTS,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        if not 0 <= seconds <= MAX_SECONDS:
            raise ValueError(f"data keys are cached for {MAX_SECONDS:.0f} s or less")
        self._seconds = seconds
        self._subjects = subjects
        self._now = now
        self._lock = threading.Lock()
        self._generation = 0
        self._looked = 0.0
        self._held: OrderedDict[UUID, tuple[float, tuple[DataKey, ...]]] = OrderedDict()

    @property
    def generation(self) -> int:
        """Number of forgettings so far; give it to `put`, so that a read begun before one isn't kept."""
        return self._generation

    def get_many(self, subjects: Iterable[UUID]) -> dict[UUID, list[DataKey]]:
        """Return what is held and young enough."""
        oldest = self._now() - self._seconds
        found: dict[UUID, list[DataKey]] = {}
        with self._lock:
            for subject in subjects:
                entry = self._held.get(subject)
                if entry is None:
                    continue
                if entry[0] <= oldest:
                    del self._held[subject]
                    continue
                self._held.move_to_end(subject)
                found[subject] = list(entry[1])
        return found

    def put(self, subject: UUID, keys: Iterable[DataKey], *, generation: int, read_at: float) -> None:
        """Hold a subject's keys from the time they were read (`now()`), not from now."""
        with self._lock:
            if generation != self._generation:
                return
            self._drop_expired()
            self._held[subject] = (read_at, tuple(keys))
            self._held.move_to_end(subject)
            while len(self._held) > self._subjects:
                self._held.popitem(last=False)

    def _drop_expired(self) -> None:
        """Let what is too old leave memory, too, not only answers; looked for a few times a minute."""
        now = self._now()
        if now < self._looked + self._seconds / 4:
            return
        self._looked = now
        for subject in [one for one, (read_at, _) in self._held.items() if read_at <= now - self._seconds]:
            del self._held[subject]

    def now(self) -> float:
        """Return the clock that `read_at` is measured by."""
        return self._now()

    def forget(self, subjects: Iterable[UUID] | None = None) -> None:
        """Drop some subjects, or all: at once in this process, within a minute in the others."""
        with self._lock:
            self._generation += 1
            if subjects is None:
                self._held.clear()
                return
            for subject in subjects:
                self._held.pop(subject, None)

    def __len__(self) -> int:
        return len(self._held)

    def __repr__(self) -> str:
        return f"<KeyCache of {len(self._held)} subjects>"


cache = KeyCache()
