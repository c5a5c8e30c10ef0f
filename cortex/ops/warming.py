"""What a serving process computes before its first request or soon after, registered by those who need it."""

from __future__ import annotations

import gc
import sys
import threading
import time
from collections.abc import Callable, Iterable

from django.urls import get_resolver

# How long a thread computes before another gets its turn; Python's own measure is 5 ms.
TURN_SECONDS = 0.001
# After how many new objects the collector looks; Python's own measure is 700, a page can make 200,000.
COLLECTS = (20_000, 10, 10)
# Between two steps of what is computed beside the first requests, which take a millisecond or a few.
PAUSE = 0.01
_calls: list[Callable[[], object]] = []
_beside: list[Callable[[], Iterable[object]]] = []
_forks = False


def register(call: Callable[[], object]) -> None:
    """Have `call` run once in each serving process, before it serves; call it from AppConfig.ready."""
    _calls.append(call)


def register_beside(steps: Callable[[], Iterable[object]]) -> None:
    """Have the steps of `steps` taken once in each serving process, one after the other beside its requests.

    For what takes so long that nobody should wait for it at a start, nor with a first message.
    """
    _beside.append(steps)


def run() -> None:
    """Do it: nobody's first message should wait for what can be ready before.

    And let threads take turns sooner: a cry for help asks the database dozens of times, and after each answer
    it waits for the thread of a large batch to let go; the loop that serves sockets waits likewise for pages.
    """
    sys.setswitchinterval(TURN_SECONDS)
    # The addresses with all their views, which Django would import with the first request: most of a second.
    get_resolver().reverse_dict  # noqa: B018
    while _calls:
        _calls.pop()()
    # What stands now stands for ever: the collector need not look at it again, nor so often at the rest.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*map(max, COLLECTS, gc.get_threshold()))
    if not _forks:
        go_on()


def forks() -> None:
    """Say that this process serves nobody but forks those who do, and so may have no thread.

    Each of them calls `go_on`.
    """
    global _forks
    _forks = True


def go_on() -> None:
    """Begin with what is computed beside requests."""
    threading.Thread(target=_step_by_step, name="warming", daemon=True).start()


def _step_by_step() -> None:
    while _beside:
        for _ in _beside.pop()():
            time.sleep(PAUSE)
