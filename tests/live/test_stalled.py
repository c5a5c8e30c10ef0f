"""A reader who stalls delays nobody, is dropped, and loses nothing when it comes back."""

from __future__ import annotations

import asyncio
import base64
import gc
import os
import socket
import time
from collections.abc import Callable
from uuid import UUID

import psutil
import pytest

from cortex.live import link, metrics
from tests.live.conftest import Listener
from tests.live.stage import LiveServer, Page, board, commit, wait_until

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keys"])
BIG = "x" * 20_000
# Two hundred in the long form of `make proof`.
STALLED = 200 if os.environ.get("CORTEX_EXPLORE") else 20
MOST_GROWN = 50 * 2**20


class StalledReader:
    """A browser that joins and never reads again, with a small buffer."""

    def __init__(self, server: LiveServer, cookie: str, topic: str, after: int = 0) -> None:
        self.socket = socket.socket()
        # As over a real network: for loopback's huge segments the kernel would keep megabytes.
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.connect(("127.0.0.1", server.port))
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            "GET /ws/live/ HTTP/1.1", f"Host: 127.0.0.1:{server.port}", f"Origin: {server.origin}",
            "Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Version: 13", f"Cookie: {cookie}", "", "",
        ]  # fmt: skip
        self.socket.sendall("\r\n".join(lines).encode())
        assert b"101" in self.socket.recv(1024)
        self._say(f'{{"type":"join","topics":{{"{topic}":{after}}}}}'.encode())

    def _say(self, text: bytes) -> None:
        mask = b"\0\0\0\0"
        self.socket.sendall(bytes([0x81, 0x80 | len(text)]) + mask + text)

    def is_cut(self) -> bool:
        """Read what is left; say whether the connection ended."""
        self.socket.settimeout(0.05)
        try:
            while self.socket.recv(65536):
                pass
        except TimeoutError:
            return False
        except ConnectionError:
            return True
        return True


async def test_a_stalled_reader_is_dropped_while_others_get_everything(
    page: Callable[..., Page],
    server: LiveServer,
    cleo: Listener,
    organization: UUID,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(link, "STALL", 4.0)
    healthy = await page().open()
    stalled = await asyncio.to_thread(StalledReader, server, cleo.cookie, healthy.topic)
    before = metrics.SLOW_CLOSES._value.get()
    slowest = 0.0
    for n in range(1, 301):
        commit(organization, body=BIG)
        slowest = max(slowest, await healthy.until_number(n))
    assert healthy.shown == list(range(1, 301))
    assert slowest < link.STALL / 2
    await asyncio.to_thread(wait_until, lambda: metrics.SLOW_CLOSES._value.get() > before)
    await asyncio.to_thread(wait_until, lambda: len(server.watch.hub.sockets) == 1)
    await asyncio.sleep(link.CLOSE_WAIT + 0.5)
    assert stalled.is_cut()
    await healthy.close()


async def test_many_stalled_readers_at_once_cost_a_good_one_no_time_and_the_process_little_memory(
    server: LiveServer, sign_in: Callable[..., Listener], organization: UUID
) -> None:
    """With the production value of STALL, so that all of them stand full for five seconds of it."""
    people = [sign_in(f"cleo{n}@example.org") for n in range(1 + STALLED // 10)]
    healthy = await Page(server, people[0].cookie, board(organization)).open()
    cookies = [people[1 + n // 10].cookie for n in range(STALLED)]
    commit(organization, 20, body=BIG)  # what is made once, for whomever, is made before the measuring
    await healthy.until_number(20)
    # None of them misses anything yet: the first would be dropped before the last one has come.
    stalled = [await asyncio.to_thread(StalledReader, server, one, healthy.topic, 20) for one in cookies]
    await asyncio.to_thread(wait_until, lambda: len(server.watch.hub.sockets) == STALLED + 1)
    gc.collect()
    before, closes = psutil.Process().memory_info().rss, metrics.SLOW_CLOSES._value.get()
    delays = []
    for n in range(21, 301):
        commit(organization, body=BIG)
        delays.append(await healthy.until_number(n))
    grown = psutil.Process().memory_info().rss - before
    assert healthy.shown == list(range(1, 301))
    assert sorted(delays)[int(len(delays) * 0.99)] < link.STALL / 2
    # All that each of them was not sent would be five megabytes and a half.
    assert grown < MOST_GROWN, f"{grown / 2**20:.0f} MiB"
    await asyncio.to_thread(wait_until, lambda: len(server.watch.hub.sockets) == 1, 30)
    print(f"{STALLED} stalled readers: {grown / 2**20:.1f} MiB, slowest event {max(delays):.2f} s")
    assert metrics.SLOW_CLOSES._value.get() - closes >= STALLED
    assert await healthy.until_number(300) < link.STALL / 2
    await asyncio.sleep(link.CLOSE_WAIT + 0.5)
    assert all(one.is_cut() for one in stalled)
    await healthy.close()


async def test_a_reader_who_pauses_for_a_moment_keeps_the_connection_and_misses_nothing(
    page: Callable[..., Page], organization: UUID
) -> None:
    cleo = await page().open()
    assert cleo.socket is not None
    cleo.socket.transport.pause_reading()
    for _ in range(20):
        commit(organization, 10, body=BIG)
    await asyncio.sleep(0.5)
    cleo.socket.transport.resume_reading()
    await cleo.until_number(200)
    assert cleo.shown == list(range(1, 201))
    await cleo.close()


async def test_a_half_open_connection_is_found_by_pings(
    serve: Callable[..., LiveServer], cleo: Listener, organization: UUID
) -> None:
    """With the production values (20 s + 20 s) the same takes 40 s at most."""
    server = serve(ws_ping_interval=0.5, ws_ping_timeout=0.5)
    reader = await asyncio.to_thread(StalledReader, server, cleo.cookie, f"board:{organization}")
    await asyncio.to_thread(wait_until, lambda: server.loop and len(server.watch.hub.sockets) == 1)
    began = time.monotonic()
    await asyncio.to_thread(wait_until, lambda: not server.watch.hub.sockets)
    assert time.monotonic() - began < 10, "the production values take 20 s at least"
    assert reader.is_cut()
