"""PostgreSQL that stands still (no answer, no closed connection): said in time, over when it goes on."""

from __future__ import annotations

import asyncio
import gc
import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psutil
import pytest
from django.db import OperationalError, connection, connections

from cortex.live.threads import check_in_thread
from cortex.ops.postgres.base import answer_within
from cortex.ops.queries import answers
from tests.cast import Cast
from tests.live.conftest import Listener
from tests.live.stage import LiveServer, Page, board
from tests.live.test_board import raised
from tests.stores import DATA_DIR

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys"])


@contextmanager
def standing_still() -> Iterator[None]:
    """Stop the main cluster's server with all its processes, and let it go on afterwards."""
    postmaster = psutil.Process(
        int((DATA_DIR / "stores/postgres-main/postmaster.pid").read_text().split()[0])
    )
    members = [postmaster, *postmaster.children(recursive=True)]
    for member in members:
        member.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for member in members:
            with suppress(psutil.NoSuchProcess):
                member.send_signal(signal.SIGCONT)


def ask(server: LiveServer, path: str, token: str = "") -> tuple[int, str]:
    request = Request(f"{server.origin}{path}", headers={"Authorization": f"Bearer {token}"})  # noqa: S310
    try:
        with urlopen(request, timeout=60) as answer:  # noqa: S310 - our own address
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


async def test_a_database_that_stands_still_is_told_and_the_board_comes_back(
    desk: LiveServer,
    cast: Cast,
    signed_in: Callable[[object], Listener],
    settings: object,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for alias in ("default", "keys"):
        # The same dict that every thread's connection reads.
        monkeypatch.setitem(connections.settings[alias], "ANSWER_SECONDS", 1.0)
    cast.on_duty()
    page = await Page(desk, signed_in(cast.cleo).cookie, board(cast.home.pk)).open()
    await page.say({"type": "ping"})
    await page.until("tick")
    assert ask_state(await asyncio.to_thread(ask, desk, "/readyz")) == (200, "ok")
    with standing_still():
        # All of these come back while the server still stands, or never.
        assert ask_state(await asyncio.to_thread(ask, desk, "/readyz")) == (503, "down")
        token = settings.CORTEX_METRICS_TOKEN  # type: ignore[attr-defined]
        status, figures = await asyncio.to_thread(ask, desk, "/metrics", token)
        assert (status, 'cortex_ready{part="database"} 0.0' in figures) == (200, True)
        assert 'cortex_heartbeat_age_seconds{name="sweeper"} NaN' in figures
        with pytest.raises((OperationalError, TimeoutError)):
            await on_loop(desk, check_in_thread(answers, "default"))
        assert await on_loop(desk, check_in_thread(lambda: "free")) == "free"
    connection.close()
    # Whoever gave up in the middle of connecting leaves a server process that waits a minute for a password,
    # and meanwhile no database can be dropped: nothing may hold such a connection any more.
    gc.collect()
    await asyncio.to_thread(wait_ready, desk)
    alert = raised(cast)
    card = await page.until("event", 20)
    assert card["alert"] == str(alert.pk)
    await page.close()


def ask_state(answer: tuple[int, str]) -> tuple[int, str]:
    return answer[0], json.loads(answer[1])["parts"]["database"]["state"]


def wait_ready(server: LiveServer) -> None:
    for _ in range(50):
        if ask_state(ask(server, "/readyz")) == (200, "ok"):
            return
    raise AssertionError("not ready again")


async def on_loop(server: LiveServer, work: object) -> object:
    """Run a coroutine in the server's loop and wait for it here."""
    assert server.loop is not None
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, server.loop))  # type: ignore[arg-type]


def test_a_connection_whose_answer_is_still_to_come_is_not_used_again(db: None) -> None:
    connection.close()
    with pytest.raises(OperationalError), answer_within(0.2), connection.cursor() as cursor:
        cursor.execute("SELECT 'first', pg_sleep(3)")
    assert connection.connection is None or connection.connection.closed
    connection.close()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 'second'")
        assert cursor.fetchone() == ("second",)
