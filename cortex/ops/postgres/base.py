"""PostgreSQL as Django's own backend speaks it, with an end to every wait for an answer."""

from __future__ import annotations

import select
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from typing import Any
from uuid import UUID

import psycopg
from django.db import connection
from django.db.backends.postgresql import base as stock
from psycopg import generators, sql
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.types.array import ListDumper
from psycopg_pool import ConnectionPool

_hurry = threading.local()
# The function of the server that gives up a commit's wait for its standby; its name needs no translation.
GAVE_UP = "SyncRepWaitForLSN"
# A connection that was heard this lately is used without asking first; asked, it has so long for its answer.
FRESH_SECONDS = 1.0
CHECK_SECONDS = 3.0
COMPILED: Any = psycopg.adapters.get_loader(psycopg.adapters.types["timestamptz"].oid, psycopg.pq.Format.TEXT)


@contextmanager
def answer_within(seconds: float) -> Iterator[None]:
    """Let nothing that this thread asks a database inside wait longer than this."""
    before = getattr(_hurry, "seconds", None)
    _hurry.seconds = seconds if before is None else min(seconds, before)
    try:
        yield
    finally:
        _hurry.seconds = before


@contextmanager
def answers_by(seconds: float) -> Iterator[None]:
    """Let all that this thread asks its databases inside be over in so many seconds, however often it asks.

    Limits of single waits add up: a request asks two databases, and asks again for its refusal.
    """
    before = getattr(_hurry, "until", None)
    until = time.monotonic() + seconds
    _hurry.until = until if before is None else min(until, before)
    try:
        yield
    finally:
        _hurry.until = before


def refuse_when_over() -> float | None:
    """Return the seconds that this thread may still wait, None for any; raise OperationalError for none."""
    until = getattr(_hurry, "until", None)
    if until is None:
        return None
    left = float(until - time.monotonic())
    if left <= 0:
        raise psycopg.OperationalError("the time for all answers is over")
    return left


class TimesInUtc:
    """Stands for psycopg's compiled loader, a tenth of what Django's own costs, where Django asks a zone.

    What it loads is in ZoneInfo("UTC"), not in `datetime.timezone.utc`.
    """

    timezone = UTC
    format = psycopg.pq.Format.TEXT

    def __new__(cls, oid: int, context: Any = None) -> Any:
        """Return the compiled one."""
        return COMPILED(oid, context)


class QuickLists(ListDumper):
    """psycopg's lists, where those of ids are written at once: a caseload asks two dozen times with 300."""

    def dump(self, obj: list[Any]) -> Any:
        """Return the text of an array."""
        if not obj or any(type(one) is not UUID for one in obj):
            return super().dump(obj)
        return f"{{{','.join([f'{one.int:032x}' for one in obj])}}}".encode()


