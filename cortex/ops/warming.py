"""What a serving process computes before its first request, registered by the floors that need it."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable

# How long a thread computes before another gets its turn; Python's own measure is 5 ms.
TURN_SECONDS = 0.001
# After how many new objects the collector looks; Python's own measure is 700, a page can make 200,000.
COLLECTS = (20_000, 10, 10)
_calls: list[Callable[[], object]] = []


def register(call: Callable[[], object]) -> None:
    """Have `call` run once in each serving process, before it serves; call it from AppConfig.ready."""
    _calls.append(call)


def run() -> None:
    """Do it: nobody's first message should wait for what can be ready before.

    And let threads take turns sooner: a cry for help asks the database dozens of times, and after each answer
    it waits for the thread of a large batch to let go; the loop that serves sockets waits likewise for pages.
    """
    sys.setswitchinterval(TURN_SECONDS)
    while _calls:
        _calls.pop()()
    # What stands now stands for ever: the collector need not look at it again, nor so often at the rest.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*map(max, COLLECTS, gc.get_threshold()))
