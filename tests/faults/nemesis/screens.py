"""Counselors' pages: real sockets that keep what they were shown, fall behind, and lose their line."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import httpx
import websockets

from cortex.live.link import STALL
from tests.faults.nemesis.ledger import Ledger

ACTIVE = 60.0  # a page says at most once a minute that somebody uses it
SILENT = 15.0  # a page that hears nothing for so long opens another line
# A long stall goes on until the others were shown so many numbers, twice what a line takes, and then for as
# long as the server waits and a second; the last figure is when its pings have gone unanswered for too long.
ENOUGH, LONGEST = 80, 46.0
# So soon after a stall a line that ends was given up by the server.
AFTERWARDS = 10.0


class Screen:
    """One page, as live.js keeps it: joins with its last number, says what it saw, comes back by itself."""

    def __init__(
        self, ledger: Ledger, name: str, webs: dict[str, str], cookie: str, topic: str, seed: int,
        heed: Callable[[str, int], None], ahead: Callable[[], int], pid_of: Callable[[str], int],
    ) -> None:  # fmt: skip
        self.ledger, self.name, self.cookie, self.topic = ledger, name, cookie, topic
        self.webs, self.heed, self.ahead = itertools.cycle(list(webs.items())), heed, ahead
        self.pid_of, self.until = pid_of, 0.0
        self.rng = random.Random(seed)
        self.last = 0
        self.numbers: set[int] = set()
        self.stopping = threading.Event()
        self.plan: list[tuple[float, str]] = []
        self.stalled: tuple[float, float] | None = None  # the last long stall on the present line

    def run(self, seconds: float, each: int, place: int) -> None:
        """Stay until stopped; within the seconds lose the line and read nothing for a while, `each` times.

        Every other stall is a long one, beginning with those of the screens at even places.
        """
        moments = [(self.rng.uniform(0, seconds), "cut") for _ in range(each)]
        for number in range(each):
            # What is to be said during a long one must still come.
            is_long = (place + number) % 2 == 0
            span = (0.1 * seconds, 0.6 * seconds) if is_long else (0.0, seconds)
            moments.append((self.rng.uniform(*span), "long stall" if is_long else "stall"))
        began = time.monotonic()
        self.until = began + seconds
        self.plan = [(began + moment, kind) for moment, kind in sorted(moments)]
        asyncio.run(self._stay())

    async def _stay(self) -> None:
        while not self.stopping.is_set():
            web, origin = next(self.webs)
            self.stalled, pid = None, self.pid_of(web)
            try:
                await self._sit(origin)
            except websockets.ConnectionClosed as end:
                self._note_drop(web, end)
            except (OSError, websockets.WebSocketException, TimeoutError, httpx.HTTPError):
                pass
            if self.stalled is not None and self.pid_of(web) != pid and time.monotonic() < self.until:
                # It ended with its web process, which says nothing: once more, on the next line.
                self.plan.insert(0, (time.monotonic() + 1.0, "long stall"))
            await asyncio.sleep(0.2)

    async def _sit(self, origin: str) -> None:
        headers = {"Cookie": self.cookie}
        address = origin.replace("http", "ws") + "/ws/live/"
        narrow = await asyncio.to_thread(narrow_line, origin)
        opened = websockets.connect(
            address, origin=origin, additional_headers=headers, open_timeout=8, max_queue=4,  # type: ignore[arg-type]
            sock=narrow, ping_interval=None,
        )  # fmt: skip
        async with opened as line:
            await line.send(json.dumps({"type": "join", "topics": {self.topic: self.last}}))
            heard = told = time.monotonic()
            while not self.stopping.is_set():
                if self.plan and time.monotonic() > self.plan[0][0]:
                    _, kind = self.plan.pop(0)
                    if kind == "cut":
                        self.ledger.fault(kind, target=self.name)
                        line.transport.abort()
                        return
                    await self._stall(line, is_long=kind == "long stall")
                with suppress(TimeoutError):
                    self._take(json.loads(await asyncio.wait_for(line.recv(), 0.5)))
                    heard = time.monotonic()
                if time.monotonic() - heard > SILENT:
                    return
                if self.last and time.monotonic() - told > 0.5:
                    told = time.monotonic()
                    await line.send(json.dumps({"type": "seen", "topic": self.topic, "n": self.last}))

    async def _stall(self, line: websockets.ClientConnection, *, is_long: bool) -> None:
        """Read nothing: for some seconds, or until the server must have given the line up."""
        since = time.time()
        line.transport.pause_reading()
        if is_long:
            latest, enough = time.monotonic() + LONGEST - STALL - 1.0, self.ahead() + ENOUGH
            while self.ahead() < enough and time.monotonic() < latest and not self.stopping.is_set():
                await asyncio.sleep(0.2)
            await asyncio.sleep(STALL + 1.0)
        else:
            await asyncio.sleep(self.rng.uniform(2, 4))
        line.transport.resume_reading()
        if is_long:
            self.stalled = since, time.monotonic()
        self.ledger.fault("stall", target=self.name, since=since, until=time.time())

    def _note_drop(self, web: str, end: websockets.ConnectionClosed) -> None:
        """Note that a line was found to be ended when its page read again."""
        if self.stalled is None or time.monotonic() - self.stalled[1] > AFTERWARDS:
            return
        code = end.rcvd.code if end.rcvd else None
        self.ledger.note(
            "dropped", screen=self.name, web=web, since=self.stalled[0], code=code, last=self.last
        )

    def _take(self, message: dict[str, Any]) -> None:
        if message["type"] == "event":
            self.last = message["n"]
            self.numbers.add(message["n"])
            self.ledger.note("shown", screen=self.name, n=message["n"], alert=message["alert"])
            self.heed(message["alert"], message["n"])
        elif message["type"] == "reload":
            # More was missed than a replay holds: a page would show the list, and the account counts the gap.
            self.ledger.note("reload", screen=self.name)


def narrow_line(origin: str) -> socket.socket:
    """Connect as over a real network: by loopback's huge segments the kernel takes megabytes for a page that
    reads nothing, and no server would notice that it does.
    """
    found = socket.socket()
    try:
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        found.settimeout(8)
        parts = urlsplit(origin)
        found.connect((parts.hostname, parts.port))
    except OSError:
        found.close()
        raise
    return found
