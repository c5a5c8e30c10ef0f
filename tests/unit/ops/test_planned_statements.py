"""Statements that are planned once say what Django's own would; BEGIN carries one scope, never two."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test import RequestFactory

from cortex.accounts.models import User
from cortex.audit.appending import FEW, Appended
from cortex.audit.models import PhiAccessLog
from cortex.audit.scope import set_scope
from cortex.ops.postgres import base
from cortex.ops.postgres.base import begin_with_setting
from cortex.ops.postgres.kept import KeptQuery
from cortex.ops.postgres.planned import planned_cursor
from tests import makers
from tests.cast import Cast, make_cast

# The tests' own lines see every organization (`tests/scopes.py`): the scope itself would tell nothing.
SETTING = "tests.waits"


def named() -> str:
    """Return what the running transaction set."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting(%s, true), '')", [SETTING])
        return str(cursor.fetchone()[0])


@pytest.fixture
def idle() -> Iterator[None]:
    """A connection between two transactions, as each request finds it."""
    with transaction.atomic():
        named()
    assert not connection.in_atomic_block
    yield


@pytest.mark.django_db(transaction=True)
def test_a_transaction_begins_with_its_setting_and_ends_with_it(idle: None) -> None:
    with transaction.atomic():
        assert begin_with_setting(SETTING, "it's one"), "nothing was said to the server yet"
        assert named() == "it's one"
        assert not begin_with_setting(SETTING, "two"), "it has begun: this needs a statement of its own"
    assert named() == ""


@pytest.mark.django_db(transaction=True)
def test_the_setting_of_a_transaction_without_statements_is_not_the_next_ones(idle: None) -> None:
    with transaction.atomic():
        assert begin_with_setting(SETTING, "mine")
    with transaction.atomic():
        assert named() == ""
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        assert begin_with_setting(SETTING, "mine")
        raise ZeroDivisionError
    assert named() == ""
    with transaction.atomic():
        assert named() == ""


@pytest.mark.django_db(transaction=True)
def test_outside_of_a_transaction_and_behind_its_first_statement_nothing_waits(idle: None) -> None:
    assert not begin_with_setting(SETTING, "nobody's")
    with transaction.atomic():
        connection.cursor().execute("SELECT 1")
        assert not begin_with_setting(SETTING, "late")
        set_scope(None)
        assert named() == ""


@pytest.mark.django_db(transaction=True)
def test_a_connection_is_asked_first_when_it_was_long_silent_or_its_server_has_left(
    idle: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw: Any = connection.connection
    assert raw.is_fresh()
    monkeypatch.setattr(base, "FRESH_SECONDS", 0.0)
    assert not raw.is_fresh()
    monkeypatch.setattr(base, "FRESH_SECONDS", 60.0)
    assert raw.is_fresh()
    with socket.socket(fileno=os.dup(raw.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)
    assert not raw.is_fresh(), "its farewell waits to be read"
    connection.health_check_enabled, connection.health_check_done = True, False
    assert named() == "" and connection.connection is not raw, "the next page has a new one"


@pytest.mark.django_db
def test_a_kept_query_makes_the_rows_that_django_makes(cast: Cast, django_assert_num_queries: Any) -> None:
    cast.cleo.preferences = {"theme": "dark", "note": "100 %, 'quoted'"}
    cast.cleo.save()
    kept = KeptQuery(lambda: User.objects.reaching().filter(role="counselor").order_by("pk"))
    with planned_cursor() as cursor:
        cursor.execute(kept.text)
        made = [kept.row(values) for values in cursor.fetchall()]
    wanted = list(User.objects.reaching().filter(role="counselor").order_by("pk"))
    assert [one.pk for one in made] == [one.pk for one in wanted] and cast.cleo in made
    with django_assert_num_queries(0):
        for ours, theirs in zip(made, wanted, strict=True):
            assert facts(ours) == facts(theirs)
            assert facts(ours.organization) == facts(theirs.organization)
            assert ours.covers() == theirs.covers()


def facts(row: Any) -> dict[str, Any]:
    """Return all that a row holds."""
    return {name: value for name, value in vars(row).items() if name != "_state"}


@pytest.mark.django_db
@pytest.mark.parametrize("count", [1, 2, FEW + 1])
def test_appended_rows_are_those_of_bulk_create(cast: Cast, count: int) -> None:
    def row() -> PhiAccessLog:
        return PhiAccessLog(
            organization_id=cast.home.pk, actor_kind="user", actor_id=cast.cleo.pk, actor_label="Cleo's",
            actor_role="counselor", purpose="triage", data_type="board", subjects=[cast.patient.pk, uuid4()],
            sections=["a", "b"], number_to=7, legacy_ids={"x": [1]},
        )  # fmt: skip

    ours, theirs = [row() for _ in range(count)], [row() for _ in range(count)]
    Appended(PhiAccessLog).append(ours)
    Appended(PhiAccessLog).append([])
    PhiAccessLog.objects.bulk_create(theirs)
    makers.scope_all()
    for one, other in zip(ours, theirs, strict=True):
        found = facts(PhiAccessLog.objects.get(pk=one.pk)) | {"id": None, "subjects": None}
        assert found["occurred_at"] is not None
        assert found == facts(PhiAccessLog.objects.get(pk=other.pk)) | {
            "id": None, "subjects": None, "occurred_at": found["occurred_at"],
        }  # fmt: skip
        assert PhiAccessLog.objects.get(pk=one.pk).subjects == one.subjects


@pytest.mark.django_db(transaction=True)
def test_pages_run_whole_in_one_thread_and_give_their_connections_back() -> None:
    from cortex.ops import pages

    make_cast()
    seen: list[Any] = []
    sent: list[Any] = []

    class Looking(pages.Pages):
        def get_response(self, request: Any) -> Any:
            response = super().get_response(request)
            seen.append(connection.connection)
            return response

        async def send_response(self, response: Any, send: Any) -> None:
            assert all(one is not None and one.closed for one in seen), "before the first byte leaves"
            await super().send_response(response, send)

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        sent.append(message)

    async def ask() -> None:
        # An unknown cookie: the session's statement runs and finds nobody.
        scope = {
            "type": "http", "method": "GET", "path": "/board/", "query_string": b"", "root_path": "",
            "headers": [(b"host", b"testserver"), (b"cookie", b"sessionid=" + b"x" * 32)],
        }  # fmt: skip
        await Looking()(scope, receive, send)

    asyncio.run(ask())
    assert sent[0]["status"] == 302 and len(seen) == 1


def test_a_stream_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.http import StreamingHttpResponse

    from cortex.ops.pages import Pages

    handler = Pages()
    monkeypatch.setattr(handler, "get_response", lambda request: StreamingHttpResponse([b"x"]))
    monkeypatch.setattr(handler, "create_request", lambda scope, body: (RequestFactory().get("/"), None))
    with pytest.raises(RuntimeError, match="must be whole"):
        handler._answer({"type": "http", "path": "/"}, None)


def test_a_statement_is_planned_once_whatever_it_is_asked_with(db: None) -> None:
    asked = "SELECT count(*) FROM accounts_user WHERE id = ANY($1::uuid[])"
    for many in (1, 300, 2):
        with planned_cursor() as cursor:
            cursor.execute(asked, [[uuid4() for _ in range(many)]])
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement = %s", [asked]
        )
        assert cursor.fetchall() == [(3, 0)]
