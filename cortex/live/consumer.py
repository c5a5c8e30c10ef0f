"""The one websocket consumer: reads what a page says, within limits; what it hears comes from the hub."""

from __future__ import annotations

import json
import logging
import time
from collections import deque
from typing import Any

from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.utils import timezone

from cortex.clock import known_now
from cortex.live import door, metrics
from cortex.live.link import Frame, Gone, Link, Stalled, text_frame
from cortex.live.rights import ended
from cortex.live.rooms import Person, Seat, Socket
from cortex.live.threads import in_thread, tell_in_thread
from cortex.live.watch import gone_frame, running, tick_frame

log = logging.getLogger(__name__)

MAX_BYTES = 65536
MAX_TOPICS = 8
MAX_ITEM = 64
# What was said is remembered only to spare the source; forgetting it costs a repeated call.
SEEN_KEPT = 256
MAX_NUMBER = 2**63 - 1
MESSAGES_PER_SECOND = 10
# Every page of the desk holds one: a board must find room beside the alerts and lists that are open in other
# tabs. In this process: with several behind one address a person may have as many times more.
SOCKETS_PER_USER = 12

BAD_MESSAGE, SESSION_OVER, NOT_ALLOWED, TOO_MANY, TRY_LATER = 4400, 4401, 4403, 4429, 1013


class BadMessage(Exception):
    """The page said something that no page of ours says."""


class LiveConsumer(AsyncWebsocketConsumer):
    """One socket at `/ws/live/`."""

    # The hub is our layer: a configured one would cost a channel and a task per socket.
    channel_layer_alias = "not used by live"

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Go straight to the handler: the stock method takes a trip to a thread for every message."""
        handlers = {
            "websocket.connect": self.websocket_connect,
            "websocket.receive": self.websocket_receive,
            "websocket.disconnect": self.websocket_disconnect,
        }
        await handlers[message["type"]](message)

    async def connect(self) -> None:
        """Accept, then close at once whoever has no session or too many sockets: the page learns the code."""
        self.socket: Socket | None = None
        self.heard: deque[float] = deque(maxlen=MESSAGES_PER_SECOND)
        self.seen: dict[tuple[str, str], int] = {}
        self.unsaid: dict[tuple[str, str], int] = {}
        self.is_telling = False
        self.watch = running()
        self.hub = self.watch.hub
        await self.accept()
        link = self.scope.get("live_link") or Link(self.base_send)
        user = self.scope["user"]
        session_key = self.scope["session"].session_key
        if not user.is_authenticated or not session_key:
            await self._refuse(link, SESSION_OVER)
            return
        person = Person(user.pk, session_key, user.access_version)
        code = await self._objection(person)
        if code:
            await self._refuse(link, code)
            return
        self.socket = Socket(link, person)
        self.hub.admit(self.socket)

    async def _objection(self, person: Person) -> int:
        """Return the code with which this person is turned away, 0 when nothing speaks against them."""
        if not self.hub.turnstile.lets(person.session_key):
            return TOO_MANY
        try:
            # The session's row alone doesn't say it: one that idled away, or is too old, still stands there.
            over = await in_thread(ended, [person])
        except Exception as error:  # Nobody can say: the page asks again by itself.
            self.hub.note_failure(error)
            return TRY_LATER
        if over:
            return SESSION_OVER
        return TOO_MANY if self.hub.by_user.get(person.user_id, 0) >= SOCKETS_PER_USER else 0

    async def _refuse(self, link: Link, code: int) -> None:
        metrics.REFUSED.labels(str(code)).inc()
        await link.close(code)

    async def websocket_disconnect(self, message: dict[str, Any]) -> None:
        """Leave the hub."""
        if self.socket is not None:
            self.socket.link.is_open = False
            self.hub.leave(self.socket)
        raise StopConsumer

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Take one message; close on anything that is against the rules."""
        if self.socket is None or self.socket not in self.hub.sockets:
            return
        try:
            if self._is_too_fast():
                await self.hub.drop(self.socket, TOO_MANY)
                return
            await self._obey(parse(text_data), self.socket)
        except BadMessage:
            await self.hub.drop(self.socket, BAD_MESSAGE)
        except Stalled:
            await self.hub.drop(self.socket, 4408)
        except Gone:
            self.hub.lose(self.socket)
        except Exception as error:  # A source may fail in any way; the page comes back by itself.
            self.hub.note_failure(error)
            await self.hub.drop(self.socket, TRY_LATER)

    def _is_too_fast(self) -> bool:
        now = time.monotonic()
        too_fast = len(self.heard) == MESSAGES_PER_SECOND and now - self.heard[0] < 1.0
        self.heard.append(now)
        return too_fast

    async def _obey(self, message: dict[str, Any], socket: Socket) -> None:
        match message:
            case {"type": "join", "topics": dict(wanted), **rest} if not rest:
                await self._join(socket, wanted)
            case {"type": "seen", "topic": str(topic), "n": n, **rest} if is_number(n) and is_item(rest):
                await self._note_seen(socket, topic, n, rest.get("item", ""))
            case {"type": "ping", **rest} if not rest:
                if self.watch.is_in_touch():
                    self.hub.say(socket, tick_frame())
            case _:
                raise BadMessage

    async def _join(self, socket: Socket, wanted: dict[str, Any]) -> None:
        if not 1 <= len(wanted) <= MAX_TOPICS or not all(n is None or is_number(n) for n in wanted.values()):
            raise BadMessage
        if len(socket.seats.keys() | wanted.keys()) > MAX_TOPICS:
            raise BadMessage
        seats: dict[str, Seat] = {}
        for topic, after in wanted.items():
            seat = await door.take_seat(self.hub, socket, topic, after)
            if seat is None:
                await socket.link.deliver(gone_frame(topic))
            else:
                seats[topic] = seat
        if not socket.seats:
            await self.hub.drop(socket, NOT_ALLOWED)
            return
        await socket.link.deliver(welcome_frame(seats))
        for seat in seats.values():
            door.begin(self.hub, seat)

    async def _note_seen(self, socket: Socket, topic: str, n: int, item: str) -> None:
        """Pass `seen` on; only numbers that this socket was sent, or came with, count."""
        seat = socket.seats.get(topic)
        if seat is None:
            await socket.link.deliver(await door.turn_away(socket, topic))
            return
        if n > seat.sent or n <= self.seen.get((topic, item), -1):
            return
        if len(self.seen) >= SEEN_KEPT:
            self.seen.clear()
        self.seen[topic, item] = self.unsaid[topic, item] = n
        if not self.is_telling:
            self.is_telling = True
            self.hub.spawn(self._tell_seen(socket))

    async def _tell_seen(self, socket: Socket) -> None:
        """Tell the sources the highest number of each topic and item, one call at a time."""
        try:
            while self.unsaid:
                (topic, item), n = self.unsaid.popitem()
                await self.hub.guarded(self._tell_of(socket, topic, n, item))
        finally:
            self.is_telling = False

    async def _tell_of(self, socket: Socket, topic: str, n: int, item: str) -> None:
        seat = socket.seats.get(topic)
        if seat is None:
            return
        if not await tell_in_thread(door.take_notice, seat.room, socket.person, n, item):
            self.hub.say(socket, door.refused_frame(topic, item))


