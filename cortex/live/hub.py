"""Sends each event of a topic once to every socket of this process, in order and without a gap.

A seat (one socket in one topic) is fed by one hand at a time: by the broadcast when it is up to date, by a
task of its own (`feed`) while it replays or its buffer is full. The feed in the database is the queue.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine
from typing import Any
from uuid import UUID

from cortex.live import metrics
from cortex.live.link import Frame, Gone, Sent, Stalled, text_frame
from cortex.live.rooms import Numbered, Room, Seat, Socket, Turnstile
from cortex.live.threads import in_thread, read_in_thread

log = logging.getLogger(__name__)

READ_AT_ONCE = 200
# The loop takes a breath after this many sends, so that handshakes and pings are not starved.
BREATH = 200


class Hub:
    """One per process (per event loop)."""

    def __init__(self) -> None:
        self.rooms: dict[str, Room] = {}
        self.sockets: set[Socket] = set()
        self.by_user: dict[UUID, int] = {}
        self.turnstile = Turnstile()
        self.tasks: set[asyncio.Task[Any]] = set()
        # Cleared by the watch: nothing is sent while people's rights could not be checked for too long.
        self.is_trusted = True

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run a task and keep it from being collected."""
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    def admit(self, socket: Socket) -> None:
        """Take a new socket in."""
        self.sockets.add(socket)
        self.by_user[socket.person.user_id] = self.by_user.get(socket.person.user_id, 0) + 1
        metrics.SOCKETS.inc()

    def leave(self, socket: Socket) -> list[Seat]:
        """Let a socket go and return the seats that it had; nothing the second time."""
        if socket not in self.sockets:
            return []
        self.sockets.discard(socket)
        metrics.SOCKETS.dec()
        left = self.by_user.pop(socket.person.user_id, 1) - 1
        if left > 0:
            self.by_user[socket.person.user_id] = left
        seats = list(socket.seats.values())
        for seat in seats:
            self.unseat(seat)
        return seats

    def unseat(self, seat: Seat) -> None:
        """Take a socket out of a topic."""
        seat.room.seats.discard(seat)
        if seat.socket.seats.get(seat.room.name) is seat:
            del seat.socket.seats[seat.room.name]
        if seat.room.source_logs:
            self.spawn(self.guarded(in_thread(seat.log_close)))
        self.drop_if_empty(seat.room)

    def drop_if_empty(self, room: Room) -> None:
        """Forget a topic that nobody hears."""
        if not room.seats and not room.arriving and self.rooms.get(room.name) is room:
            del self.rooms[room.name]
            metrics.TOPICS.set(len(self.rooms))

    async def drop(self, socket: Socket, code: int) -> None:
        """Take a socket out at once, then close it with a code."""
        self.leave(socket)
        metrics.REFUSED.labels(str(code)).inc()
        await socket.link.close(code)

    def lose(self, socket: Socket) -> None:
        """Forget a socket whose connection is gone."""
        self.leave(socket)
        socket.link.cut()

    # Numbers arrive

    def on_hint(self, name: str, n: int) -> None:
        """Somebody said that a topic has reached n."""
        room = self.rooms.get(name)
        if room is not None and room.want(n):
            self.pump(room)

    def on_head(self, room: Room, head: int, last_before: int) -> None:
        """The database said that the feed ended at `head`, asked when we stood at `last_before`."""
        if head < last_before and room.last == last_before:
            log.error("live.feed_went_back", extra={"code": "feed_went_back"})
            self.restart(room, head)
        elif room.want(head):
            metrics.HEALED.inc()
        self.pump(room)
        for seat in list(room.seats):
            self.feed(seat)

    def pump(self, room: Room) -> None:
        """See to it that somebody fetches what is announced."""
        if room.pump is None and room.is_behind and self.is_trusted:
            room.pump = self.spawn(self._run_pump(room))

    async def _run_pump(self, room: Room) -> None:
        try:
            while room.is_behind and room.seats and self.is_trusted:
                await self._fetch_and_send(room)
        except Exception as error:  # A source may fail in any way; the next check tries again.
            self.note_failure(error)
        finally:
            room.pump = None

    async def _fetch_and_send(self, room: Room) -> None:
        last = room.last or 0
        events = await self.read(room, last)
        if room.last != last:
            return
        if events is None:
            self.restart(room, await read_in_thread(room.source.head, room.key))
        elif not events:
            # A hint of a number that the database doesn't know: forget it.
            room.wanted = last
        else:
            await self._broadcast(room, events)

    async def _broadcast(self, room: Room, events: list[Numbered]) -> None:
        for event in events:
            room.recent.append(event)
            room.last = event.n
            seats = list(room.seats)
            for start in range(0, len(seats), BREATH):
                # Counted by the breath: the counter takes a lock.
                metrics.SENT.inc(sum(self._hand(seat, event) for seat in seats[start : start + BREATH]))
                await asyncio.sleep(0)

    def _hand(self, seat: Seat, event: Numbered) -> bool:
        """Give a free seat its next event; one that has missed something, or has no room, gets a task."""
        if seat.held or seat.task is not None or seat.sent >= event.n:
            return False
        outcome = Sent.FULL
        if seat.sent + 1 == event.n and not seat.stale:
            outcome = seat.socket.link.offer(event.frame)
        if outcome is Sent.DONE:
            seat.sent = event.n
            return True
        if outcome is Sent.GONE:
            self.lose(seat.socket)
        else:
            self.feed(seat)
        return False

    def restart(self, room: Room, head: int) -> None:
        """Go on from `head` and tell everybody to reload."""
        room.restart(head)
        for seat in list(room.seats):
            seat.stale = True
            self.feed(seat)

    # One seat catches up

    def feed(self, seat: Seat) -> None:
        """See to it that a seat gets what it lacks."""
        if seat.is_free and seat.is_seated and seat.needs and self.is_trusted:
            seat.task = self.spawn(self._catch_up(seat))

    async def _catch_up(self, seat: Seat) -> None:
        try:
            while seat.is_seated and seat.needs and self.is_trusted:
                await (self._tell_reload(seat) if seat.stale else self._replay(seat))
        except (Stalled, Gone) as trouble:
            await self.part(seat.socket, trouble)
        except Exception as error:  # As above: the next event or check starts again.
            self.note_failure(error)
        finally:
            # Nothing was awaited since `needs` was last asked, so no event can fall between the two hands.
            seat.task = None

    async def _replay(self, seat: Seat) -> None:
        events = seat.room.kept_after(seat.sent) or await self.read(seat.room, seat.sent)
        if not events:
            seat.stale = True
            return
        for event in events:
            if not seat.is_seated or seat.stale:
                return
            # Before the send: the page may say `seen` sooner than we come back.
            seat.sent = event.n
            await seat.socket.link.deliver(event.frame)
            metrics.SENT.inc()
            metrics.REPLAYED.inc()

    async def _tell_reload(self, seat: Seat) -> None:
        seat.stale = False
        seat.sent = seat.room.last or 0
        metrics.RELOADS.inc()
        await seat.socket.link.deliver(text_frame(f'{{"type":"reload","topic":"{seat.room.name}"}}'))

    async def read(self, room: Room, after: int) -> list[Numbered] | None:
        """Read and encode the events after a number, once for all who ask at the same time."""
        task = room.reads.get(after)
        if task is None:
            task = room.reads[after] = self.spawn(read_in_thread(room.encoded_after, after, READ_AT_ONCE))
            task.add_done_callback(lambda _: room.reads.pop(after, None))
        return await asyncio.shield(task)

    # Frames that are no events

    def say(self, socket: Socket, frame: Frame) -> None:
        """Send without waiting; a full buffer is waited for in a task of the socket."""
        outcome = socket.link.offer(frame)
        if outcome is Sent.GONE:
            self.lose(socket)
        elif outcome is Sent.FULL and socket.waiting is None:
            socket.waiting = self.spawn(self._wait_for(socket, frame))

    async def _wait_for(self, socket: Socket, frame: Frame) -> None:
        try:
            await socket.link.deliver(frame)
        except (Stalled, Gone) as trouble:
            await self.part(socket, trouble)
        finally:
            socket.waiting = None

    async def part(self, socket: Socket, trouble: Stalled | Gone) -> None:
        """End a socket that takes nothing or is gone."""
        if isinstance(trouble, Gone) or not socket.link.is_open:
            self.lose(socket)
            return
        metrics.SLOW_CLOSES.inc()
        await self.drop(socket, 4408)

    async def guarded(self, work: Coroutine[Any, Any, Any]) -> None:
        """Await a call into a source; a failure is counted and logged by its type alone."""
        try:
            await work
        except Exception as error:  # As above.
            self.note_failure(error)

    def note_failure(self, error: Exception) -> None:
        """Count and log that a source failed."""
        metrics.SOURCE_FAILURES.inc()
        log.error("live.source_failed", extra={"code": type(error).__name__})

    def lag(self) -> float:
        """Return the age in seconds of the oldest announced number that was not sent yet."""
        waiting = [room.wanted_since for room in list(self.rooms.values()) if room.is_behind]
        return time.monotonic() - min(waiting) if waiting else 0.0
