"""PostgreSQL as Django's own backend speaks it, with an end to every wait for an answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db.backends.postgresql import base as stock
from psycopg.pq import TransactionStatus

_hurry = threading.local()


@contextmanager
def answer_within(seconds: float) -> Iterator[None]:
    """Let nothing that this thread asks a database inside wait longer than this."""
    _hurry.seconds = seconds
    try:
        yield
    finally:
        _hurry.seconds = None


class PromptConnection(psycopg.Connection[Any]):
    """A connection that gives up, and closes itself, when the server says nothing for too long.

    The server's own `statement_timeout` ends slow statements; this ends the wait for a server that stands
    still, or that a network swallowed. None waits for ever.
    """

    answer_seconds: float | None = None

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for one answer; raise OperationalError when it does not come in time."""
        limits = [self.answer_seconds, getattr(_hurry, "seconds", None), timeout]
        shortest = min((limit for limit in limits if limit is not None), default=None)
        try:
            return super().wait(gen, interval, shortest)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                # Its answer may still come, and would be taken for that to the next question.
                self.pgconn.finish()
            raise


class DatabaseWrapper(stock.DatabaseWrapper):
    """Django's wrapper; the setting ANSWER_SECONDS of a database says how long an answer is waited for."""

    def _configure_connection(self, connection: Any) -> Any:
        # Django names the class of a connection only inside a pool.
        connection.__class__ = PromptConnection
        connection.answer_seconds = self.settings_dict.get("ANSWER_SECONDS")
        return super()._configure_connection(connection)  # type: ignore[misc]
