"""What doesn't open: what is said in its place, so that a page goes on, and its letter after the answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import structlog

from cortex.crypto.errors import DecryptError, KeyDestroyed, KeyMissing, SealedError

UNREADABLE = "can't be read"
# What concerns one value. That keys can't be had now is another matter: it passes (KEYS_DOWN).
LOST = (DecryptError, KeyMissing, KeyDestroyed)
log = structlog.get_logger("cortex.access")

_met: ContextVar[list[SealedError] | None] = ContextVar("unreadable", default=None)


def readable(row: Any, field: str, instead: Any = "") -> Any:
    """Return an opened value of a row ("" for none), or what is said instead of one that can't be read.

    For what is shown or compared only: a form that is filled so would write the words over the value.
    """
    try:
        return getattr(row, field) or ""
    except LOST as error:
        log.error("a value can't be read", field=f"{row._meta.label}.{field}", row=str(row.pk))
        met = _met.get()
        # An erased person's can't be read on purpose: nobody need look for it.
        if met is not None and not isinstance(error, KeyDestroyed):
            met.append(error)
        return instead


@contextmanager
def gathered() -> Iterator[list[SealedError]]:
    """Gather what can't be read while an answer is made; its letters are written when no look is open."""
    met: list[SealedError] = []
    token = _met.set(met)
    try:
        yield met
    finally:
        _met.reset(token)
