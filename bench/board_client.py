"""The bench's lean HTTP client: kept-alive connections over asyncio, each answer read whole and looked at."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlencode

CARD = b'<li class="q"'
BOARD = "/board/"
# Servers let idle connections go after as few as two seconds.
IDLE_SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: status, body, and seconds from the first byte sent to the last one read."""

    status: int
    body: bytes
    seconds: float


class Connection:
    """One signed-in browser on one server; one request at a time."""

    def __init__(self, port: int, cookie: str) -> None:
        self.port = port
        token = "b" * 32
        self.head = (
            f"Host: localhost:{port}\r\nCookie: sessionid={cookie}; csrftoken={token}\r\n"
            f"X-CSRFToken: {token}\r\nAccept: text/html\r\nSec-Fetch-Mode: navigate\r\n"
        )
        self.reader: asyncio.StreamReader
        self.writer: asyncio.StreamWriter | None = None
        self.used = 0.0

    async def get(self, path: str) -> Answer:
        """Ask for a page."""
        return await self._send(f"GET {path} HTTP/1.1\r\n{self.head}\r\n".encode())

    async def post(self, path: str, **values: str) -> Answer:
        """Send a form."""
        body = urlencode(values)
        kind = f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
        return await self._send(f"POST {path} HTTP/1.1\r\n{self.head}{kind}\r\n{body}".encode())

    async def _send(self, request: bytes) -> Answer:
        if self.writer is None or self.reader.at_eof() or time.perf_counter() - self.used > IDLE_SECONDS:
            # New, or let go by the server while it was idle, or about to be: that would cross this request.
            self.close()
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port, limit=2**20)
        begun = time.perf_counter()
        self.writer.write(request)
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(head.partition("content-length:")[2].partition("\r\n")[0])
        body = await self.reader.readexactly(length)
        self.used = time.perf_counter()
        took = time.perf_counter() - begun
        if "connection: close" in head:
            self.close()
        return Answer(int(head.split(" ", 2)[1]), body, took)

    def close(self) -> None:
        """Let the connection go."""
        if self.writer is not None:
            self.writer.close()
            self.writer = None


@dataclass
class Run:
    """What a timed run saw."""

    seconds: float = 0.0
    times: list[float] = field(default_factory=list)
    boards: int = 0
    size: int = 0
    claims: int = 0
    unseen: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


class Load:
    """Eight readers of the board without a pause, and one who claims and gives back beside them."""

    def __init__(
        self, ports: list[int], people: list[tuple[str, str]], alerts: list[str], cards: int
    ) -> None:
        self.ports, self.people, self.alerts, self.cards = ports, people, alerts, cards
        self.run = Run()

    async def measure(self, concurrency: int, seconds: float, claims: int) -> Run:
        """Warm up, then measure for so long; the claims are spread over the time."""
        readers = [self._connection(number) for number in range(concurrency)]
        warm = time.perf_counter() + min(3.0, seconds / 4)
        await asyncio.gather(*(self._read(one, lambda: time.perf_counter() < warm) for one in readers))
        self.run.times.clear()
        begun = time.perf_counter()
        over = begun + seconds
        claiming = asyncio.ensure_future(self._claim(self._connection(concurrency), claims, seconds))
        # On a slow machine the claims take longer: nobody stops reading before the last of them was seen.
        going = lambda: time.perf_counter() < over or not claiming.done()  # noqa: E731
        await asyncio.gather(*(self._read(one, going) for one in readers), claiming)
        self.run.seconds = time.perf_counter() - begun
        for one in readers:
            one.close()
        return self.run

    def _connection(self, number: int) -> Connection:
        cookie, _ = self.people[number % len(self.people)]
        return Connection(self.ports[number % len(self.ports)], cookie)

    async def _read(self, one: Connection, going: Callable[[], bool]) -> None:
        while going():
            answer = await self._board(one)
            self.run.times.append(answer.seconds)

    async def _board(self, one: Connection) -> Answer:
        answer = await one.get(BOARD)
        self.run.boards += 1
        self.run.size = len(answer.body)
        if answer.status != 200 or answer.body.count(CARD) != self.cards:
            self.run.wrong.append(f"{answer.status}, {answer.body.count(CARD)} cards")
        return answer

    async def _claim(self, one: Connection, claims: int, seconds: float) -> None:
        """Claim, look at the next answer for it, give it back; every one of these is a real request."""
        _, user = self.people[len(self.people) - 1]
        me = Connection(one.port, self.people[-1][0])
        other = self._connection(0) if len(self.ports) == 1 else Connection(self.ports[-1], self.people[0][0])
        begun = time.perf_counter()
        for number in range(claims):
            await asyncio.sleep(max(0.0, begun + seconds * number / claims - time.perf_counter()))
            alert = self.alerts[number % len(self.alerts)]
            claimed = await me.post(f"/alerts/{alert}/claim/")
            if claimed.status != 303:
                self.run.wrong.append(f"claim: {claimed.status}")
                continue
            self.run.claims += 1
            # Somebody else's board, of another process where there are two.
            seen = (await self._board(other)).body.partition(f'id="q-{alert}"'.encode())[2]
            if f'data-owner="{user}"'.encode() not in seen.partition(b"</li>")[0]:
                self.run.unseen.append(alert)
            released = await me.post(f"/alerts/{alert}/release/", reason="The bench gives it back.")
            if released.status != 303:
                self.run.wrong.append(f"release: {released.status}")
        me.close()
        other.close()
