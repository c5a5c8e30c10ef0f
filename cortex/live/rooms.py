"""The hub's memory of one process: sockets, the topics they hear, and the last events of each topic."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from cortex.live.link import Frame, Link, text_frame
from cortex.live.topics import Event, LogsReaders, TopicSource

# Encoded events kept for readers who come back within seconds; older ones are read from the database.
KEPT = 256
# Twelve pages (`consumer.SOCKETS_PER_USER`) that all reconnect as fast as live.js does make 120 in a minute.
HANDSHAKES, HANDSHAKE_WINDOW = 144, 60.0


class Person(NamedTuple):
    """Who sits at a socket, as read at the handshake."""

    user_id: UUID
    session_key: str
    access_version: int


class Turnstile:
    """Counts each session's handshakes, so that a page gone wild costs no more than its share."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.until = 0.0

    def lets(self, session_key: str) -> bool:
        """Count one handshake; False when this session had its number in the present window."""
        now = time.monotonic()
        if now >= self.until:
            self.counts.clear()
            self.until = now + HANDSHAKE_WINDOW
        self.counts[session_key] = self.counts.get(session_key, 0) + 1
        return self.counts[session_key] <= HANDSHAKES


class Numbered(NamedTuple):
    """One event, encoded once for every socket of the process."""

    n: int
    frame: Frame


@dataclass(eq=False)
class Socket:
    """One open socket."""

    link: Link
    person: Person
    seats: dict[str, Seat] = field(default_factory=dict)
    opened: float = field(default_factory=time.monotonic)
    waiting: asyncio.Task[None] | None = None


@dataclass(eq=False)
class Room:
    """One topic in this process."""

    name: str
    key: str
    source: TopicSource
    # None until the first head is known; then the last number that was sent to those who are up to date.
    last: int | None = None
    wanted: int = 0
    wanted_since: float = 0.0
    # Joins on their way; an empty room stays while somebody is at the door.
    arriving: int = 0
    recent: deque[Numbered] = field(default_factory=lambda: deque(maxlen=KEPT))
    seats: set[Seat] = field(default_factory=set)
    pump: asyncio.Task[None] | None = None
    reads: dict[int, asyncio.Task[list[Numbered] | None]] = field(default_factory=dict)
    # What the lists beside the feed last were; None until somebody asked.
    marks: dict[str, str] | None = None

    def want(self, n: int) -> bool:
        """Note that number n exists; return whether that was news."""
        if n <= self.wanted or (self.last is not None and n <= self.last):
            return False
        if not self.is_behind:
            self.wanted_since = time.monotonic()
        self.wanted = n
        return True

    @property
    def source_logs(self) -> bool:
        """Say whether the source wants to know who hears what."""
        return isinstance(self.source, LogsReaders)

    @property
    def is_behind(self) -> bool:
        """Say whether a number is known that was not sent yet."""
        return self.last is not None and self.wanted > self.last

    def marks_frame(self) -> Frame:
        """Return the frame that tells a page which lists it has to fetch again."""
        said = {"type": "marks", "topic": self.name, "marks": self.marks}
        return text_frame(json.dumps(said, separators=(",", ":")))

    def restart(self, n: int) -> None:
        """Forget what was kept and go on from n."""
        self.last = self.wanted = n
        self.recent.clear()

    def kept_after(self, n: int) -> list[Numbered]:
        """Return the kept events n+1 … last, or [] when they aren't all kept."""
        if not self.recent or self.recent[0].n > n + 1:
            return []
        return [event for event in self.recent if event.n > n]

    def encoded_after(self, after: int, limit: int) -> list[Numbered] | None:
        """Read and encode the next events (in a thread); None when the reader has to reload."""
        events = self.source.events_after(self.key, after, limit)
        if events is None or (not events and self.source.head(self.key) > after):
            return None
        return self._encode(events, after)

    def _encode(self, events: list[Event], after: int) -> list[Numbered] | None:
        """Put the envelope around each event; None when the numbers don't follow `after` without a gap."""
        head = f'{{"type":"event","topic":{json.dumps(self.name)},"n":'
        encoded = []
        for n, event in enumerate(events, start=after + 1):
            if event.n != n:
                return None
            encoded.append(Numbered(n, text_frame(f"{head}{n}{_members(event.payload)}}}")))
        return encoded


def _members(payload: bytes) -> str:
    """Return the members of a JSON object with a comma in front, or nothing for an empty object."""
    inner = payload.decode().strip()[1:-1].strip()
    return f",{inner}" if inner else ""


@dataclass(eq=False)
class Seat:
    """One socket in one topic; `sent` is the last number that was handed to its server connection."""

    socket: Socket
    room: Room
    first: int
    sent: int
    # Quiet until the welcome is out.
    held: bool = True
    # The reader is too far behind, or ahead of the feed: it must fetch the page again.
    stale: bool = False
    # While a task of its own feeds this seat the broadcast leaves it alone.
    task: asyncio.Task[None] | None = None

    @property
    def is_free(self) -> bool:
        """Say whether nobody feeds this seat."""
        return not self.held and self.task is None

    @property
    def is_seated(self) -> bool:
        """Say whether the seat still belongs to its room."""
        return self in self.room.seats

    @property
    def needs(self) -> bool:
        """Say whether something is to be sent."""
        return self.stale or (self.room.last is not None and self.sent < self.room.last)

    def log_close(self) -> None:
        """Tell the source which numbers went out (in a thread)."""
        if isinstance(self.room.source, LogsReaders):
            person = self.socket.person
            self.room.source.on_close(
                person.user_id, person.session_key, self.room.key, self.first + 1, self.sent
            )
