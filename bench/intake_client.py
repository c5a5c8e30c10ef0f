"""The intake bench's client: a flood of batches without a pause, and cries for help at fixed times beside."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

Bodies = Iterator[tuple[int, bytes]]


@dataclass
class Sent:
    """What one kind of request met: seconds of each, numbers of those taken whole, wrong answers."""

    times: list[float] = field(default_factory=list)
    taken: list[int] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def note(self, number: int, status: int, answer: bytes, seconds: float, items: int) -> None:
        """Keep one answer: a batch is taken when each of its items says that it is stored."""
        counts = json.loads(answer).get("counts") if status == 200 else None
        if counts == {"stored": items}:
            self.times.append(seconds)
            self.taken.append(number)
        else:
            self.wrong.append(f"{number}: {status} {counts or answer[:200]!r}")


class Connection:
    """One kept-alive connection to a web process; one request at a time."""

    def __init__(self, port: int, key: str) -> None:
        self.port = port
        self.head = (
            f"POST /api/v1/intake HTTP/1.1\r\nHost: localhost:{port}\r\nAuthorization: Api-Key {key}\r\n"
            "Content-Type: application/json\r\nContent-Length: "
        ).encode()
        self.reader: asyncio.StreamReader
        self.writer: asyncio.StreamWriter | None = None

    async def post(self, body: bytes) -> tuple[int, bytes]:
        """Send one body; return the status and the answer's body."""
        if self.writer is None or self.reader.at_eof():
            self.close()
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port, limit=2**20)
        self.writer.write(self.head + b"%d\r\n\r\n" % len(body) + body)
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        answer = await self.reader.readexactly(int(head.partition("content-length:")[2].partition("\r\n")[0]))
        if "connection: close" in head:
            self.close()
        return int(head.split(" ", 2)[1]), answer

    def close(self) -> None:
        """Let the connection go."""
        if self.writer is not None:
            self.writer.close()
            self.writer = None


class Sender:
    """Sends to all web processes in turn with one key."""

    def __init__(self, ports: list[int], key: str) -> None:
        self.ports, self.key = ports, key

    async def flood(self, bodies: Bodies, items: int, senders: int, until: Callable[[], bool]) -> Sent:
        """Send bodies by so many connections, each the next as soon as the last was answered."""
        sent = Sent()
        begun = time.perf_counter()
        ports = (self.ports[one % len(self.ports)] for one in range(senders))
        await asyncio.gather(*(self._flood(port, bodies, items, until, sent) for port in ports))
        sent.seconds = time.perf_counter() - begun
        return sent

    async def _flood(
        self,
        port: int,
        bodies: Iterator[tuple[int, bytes]],
        items: int,
        until: Callable[[], bool],
        sent: Sent,
    ) -> None:
        connection = Connection(port, self.key)
        while until() and (following := next(bodies, None)) is not None:
            number, body = following
            begun = time.perf_counter()
            status, answer = await connection.post(body)
            sent.note(number, status, answer, time.perf_counter() - begun, items)
        connection.close()

    async def cries(self, bodies: list[tuple[int, bytes]], rate: float) -> Sent:
        """Send each body at its own time, whatever became of others; seconds count from that time."""
        sent, idle = Sent(), {port: [] for port in self.ports}  # type: ignore[var-annotated]
        begun = time.perf_counter()

        async def one(index: int, number: int, body: bytes) -> None:
            meant = begun + index / rate
            await asyncio.sleep(max(0.0, meant - time.perf_counter()))
            port = self.ports[index % len(self.ports)]
            connection = idle[port].pop() if idle[port] else Connection(port, self.key)
            status, answer = await connection.post(body)
            sent.note(number, status, answer, time.perf_counter() - meant, 1)
            idle[port].append(connection)

        await asyncio.gather(*(one(index, *pair) for index, pair in enumerate(bodies)))
        sent.seconds = time.perf_counter() - begun
        for connections in idle.values():
            for connection in connections:
                connection.close()
        return sent
