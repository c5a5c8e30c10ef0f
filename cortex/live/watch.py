"""The hub's regular checks: numbers that no hint announced, rights that ended, ticks that prove contact."""

from __future__ import annotations

import asyncio
import json
import logging
import time
import weakref
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from uuid import UUID

from django.utils import timezone

from cortex.clock import known_now
from cortex.live import metrics
from cortex.live.hub import Hub
from cortex.live.link import Frame, text_frame
from cortex.live.rights import ended
from cortex.live.rooms import Person, Room, Socket
from cortex.live.threads import check_in_thread
from cortex.live.topics import ChecksMany, Follows, HasMarks, TopicSource
from cortex.live.wakeups import Wakeups

log = logging.getLogger(__name__)

ASK = 5.0
ASK_WITHOUT_REDIS = 1.0
RIGHTS = 3.0
TICK = 10.0
# Several changes at once are asked for once.
BESIDE_PAUSE = 0.3
# However busy the topics are that others follow, those are asked at most so often, and a tenth of the time.
FOLLOWER_PAUSE, FOLLOWER_REST = 1.0, 9
# A page that is told "live" must be able to believe it: no tick when the feeds weren't checked for so long.
FEEDS_AGE = 12.0
# And no event when nobody could say for so long whether the listeners may still listen.
RIGHTS_AGE = 30.0
# A socket that joins nothing is of no use to anybody.
JOIN_WITHIN = 30.0

Pair = tuple[UUID, str]


