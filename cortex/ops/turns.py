"""Whose turn it is among the threads of one process, which Python runs one at a time: short work before long.

A cry for help asks the database dozens of times. Beside batches of hundreds it would wait for their turns
after each answer; so only one long piece of work runs at once, and it pauses while a short one runs.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from django.db import connections

Row = TypeVar("Row")
# Work on more items than this is long.
SHORT = 20
# A long one that waited so many seconds begins in any case: one that hangs holds up nobody else.
LONGEST_WAIT = 5.0
# A long one asks after so many items whether a short one is under way, and pauses so many seconds for it.
ITEMS = 8
PATIENCE = 0.02
# So many seconds it pauses in all: a short one may be waiting for a row that just this long one holds.
PAUSES = 0.25

_place = threading.Lock()
_quiet = threading.Condition()
_short = 0
_here = threading.local()


@contextmanager
def turn(items: int) -> Iterator[None]:
    """Work on so many items: at once when they are few, else when no other long one runs."""
    with _shortly() if items <= SHORT else _at_length():
        yield


@contextmanager
def _shortly() -> Iterator[None]:
    global _short
    with _quiet:
        _short += 1
    try:
        yield
    finally:
        with _quiet:
            _short -= 1
            if not _short:
                _quiet.notify_all()


@contextmanager
def _at_length() -> Iterator[None]:
    has_place = _place.acquire(blocking=False)
    if not has_place:
        # Whoever waits holds nothing that a short one may need.
        connections.close_all()
        has_place = _place.acquire(timeout=LONGEST_WAIT)
    _here.pauses = PAUSES
    try:
        yield
    finally:
        _here.pauses = 0.0
        if has_place:
            _place.release()


def politely(rows: Iterable[Row]) -> Iterator[Row]:
    """Go through rows; where they are long work, let short work pass every few of them."""
    for number, row in enumerate(rows):
        if number % ITEMS == 0:
            give_way()
        yield row


def give_way() -> None:
    """Pause a long piece of work while a short one is under way: `PATIENCE` at most, `PAUSES` in all."""
    left = getattr(_here, "pauses", 0.0)
    if _short and left > 0:
        began = time.monotonic()
        with _quiet:
            _quiet.wait_for(lambda: not _short, min(PATIENCE, left))
        _here.pauses = left - (time.monotonic() - began)
