"""Counselors' pages: real sockets that keep what they were shown, fall behind, and lose their line."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import httpx
import websockets

from tests.faults.nemesis.ledger import Ledger

ACTIVE = 60.0  # a page says at most once a minute that somebody uses it
SILENT = 15.0  # a page that hears nothing for so long opens another line


class Screen:
    """One page, as live.js keeps it: joins with its last number, says what it saw, comes back by itself."""

    def __init__(
        self, ledger: Ledger, name: str, origins: Sequence[str], cookie: str, topic: str, seed: int,
        heed: Callable[[str, int], None],
    ) -> None:  # fmt: skip
        self.ledger, self.name, self.cookie, self.topic = ledger, name, cookie, topic
        self.origins, self.heed = itertools.cycle(origins), heed
        self.rng = random.Random(seed)
        self.last = 0
        self.numbers: set[int] = set()
        self.stopping = threading.Event()
        self.plan: list[tuple[float, str]] = []

    def run(self, seconds: float, each: int) -> None:
        """Stay until stopped; within the seconds lose the line and read nothing for a while, `each` times."""
        moments = [(self.rng.uniform(0, seconds), kind) for kind in ("cut", "stall") for _ in range(each)]
        began = time.monotonic()
        self.plan = [(began + moment, kind) for moment, kind in sorted(moments)]
        asyncio.run(self._stay())

    async def _stay(self) -> None:
        while not self.stopping.is_set():
            with suppress(OSError, websockets.WebSocketException, TimeoutError, httpx.HTTPError):
                await self._sit(next(self.origins))
            await asyncio.sleep(0.2)

    async def _sit(self, origin: str) -> None:
        headers = {"Cookie": self.cookie}
        address = origin.replace("http", "ws") + "/ws/live/"
        opened = websockets.connect(
            address, origin=origin, additional_headers=headers, open_timeout=8, max_queue=4,  # type: ignore[arg-type]
        )  # fmt: skip
        async with opened as line:
            await line.send(json.dumps({"type": "join", "topics": {self.topic: self.last}}))
            heard = told = time.monotonic()
            while not self.stopping.is_set():
                if self.plan and time.monotonic() > self.plan[0][0]:
                    _, kind = self.plan.pop(0)
                    self.ledger.fault(kind, target=self.name)
                    if kind == "cut":
                        line.transport.abort()
                        return
                    line.transport.pause_reading()
                    await asyncio.sleep(self.rng.uniform(2, 4))
                    line.transport.resume_reading()
                with suppress(TimeoutError):
                    self._take(json.loads(await asyncio.wait_for(line.recv(), 0.5)))
                    heard = time.monotonic()
                if time.monotonic() - heard > SILENT:
                    return
                if self.last and time.monotonic() - told > 0.5:
                    told = time.monotonic()
                    await line.send(json.dumps({"type": "seen", "topic": self.topic, "n": self.last}))

    def _take(self, message: dict[str, Any]) -> None:
        if message["type"] == "event":
            self.last = message["n"]
            self.numbers.add(message["n"])
            self.ledger.note("shown", screen=self.name, n=message["n"], alert=message["alert"])
            self.heed(message["alert"], message["n"])
        elif message["type"] == "reload":
            # More was missed than a replay holds: a page would show the list, and the account counts the gap.
            self.ledger.note("reload", screen=self.name)
