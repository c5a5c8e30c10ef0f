"""Which access context is open: the one context variable of the code base; imports nothing with tables."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, Protocol
from uuid import UUID

from cortex.crypto.errors import NoAccessContext
from cortex.crypto.keys import DataKey


class OpenContext(Protocol):
    """What a sealed field asks of an access context; `cortex.access.context` holds the class."""

    def key_for(self, subject: UUID, version: int | None = None) -> DataKey:
        """Return a loaded key to seal with, without I/O."""
        ...

    def opening_key(self, field: Any, subject: UUID, version: int) -> DataKey:
        """Return the key that opens a value of a field, if that field was opened; without I/O."""
        ...


# A sealed field must be able to ask who is looking, so this stands below everything that has tables.
OPEN: ContextVar[OpenContext | None] = ContextVar("access_context", default=None)


def current() -> OpenContext:
    """Return the open context, or raise NoAccessContext."""
    context = OPEN.get()
    if context is None:
        raise NoAccessContext("a sealed field was asked for outside of an access context")
    return context
