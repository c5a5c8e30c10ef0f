"""The one role that may change or delete rows of an erasable append-only table; never the trail's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def as_eraser(needed: bool = True) -> Iterator[None]:
    """Be cortex_eraser for a few statements of the transaction that runs; only the system role may."""
    if not needed:
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT quote_ident(current_user)")
        ((role,),) = cursor.fetchall()
        cursor.execute("SET LOCAL ROLE cortex_eraser")
    yield
    # After a fault the whole transaction goes, and this with it.
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {role}")
