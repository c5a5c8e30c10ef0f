"""The bench's lean client: raw websocket frames over asyncio, no library between the wire and the clock."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import time
import uuid
from typing import Any

TOPIC = f"bench:{uuid.UUID(int=1)}"


def handshake(port: int, path: str, cookie: str) -> bytes:
    """Return the request that opens a socket as a page of the site would."""
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [
        f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Origin: http://127.0.0.1:{port}",
        "Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13", f"Cookie: sessionid={cookie}", "", "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode()


def join(last: int) -> bytes:
    """Return the masked frame that joins the bench's topic."""
    text = json.dumps({"type": "join", "topics": {TOPIC: last}}).encode()
    return bytes([0x81, 0x80 | len(text)]) + b"\0\0\0\0" + text


class Reader(asyncio.Protocol):
    """One socket: shakes hands, joins, and notes when each number arrived; `stalled` never reads again."""

    transport: Any

    def __init__(self, plan: Plan, cookie: str, last: int) -> None:
        self.plan, self.cookie, self.last = plan, cookie, last
        self.buffer = b""
        self.ready = asyncio.get_running_loop().create_future()
        self.is_open = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.transport.write(handshake(self.plan.port, self.plan.path, self.cookie))

    def data_received(self, data: bytes) -> None:
        now = time.time_ns()
        self.buffer += data
        if b"\r\n\r\n" in self.buffer and self.buffer.startswith(b"HTTP/"):
            head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
            if b" 101 " not in head.partition(b"\r\n")[0]:
                self.transport.close()
                return
            self.transport.write(join(self.last))
        while (text := self._frame()) is not None:
            self._take(text, now)

    def _frame(self) -> bytes | None:
        if len(self.buffer) < 2 or self.buffer.startswith(b"HTTP/"):
            return None
        size, start = self.buffer[1] & 127, 2
        if size > 125:
            start += 2 if size == 126 else 8
            size = int.from_bytes(self.buffer[2:start], "big")
        if len(self.buffer) < start + size:
            return None
        kind, text = self.buffer[0] & 15, self.buffer[start : start + size]
        self.buffer = self.buffer[start + size :]
        if kind == 9:
            self.transport.write(bytes([0x8A, 0x80 | len(text)]) + b"\0\0\0\0" + text)
        return text if kind == 1 else b""

    def _take(self, text: bytes, now: int) -> None:
        if text.startswith(b'{"type":"event"'):
            start = text.index(b'"n":') + 4
            n = int(text[start : text.index(b",", start)])
            self.plan.out_of_order += n != self.last + 1
            self.last = n
            self.plan.arrivals.append((n, now))
        elif text.startswith(b'{"type":"welcome"') and not self.ready.done():
            self.ready.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        self.is_open = False
        if not self.ready.done():
            self.ready.set_exception(ConnectionError("closed before the welcome"))


class Plan:
    """What one run measures."""

    def __init__(self, port: int, path: str) -> None:
        self.port, self.path = port, path
        self.arrivals: list[tuple[int, int]] = []
        self.out_of_order = 0

    async def open(self, cookies: list[str], last: int) -> list[Reader]:
        """Open a socket per cookie, at most 40 handshakes at a time."""
        gate = asyncio.Semaphore(40)

        async def one(cookie: str) -> Reader:
            async with gate:
                loop = asyncio.get_running_loop()
                _, reader = await loop.create_connection(
                    lambda: Reader(self, cookie, last), "127.0.0.1", self.port
                )
                await asyncio.wait_for(reader.ready, 60)
                return reader

        return await asyncio.gather(*(one(cookie) for cookie in cookies))