class PromptConnection(psycopg.Connection[Any]):
    """A connection that gives up, and closes itself, when the server says nothing for too long.

    The server's own `statement_timeout` ends slow statements; this ends the wait for a server that stands
    still, or that a network swallowed. None waits for ever.
    """

    answer_seconds: float | None = None
    is_unreplicated = False
    # When the server last said something, by `time.monotonic`.
    heard_at = 0.0
    # A setting of the transaction that has not yet begun, as SQL.
    begins_with: bytes = b""

    def _start_query(self) -> Any:
        """Begin the transaction if none is, and set in the same round trip what it begins with."""
        setting, self.begins_with = self.begins_with, b""
        if not setting or self._autocommit or self.pgconn.transaction_status != TransactionStatus.IDLE:
            yield from super()._start_query()
            return
        self.pgconn.send_query(self._get_tx_start_command() + b"; " + setting)
        for result in (yield from generators.execute(self.pgconn)):
            if result.status not in (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK):
                raise psycopg.errors.error_from_result(result, encoding=self.pgconn._encoding)

    def hear(self, notice: psycopg.errors.Diagnostic) -> None:
        """Remember that the server gave up waiting for its synchronous standby."""
        if notice.source_function == GAVE_UP:
            self.is_unreplicated = True

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for one answer; raise OperationalError when it does not come in time.

        A commit whose wait for the standby was cancelled comes back as done, with a warning: it is on this
        server alone and would be lost with it, so nobody may be told that it is safe.
        """
        limits = [self.answer_seconds, getattr(_hurry, "seconds", None), timeout, refuse_when_over()]
        shortest = min((limit for limit in limits if limit is not None), default=None)
        try:
            answer = super().wait(gen, interval, shortest)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                # Its answer may still come, and would be taken for that to the next question.
                self.pgconn.finish()
            raise
        self.heard_at = time.monotonic()
        if self.is_unreplicated:
            self.is_unreplicated = False
            raise psycopg.OperationalError("committed here, but not known to be on the standby")
        return answer

    def is_fresh(self) -> bool:
        """Whether the server spoke a moment ago and nothing came since: a farewell would wait to be read."""
        if self.pgconn.transaction_status != TransactionStatus.IDLE:
            return False
        if time.monotonic() - self.heard_at > FRESH_SECONDS:
            return False
        look = select.poll()
        look.register(self.pgconn.socket, select.POLLIN)
        return not look.poll(0)


def begin_with_setting(name: str, value: str) -> bool:
    """Let the transaction that was just opened begin with a setting of its own; False when it runs already.

    Django opens a transaction without a word to the server: its BEGIN goes out with the first statement.
    """
    raw = connection.connection
    if (
        not isinstance(raw, PromptConnection)
        or raw.autocommit
        or not connection.in_atomic_block
        or raw.pgconn.transaction_status != TransactionStatus.IDLE
    ):
        return False
    setting = sql.SQL("SELECT set_config({}, {}, true)").format(name, value)
    raw.begins_with = setting.as_bytes(raw)
    return True


def check_unless_fresh(raw: Any) -> None:
    """Ask a connection of the pool whether it lives, unless its server spoke a moment ago.

    What ended one has ended the others: they are all replaced at once, since the pool would find them out one
    by one, a second apart at first and longer each time.
    """
    if isinstance(raw, PromptConnection) and raw.is_fresh():
        return
    try:
        with answer_within(CHECK_SECONDS):
            ConnectionPool.check_connection(raw)
    except psycopg.Error:
        pool = raw._pool
        if pool is not None and raw._created_at > pool._drained_at:
            pool.drain()
        raise


def is_lost() -> bool:
    """Whether the connection of this thread is gone, so that nothing more can be done in its transaction."""
    return connection.connection is None or bool(connection.connection.closed)


class DatabaseWrapper(stock.DatabaseWrapper):
    """Django's wrapper; the setting ANSWER_SECONDS of a database says how long an answer is waited for."""

    def _configure_connection(self, connection: Any) -> Any:
        # Django names the class of a connection only inside a pool.
        if connection.__class__ is not PromptConnection:
            connection.__class__ = PromptConnection
            connection.add_notice_handler(connection.hear)
        connection.answer_seconds = self.settings_dict.get("ANSWER_SECONDS")
        if self.timezone_name == "UTC":
            connection.adapters.register_loader("timestamptz", TimesInUtc)
        connection.adapters.register_dumper(list, QuickLists)
        return super()._configure_connection(connection)  # type: ignore[misc]

    def get_new_connection(self, conn_params: Any) -> Any:
        """Connect, or take a connection of the pool, while this thread may still wait."""
        refuse_when_over()
        return super().get_new_connection(conn_params)  # type: ignore[misc]

    def close_if_health_check_failed(self) -> None:
        """Ask the server, unless it was there just now: a busy process asks but once a second."""
        raw = self.connection
        if isinstance(raw, PromptConnection) and raw.is_fresh():
            self.health_check_done = True
        with answer_within(CHECK_SECONDS):
            super().close_if_health_check_failed()

    @property
    def pool(self) -> Any:
        """Return Django's pool, whose connections are asked as seldom."""
        found = super().pool
        if found is not None and found._check is not None:
            found._check = check_unless_fresh
        return found

    def _set_autocommit(self, autocommit: bool) -> None:
        # Where a transaction ended before its first statement, the next one must not begin with its setting.
        if isinstance(self.connection, PromptConnection):
            self.connection.begins_with = b""
        super()._set_autocommit(autocommit)  # type: ignore[misc]
