"""How many reports one network, and everybody together, may send to this process; memory alone."""

from __future__ import annotations

import threading
import time
from collections import Counter

WINDOW_SECONDS = 60
PER_NETWORK = 60
TOGETHER = 300


class Throttle:
    """Counts by the minute. It costs a flood nothing to send and us nothing to refuse: no store is asked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._window = 0
        self._sent: Counter[str] = Counter()

    def is_over(self, network: str) -> bool:
        """Count a report of a network; tell whether it, or all of them, sent too many in this minute."""
        window = int(time.monotonic() // WINDOW_SECONDS)
        with self._lock:
            if window != self._window:
                self._window = window
                self._sent.clear()
            # What is refused isn't counted, so there are never more names than reports that were taken.
            if self._sent[network] >= PER_NETWORK or self._sent.total() >= TOGETHER:
                return True
            self._sent[network] += 1
            return False

    def forget(self) -> None:
        """Begin anew."""
        with self._lock:
            self._sent.clear()


reports = Throttle()