class Watch:
    """Runs beside one hub."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.poke = asyncio.Event()
        self.beside = asyncio.Event()
        self.followed = asyncio.Event()
        self.wakeups = Wakeups(self._on_hint, self._on_redis)
        self.feeds_at = self.rights_at = time.monotonic()

    def start(self) -> None:
        """Start all loops; each is restarted when it fails."""
        loops = (
            self.wakeups.run, self._ask_for_ever, self._look_beside_for_ever, self._ask_followers_for_ever,
            self._check_for_ever, self._tick_for_ever,
        )  # fmt: skip
        for loop in loops:
            self.hub.spawn(self._keep_running(loop))

    async def _keep_running(self, loop: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await loop()
            except Exception as error:  # A blind hub is worse than a noisy one.
                self.hub.note_failure(error)
            await asyncio.sleep(0.5)

    def _on_hint(self, name: str, n: int) -> None:
        # What changes beside a feed is hinted by the number 0, or comes with an event.
        self.hub.on_hint(name, n)
        if name in self.hub.rooms:
            self.beside.set()
        if not self.followed.is_set() and self._followers(name.partition(":")[0]):
            self.followed.set()

    def _followers(self, prefix: str = "") -> list[Room]:
        """Return the rooms that follow topics of this prefix, or any."""
        return [
            room
            for room in self.hub.rooms.values()
            if isinstance(room.source, Follows) and (not prefix or prefix in room.source.follows)
        ]

    def _on_redis(self, up: bool) -> None:
        # Whatever was announced while the subscription was down is asked for at once.
        self.poke.set()

    # Feeds

    async def _ask_for_ever(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(ASK if self.wakeups.is_up else ASK_WITHOUT_REDIS):
                    await self.poke.wait()
            self.poke.clear()
            await self.ask_heads()

    async def ask_heads(self) -> None:
        """Ask every source where its feeds stand, one query each, and fetch what no hint announced."""
        by_source: dict[int, list[Room]] = defaultdict(list)
        for room in self.hub.rooms.values():
            if room.last is not None:
                by_source[id(room.source)].append(room)
        failed = False
        for rooms in by_source.values():
            failed |= not await self._ask_source(rooms)
        if not failed:
            self.feeds_at = time.monotonic()

    async def _ask_source(self, rooms: list[Room]) -> bool:
        stood = [(room, room.last or 0) for room in rooms]
        try:
            heads = await check_in_thread(rooms[0].source.heads, [room.key for room in rooms])
        except Exception as error:  # A source may fail in any way; it is asked again.
            self.hub.note_failure(error)
            return False
        for room, last in stood:
            if room.key in heads:
                self.hub.on_head(room, heads[room.key], last)
        return True

    # Lists beside the feeds

    async def _look_beside_for_ever(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(ASK):
                    await self.beside.wait()
            await asyncio.sleep(BESIDE_PAUSE)
            self.beside.clear()
            await self.ask_marks()

    async def _ask_followers_for_ever(self) -> None:
        while True:
            await self.followed.wait()
            self.followed.clear()
            began = time.monotonic()
            await self.ask_marks(self._followers())
            await asyncio.sleep(max(FOLLOWER_PAUSE, FOLLOWER_REST * (time.monotonic() - began)))

    async def ask_marks(self, rooms: Iterable[Room] | None = None) -> None:
        """Ask what the lists beside these feeds (or all) are, and tell the pages where one has changed."""
        by_source: dict[int, list[Room]] = defaultdict(list)
        for room in list(self.hub.rooms.values()) if rooms is None else rooms:
            if isinstance(room.source, HasMarks):
                by_source[id(room.source)].append(room)
        for some in by_source.values():
            await self.hub.guarded(self._ask_marks_of(some))

    async def _ask_marks_of(self, rooms: list[Room]) -> None:
        source = rooms[0].source
        if not isinstance(source, HasMarks):
            return
        found = await check_in_thread(source.marks, [room.key for room in rooms])
        for room in rooms:
            if room.key not in found or room.marks == found[room.key]:
                continue
            room.marks = found[room.key]
            frame = room.marks_frame()
            for seat in [seat for seat in room.seats if not seat.held]:
                self.hub.say(seat.socket, frame)

    # Rights

    async def _check_for_ever(self) -> None:
        while True:
            await asyncio.sleep(RIGHTS)
            await self.check_rights()
            fresh = time.monotonic() - self.rights_at < RIGHTS_AGE
            if fresh and not self.hub.is_trusted:
                self.poke.set()
            self.hub.is_trusted = fresh

    async def check_rights(self) -> None:
        """Close the sockets of people whose session, account, role or duty ended."""
        sockets = list(self.hub.sockets)
        try:
            await self._check_people(sockets)
            for room in list(self.hub.rooms.values()):
                await self._check_room(room)
        except Exception as error:  # As above; `rights_at` stays, and the hub falls silent in the end.
            self.hub.note_failure(error)
            return
        self.rights_at = time.monotonic()
        self._close_idlers(sockets)

    async def _check_people(self, sockets: list[Socket]) -> None:
        people = {socket.person for socket in sockets}
        if not people:
            return
        over = await check_in_thread(ended, people)
        for socket in sockets:
            if socket.person in over:
                self.hub.spawn(self.hub.drop(socket, 4401))

    async def _check_room(self, room: Room) -> None:
        seats = list(room.seats)
        if not seats:
            return
        pairs = {_pair(seat.socket.person) for seat in seats}
        allowed = await check_in_thread(_still_allowed, room.source, room.key, list(pairs))
        for seat in seats:
            if seat.is_seated and _pair(seat.socket.person) not in allowed:
                self.hub.unseat(seat)
                self._show_out(seat.socket, room.name)

    def _show_out(self, socket: Socket, topic: str) -> None:
        self.hub.say(socket, gone_frame(topic))
        if not socket.seats:
            self.hub.spawn(self.hub.drop(socket, 4403))

    def _close_idlers(self, sockets: list[Socket]) -> None:
        latest = time.monotonic() - JOIN_WITHIN
        for socket in sockets:
            if not socket.seats and socket.opened < latest and socket in self.hub.sockets:
                self.hub.spawn(self.hub.drop(socket, 4400))

    # Ticks

    async def _tick_for_ever(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            await self.tick()

    async def tick(self) -> None:
        """Tell every socket the server's time, unless we ourselves have lost touch with the feeds."""
        if not self.is_in_touch():
            return
        frame = tick_frame()
        for count, socket in enumerate(list(self.hub.sockets), start=1):
            self.hub.say(socket, frame)
            if count % 100 == 0:
                await asyncio.sleep(0)

    def is_in_touch(self) -> bool:
        """Say whether the feeds were checked lately, and what they hold was sent."""
        is_late = max(time.monotonic() - self.feeds_at, self.hub.lag()) >= FEEDS_AGE
        return self.hub.is_trusted and not is_late


def tick_frame() -> Frame:
    """Return the frame with the server's time."""
    return text_frame(f'{{"type":"tick","now":"{(known_now() or timezone.now()).isoformat()}"}}')


def gone_frame(topic: str) -> Frame:
    """Return the frame that takes a topic away; the name is the page's own, whatever it may hold."""
    return text_frame(json.dumps({"type": "gone", "topic": topic}, separators=(",", ":")))


def _pair(person: Person) -> Pair:
    return person.user_id, person.session_key


def _still_allowed(source: TopicSource, key: str, people: Sequence[Pair]) -> set[Pair]:
    if isinstance(source, ChecksMany):
        return source.may_still_hear(key, people)
    return {pair for pair in people if source.may_join(*pair, key)}


_running: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Watch] = weakref.WeakKeyDictionary()


def running() -> Watch:
    """Return this process's watch and hub, started with the first socket."""
    loop = asyncio.get_running_loop()
    if loop not in _running:
        watch = Watch(Hub())
        _running[loop] = watch
        metrics.HUB_LAG.set_function(watch.hub.lag)
        watch.start()
    return _running[loop]
