"""The row scope as production has it: it ends with the transaction, although a test's own never ends.

A test runs inside one transaction, where `SET LOCAL` of the first action would last for everything behind it.
So whenever the application's outermost transaction ends, the scope goes back: to no organization while a
request is answered, to every organization in the test's own lines, which read what they made.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from django.core.handlers.base import BaseHandler
from django.db import connections, transaction
from django.db.backends.signals import connection_created
from django.db.models.signals import post_save
from psycopg.pq import TransactionStatus

from cortex.access import context
from cortex.accounts.models import Organization
from cortex.audit import machine, scope
from cortex.audit.actors import Actor

# Before there is an organization, somebody is named all the same: the house's own rows ask for no more.
EVERYTHING = """
    SELECT set_config(
        'app.orgs', coalesce(string_agg(id::text, ','), '00000000-0000-0000-0000-000000000000'), {}
    ) FROM accounts_organization
"""
NOTHING = "SELECT set_config('app.orgs', '', {})"


# A statement that names such a table shows nothing outside of a scope; these two show what is everybody's.
GUARDED = re.compile(r'"((?:patients|crisis|clinical)_\w+)"')
PUBLIC = {
    "crisis_crisisresource", "crisis_lexicon", "crisis_lexiconentry", "clinical_instrument",
    "clinical_instrumenttext",
}  # fmt: skip


class Baseline(threading.local):
    """What holds in this thread outside of the application's transactions; no `depth`: nobody tests here."""

    depth: int | None = None
    statement = EVERYTHING


_now = Baseline()


def _depth() -> int:
    connection = connections["default"]
    return len(connection.savepoint_ids) + int(connection.in_atomic_block)


def put_back() -> None:
    """Set the scope that holds here. Nobody counts this statement; a broken transaction takes none."""
    connection = connections["default"]
    if _now.depth is None or connection.connection is None or connection.needs_rollback:
        return
    raw = connection.connection
    if raw.closed or raw.info.transaction_status not in (TransactionStatus.IDLE, TransactionStatus.INTRANS):
        return
    raw.execute(_now.statement.format("true" if connection.in_atomic_block else "false"))


def stands_for_a_test() -> bool:
    """Whether a test's own lines run in this thread, and not what a door does."""
    return _now.depth is not None and _now.statement is EVERYTHING


@contextmanager
def _standing(statement: str) -> Iterator[None]:
    kept = _now.depth, _now.statement
    try:
        _now.depth, _now.statement = _depth(), statement
        put_back()
        yield
    finally:
        _now.depth, _now.statement = kept
        put_back()


def nobody_named() -> AbstractContextManager[None]:
    """Run what a door does: outside of its transactions no organization is named."""
    return _standing(NOTHING)


def every_organization() -> AbstractContextManager[None]:
    """Run a test's own lines, which read what they made; also around what a fixture of a module makes."""
    return _standing(EVERYTHING)


@contextmanager
def nothing() -> Iterator[None]:
    """Stand in for `scoped` where a test takes it out."""
    yield


def _refuse_unnamed(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
    """Fail the request that asks for people or alerts without having named an organization."""
    if _now.statement is NOTHING and _now.depth is not None and _depth() <= _now.depth:
        asked = set(GUARDED.findall(str(sql))) - PUBLIC
        if asked:
            raise AssertionError(f"{sorted(asked)} asked for in no named scope: use reading() or scoped()")
    return execute(sql, params, many, context)


def _leave(self: transaction.Atomic, *args: Any) -> Any:
    try:
        return _stock_exit(self, *args)
    finally:
        if self.using in (None, "default") and _now.depth is not None and _depth() <= _now.depth:
            put_back()


def _answer(self: BaseHandler, request: Any) -> Any:
    if _now.depth is None:
        return _stock_answer(self, request)
    with nobody_named(), connections["default"].execute_wrapper(_refuse_unnamed):
        return _stock_answer(self, request)


_stock_exit = transaction.Atomic.__exit__
_stock_answer = BaseHandler.get_response


def _name(actor: Actor | None) -> None:
    scope.set_scope(actor)
    if _now.depth is not None and _now.statement is EVERYTHING and actor is not None and actor.is_unbound:
        # A machine at work for everybody runs as cortex_system, which policies let pass; here it is the test.
        put_back()


def install() -> None:
    """Patch Django, and where the two machines name a scope, once for the run."""
    machine.set_scope = _name
    context.set_scope = _name
    transaction.Atomic.__exit__ = _leave  # type: ignore[method-assign]
    BaseHandler.get_response = _answer  # type: ignore[method-assign]
    connection_created.connect(_on_connection, weak=False)
    post_save.connect(_on_organization, sender=Organization, weak=False)


def _on_connection(connection: Any, **kwargs: Any) -> None:
    if connection.alias == "default":
        put_back()


def _on_organization(**kwargs: Any) -> None:
    if _now.depth is not None and _now.statement is EVERYTHING and _depth() <= _now.depth:
        put_back()


@pytest.fixture(autouse=True)
def row_scope(request: pytest.FixtureRequest) -> Iterator[None]:
    """Name every organization in a test that uses the database."""
    if request.node.get_closest_marker("django_db") is None:
        yield
        return
    request.getfixturevalue("_django_db_helper")
    with every_organization():
        yield
