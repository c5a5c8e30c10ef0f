"""The short way out: the very bytes that the server would have made, and only where nothing changes them."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from websockets.frames import Frame as ServerFrame
from websockets.frames import Opcode
from websockets.protocol import OPEN

from cortex.live import link, wire
from cortex.live.link import Link, Sent
from tests.live.conftest import Listener
from tests.live.stage import LiveServer, Page, commit, connect


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 70000])
def test_ready_bytes_are_those_of_the_server(size: int) -> None:
    text = "ä" * (size // 2) + "x" * (size % 2)
    expected = ServerFrame(Opcode.TEXT, text.encode()).serialize(mask=False)
    assert wire.framed(text) == expected


def connection(**changes: Any) -> Any:
    """A connection that may be written to, but for what the test changes."""
    values = {
        "handshake_complete": True, "disconnected": False, "close_sent": False, "initial_response": None,
        "writable": SimpleNamespace(is_set=lambda: True), "conn": SimpleNamespace(state=OPEN),
        "transport": SimpleNamespace(is_closing=lambda: False),
    }  # fmt: skip
    return SimpleNamespace(**{**values, **changes})


@pytest.mark.parametrize(
    ("trouble", "value"),
    [
        ("handshake_complete", False),
        ("disconnected", True),
        ("close_sent", True),
        ("initial_response", (403, [], b"")),
        ("writable", SimpleNamespace(is_set=lambda: False)),
        ("conn", SimpleNamespace(state=OPEN + 1)),
        ("transport", SimpleNamespace(is_closing=lambda: True)),
    ],
)
def test_a_connection_in_trouble_is_left_to_the_server(trouble: str, value: object) -> None:
    assert wire.is_ready(connection())
    assert not wire.is_ready(connection(**{trouble: value}))


async def test_a_server_that_is_not_known_gets_messages() -> None:
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    assert Link(send).offer(link.text_frame("{}")) is Sent.DONE
    assert sent == [{"type": "websocket.send", "text": "{}"}]


@pytest.mark.django_db(transaction=True, databases=["default", "keys"])
async def test_the_pinned_uvicorn_is_written_to_directly(
    page: Callable[..., Page], server: LiveServer, organization: UUID
) -> None:
    open_page = await page().open()
    assert [one.link._connection is not None for one in server.watch.hub.sockets] == [True]
    commit(organization, body="grüße" * 20_000)
    commit(organization)
    await open_page.until_number(2)
    assert open_page.shown == [1, 2]
    await open_page.close()


@pytest.mark.django_db(transaction=True, databases=["default", "keys"])
async def test_a_connection_that_compresses_is_left_to_the_server(
    serve: Callable[..., LiveServer], cleo: Listener, organization: UUID
) -> None:
    server = serve(ws_per_message_deflate=True)
    page = Page(server, cleo.cookie, f"board:{organization}")
    page.socket = await connect(server, cleo.cookie, compression="deflate")
    await page.say({"type": "join", "topics": {page.topic: 0}})
    await page.until("welcome")
    assert [one.link._connection for one in server.watch.hub.sockets] == [None]
    commit(organization, body="x" * 2000)
    await page.until_number(1)
    await page.close()
