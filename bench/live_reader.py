"""The bench's lean clients: raw websocket frames, no library between the wire and the clock."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
import threading
import time
from typing import Any

# A stalled reader is dropped after 5 s and cut 2 s later; like a page, it then comes back.
STALL_AGAIN = 7.5


def handshake(port: int, path: str, cookie: str) -> bytes:
    """Return the request that opens a socket as a page of the site would."""
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [
        f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Origin: http://127.0.0.1:{port}",
        "Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13", f"Cookie: sessionid={cookie}", "", "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode()


def join(topics: dict[str, int | None]) -> bytes:
    """Return the masked frame that joins topics after the given numbers."""
    text = json.dumps({"type": "join", "topics": topics}, separators=(",", ":")).encode()
    size = bytes([0x80 | len(text)]) if len(text) < 126 else bytes([0xFE]) + len(text).to_bytes(2, "big")
    return b"\x81" + size + b"\0\0\0\0" + text


class Reader(asyncio.Protocol):
    """One socket: shakes hands, joins, and notes when each number arrived."""

    transport: Any

    def __init__(self, plan: Plan, group: int, cookie: str, topics: dict[str, int | None]) -> None:
        self.plan, self.group, self.cookie, self.topics = plan, group, cookie, topics
        self.last: dict[str, int] = {}
        self.first: dict[str, int] = {}
        self.buffer = b""
        self.ready = asyncio.get_running_loop().create_future()
        self.is_open = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.transport.write(handshake(self.plan.ports[self.group], self.plan.path, self.cookie))

    def data_received(self, data: bytes) -> None:
        now = time.time_ns()
        self.buffer += data
        if self.buffer.startswith(b"HTTP/") and b"\r\n\r\n" in self.buffer:
            head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
            if b" 101 " not in head.partition(b"\r\n")[0]:
                self.transport.close()
                return
            self.transport.write(join(self.topics))
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
        # With or without a blank after the colon: the two designs write their JSON differently.
        kind = text[8:18]
        if b'"event"' in kind:
            topic = text.split(b'"', 8)[7].decode()
            start = text.index(b'"n":') + 4
            n = int(text[start : text.index(b",", start)])
            last = self.last.get(topic)
            if last is not None:
                self.plan.doubled += n <= last
                self.plan.skipped += max(0, n - last - 1)
            self.last[topic] = n
            if topic == self.plan.topic:
                self.plan.arrivals.append((n, now, self.group))
            else:
                self.plan.board_received[self.group] += 1
        elif b'"welcome' in kind and not self.ready.done():
            self.last |= json.loads(text)["topics"]
            self.first = dict(self.last)
            self.ready.set_result(None)
        elif b'"reload"' in kind or b'"gone"' in kind:
            self.plan.reloads += 1

    def connection_lost(self, error: Exception | None) -> None:
        self.is_open = False
        if not self.ready.done():
            self.ready.set_exception(ConnectionError("closed before the welcome"))


class Plan:
    """What one run measures; a group is the readers of one server."""

    def __init__(self, ports: list[int], path: str, topic: str) -> None:
        self.ports, self.path, self.topic = ports, path, topic
        self.arrivals: list[tuple[int, int, int]] = []
        self.board_received = [0] * len(ports)
        self.doubled = self.skipped = self.reloads = self.turned_away = 0

    async def open(self, cookies: list[str], topics: dict[str, int | None], tries: int = 1) -> list[Reader]:
        """Open a socket per cookie, in turns over the servers, at most 40 handshakes at a time.

        A page that is turned away tries again; so do these, as often as is said.
        """
        gate = asyncio.Semaphore(40)

        async def one(number: int, cookie: str, left: int) -> Reader:
            group = number % len(self.ports)
            async with gate:
                _, reader = await asyncio.get_running_loop().create_connection(
                    lambda: Reader(self, group, cookie, topics), "127.0.0.1", self.ports[group]
                )
                try:
                    await asyncio.wait_for(reader.ready, 60)
                except ConnectionError:
                    if left <= 1:
                        raise
                else:
                    return reader
            self.turned_away += 1
            await asyncio.sleep(1)
            return await one(number, cookie, left - 1)

        return await asyncio.gather(*(one(number, cookie, tries) for number, cookie in enumerate(cookies)))


class StalledReaders:
    """Sockets that join, want everything from the beginning, and never read; they come back when dropped."""

    def __init__(self, plan: Plan, cookies: list[str]) -> None:
        self.plan, self.cookies = plan, cookies
        self.opened = [0] * len(plan.ports)
        self.sockets: list[socket.socket] = []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Open all of them; a thread then lets one after the other come back."""
        for number in range(len(self.cookies)):
            self.sockets.append(self._open(number))
        if self.sockets:
            self.thread.start()

    def _run(self) -> None:
        # In turns: people don't come back at one stroke, and a storm is another measurement.
        number = 0
        while not self.over.wait(STALL_AGAIN / len(self.sockets)):
            self.sockets[number].close()
            self.sockets[number] = self._open(number)
            number = (number + 1) % len(self.sockets)

    def _open(self, number: int) -> socket.socket:
        group, cookie = number % len(self.plan.ports), self.cookies[number]
        one = socket.socket()
        # As over a real network: loopback's huge segments would let the kernel take megabytes for a reader
        # who reads nothing, and nobody would stall within the run.
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.settimeout(20)
        one.connect(("127.0.0.1", self.plan.ports[group]))
        path = self.plan.path + ("?stalled" if self.plan.path == "/stock/" else "")
        one.sendall(handshake(self.plan.ports[group], path, cookie))
        one.recv(64)
        one.sendall(join({self.plan.topic: 0}))
        self.opened[group] += 1
        return one

    def stop(self) -> None:
        """Close them."""
        self.over.set()
        if self.thread.ident is not None:
            self.thread.join(30)
        for one in self.sockets:
            one.close()