def parse(text: str | None) -> dict[str, Any]:
    """Return a message as a dict of at most two levels; raises BadMessage for anything else.

    The depth is looked at before parsing: our own messages hold no list and two braces at most.
    """
    if text is None or len(text.encode()) > MAX_BYTES or "[" in text or text.count("{") > 2:
        raise BadMessage
    try:
        message = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_each_once)
    except ValueError as error:
        raise BadMessage from error
    if not isinstance(message, dict):
        raise BadMessage
    return message


def is_number(value: object) -> bool:
    """Say whether a value is a feed number."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_NUMBER


def is_item(rest: dict[str, Any]) -> bool:
    """Say whether the rest of a `seen` is empty, or names the one thing that was shown."""
    item = rest.get("item")
    return not rest or (len(rest) == 1 and isinstance(item, str) and 0 < len(item) <= MAX_ITEM)


def welcome_frame(seats: dict[str, Seat]) -> Frame:
    """Return the answer to a join: from which number each feed goes on here, and the server's time.

    Not where the feed stands: what came since the seat was taken is still to be sent.
    """
    heads = {topic: seat.sent for topic, seat in seats.items()}
    now = (known_now() or timezone.now()).isoformat()
    return text_frame(json.dumps({"type": "welcome", "topics": heads, "now": now}, separators=(",", ":")))


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the members of an object; one that comes twice has two meanings, and none for us."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise BadMessage
    return members


def _refuse_constant(_: str) -> None:
    raise BadMessage
