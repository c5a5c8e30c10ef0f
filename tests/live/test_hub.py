"""The hub alone: one hand per seat, order, fallbacks and trust, on wires that the test fills and empties."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest

from cortex.live import door, link, topics
from cortex.live.hub import Hub
from cortex.live.link import Link
from cortex.live.rooms import Numbered, Person, Seat, Socket
from cortex.live.topics import Event

TOPIC = "board:north"


class Memory:
    """A feed in a list."""

    def __init__(self) -> None:
        self.length = 0
        self.missing: set[int] = set()
        self.fails = False
        self.reads = 0

    def may_join(self, user_id: UUID, session_key: str, key: str) -> bool:
        return key == "north"

    def head(self, key: str) -> int:
        return self.length

    def heads(self, keys: Sequence[str]) -> dict[str, int]:
        return dict.fromkeys(keys, self.length)

    def events_after(self, key: str, n: int, limit: int) -> list[Event] | None:
        self.reads += 1
        if self.fails:
            raise OSError("database away")
        numbers = range(n + 1, min(self.length, n + limit) + 1)
        return [Event(number, b'{"a": 1}') for number in numbers if number not in self.missing]

    def on_seen(self, user_id: UUID, key: str, n: int, item: str) -> None: ...


class Wire:
    """An ASGI `send` whose buffer can be full, like that of a reader who stalls."""

    def __init__(self) -> None:
        self.room = asyncio.Event()
        self.room.set()
        self.sent: list[dict[str, Any]] = []
        self.closed: int | None = None

    async def send(self, message: dict[str, Any]) -> None:
        await self.room.wait()
        if self.closed is not None:
            raise OSError("gone")
        if message["type"] == "websocket.close":
            self.closed = message["code"]
        else:
            self.sent.append(json.loads(message["text"]))

    @property
    def numbers(self) -> list[int]:
        return [message["n"] for message in self.sent if message["type"] == "event"]


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> Memory:
    found = Memory()
    monkeypatch.setitem(topics._sources, "board", found)
    return found


async def sit(hub: Hub, after: int | None = 0, person: Person | None = None) -> tuple[Wire, Seat]:
    wire = Wire()
    socket = Socket(Link(wire.send), person or Person(uuid4(), "session", 1))
    hub.admit(socket)
    seat = await door.take_seat(hub, socket, TOPIC, after)
    assert seat is not None
    door.begin(hub, seat)
    return wire, seat


async def grow(hub: Hub, memory: Memory, count: int = 1, *, hint: bool = True) -> None:
    memory.length += count
    if hint:
        hub.on_hint(TOPIC, memory.length)
    await settle()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0.005)


async def test_everyone_gets_every_event_in_order(memory: Memory) -> None:
    hub = Hub()
    wires = [(await sit(hub))[0] for _ in range(3)]
    for _ in range(5):
        await grow(hub, memory)
    assert [wire.numbers for wire in wires] == [[1, 2, 3, 4, 5]] * 3


async def test_one_event_is_read_and_encoded_once_for_all(memory: Memory) -> None:
    hub = Hub()
    wires = [(await sit(hub))[0] for _ in range(5)]
    await grow(hub, memory)
    assert memory.reads == 1
    assert wires[0].sent[-1] == {"type": "event", "topic": TOPIC, "n": 1, "a": 1}


async def test_a_full_buffer_delays_nobody_else_and_loses_nothing(memory: Memory) -> None:
    hub = Hub()
    slow, _ = await sit(hub)
    quick, _ = await sit(hub)
    slow.room.clear()
    await grow(hub, memory, 3)
    assert (slow.numbers, quick.numbers) == ([], [1, 2, 3])
    slow.room.set()
    await grow(hub, memory)
    assert (slow.numbers, quick.numbers) == ([1, 2, 3, 4], [1, 2, 3, 4])


async def test_an_event_never_overtakes_one_that_waits_for_room(memory: Memory) -> None:
    hub = Hub()
    slow, seat = await sit(hub)
    slow.room.clear()
    await grow(hub, memory)
    slow.room.set()  # there is room again, but the waiting task has not run yet
    memory.length = 2
    await hub._broadcast(seat.room, [Numbered(2, link.text_frame('{"type":"event","n":2}'))])
    await settle()
    assert slow.numbers == [1, 2]


async def test_nothing_is_sent_before_the_welcome(memory: Memory) -> None:
    hub = Hub()
    await sit(hub)
    wire = Wire()
    socket = Socket(Link(wire.send), Person(uuid4(), "session", 1))
    hub.admit(socket)
    seat = await door.take_seat(hub, socket, TOPIC, 0)
    assert seat is not None
    await grow(hub, memory, 2)
    assert wire.sent == []
    door.begin(hub, seat)
    await settle()
    assert wire.numbers == [1, 2]


async def test_a_reader_who_stays_stalled_is_dropped_with_4408(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "STALL", 0.1)
    hub = Hub()
    slow, seat = await sit(hub)
    slow.room.clear()
    await grow(hub, memory)
    async with asyncio.timeout(20):
        while seat.socket in hub.sockets:
            await asyncio.sleep(0.01)
    slow.room.set()
    await settle()
    assert slow.closed == 4408


async def test_a_lost_hint_is_healed_by_the_next_one(memory: Memory) -> None:
    hub = Hub()
    wire, _ = await sit(hub)
    await grow(hub, memory, 4, hint=False)
    assert wire.numbers == []
    await grow(hub, memory)
    assert wire.numbers == [1, 2, 3, 4, 5]


async def test_old_repeated_and_forged_hints_do_nothing(memory: Memory) -> None:
    hub = Hub()
    wire, _ = await sit(hub)
    await grow(hub, memory, 2)
    for n in (1, 2, 2, 5000, -3):
        hub.on_hint(TOPIC, n)
        await settle()
    hub.on_hint("board:elsewhere", 9)
    await grow(hub, memory)
    assert wire.numbers == [1, 2, 3]


async def test_a_gap_in_the_feed_is_never_passed_on(memory: Memory) -> None:
    hub = Hub()
    wire, _ = await sit(hub)
    memory.missing.add(2)
    await grow(hub, memory, 3)
    assert wire.numbers == []
    assert wire.sent[-1] == {"type": "reload", "topic": TOPIC}
    await grow(hub, memory)
    assert wire.numbers == [4]


async def test_a_feed_that_went_back_makes_everybody_reload(memory: Memory) -> None:
    hub = Hub()
    wire, seat = await sit(hub)
    await grow(hub, memory, 5)
    memory.length = 2
    hub.on_head(seat.room, 2, 5)
    await settle()
    assert wire.sent[-1]["type"] == "reload"
    await grow(hub, memory)
    assert wire.numbers == [1, 2, 3, 4, 5, 3]


async def test_an_answer_that_is_older_than_the_last_event_changes_nothing(memory: Memory) -> None:
    hub = Hub()
    wire, seat = await sit(hub)
    await grow(hub, memory, 2)
    hub.on_head(seat.room, 1, 1)
    await settle()
    assert [message["type"] for message in wire.sent] == ["event", "event"]


async def test_a_failing_source_costs_time_and_no_event(memory: Memory) -> None:
    hub = Hub()
    wire, seat = await sit(hub)
    memory.fails = True
    await grow(hub, memory, 2)
    memory.fails = False
    hub.on_head(seat.room, 2, 0)
    await settle()
    assert wire.numbers == [1, 2]


async def fail_a_replay(hub: Hub, memory: Memory) -> tuple[Wire, Seat]:
    """Leave a seat at 0 in a room that stands at 2."""
    _, seat = await sit(hub)
    await grow(hub, memory, 2)
    seat.room.recent.clear()
    memory.fails = True
    found = await sit(hub)
    await settle()
    memory.fails = False
    return found


async def test_a_seat_whose_replay_failed_is_replayed_before_the_next_event(memory: Memory) -> None:
    hub = Hub()
    wire, _ = await fail_a_replay(hub, memory)
    await grow(hub, memory)
    assert wire.numbers == [1, 2, 3]


async def test_a_seat_whose_replay_failed_is_tried_again_by_the_next_check(memory: Memory) -> None:
    hub = Hub()
    wire, seat = await fail_a_replay(hub, memory)
    hub.on_head(seat.room, 2, 2)
    await settle()
    assert wire.numbers == [1, 2]


async def test_a_newcomer_brings_news_of_a_lost_hint_to_everybody(memory: Memory) -> None:
    hub = Hub()
    first, _ = await sit(hub)
    await grow(hub, memory, 3, hint=False)
    await sit(hub, 3)
    await settle()
    assert first.numbers == [1, 2, 3]


async def test_nothing_is_sent_while_rights_cannot_be_checked(memory: Memory) -> None:
    hub = Hub()
    wire, seat = await sit(hub)
    hub.is_trusted = False
    await grow(hub, memory, 2)
    assert wire.numbers == []
    hub.is_trusted = True
    hub.on_head(seat.room, 2, 0)
    await settle()
    assert wire.numbers == [1, 2]


async def test_a_topic_is_forgotten_with_its_last_listener(memory: Memory) -> None:
    hub = Hub()
    _, seat = await sit(hub)
    hub.leave(seat.socket)
    hub.leave(seat.socket)
    assert (hub.rooms, hub.sockets, hub.by_user) == ({}, set(), {})


@pytest.mark.django_db(transaction=True)
async def test_a_key_that_nobody_knows_gives_no_seat_and_leaves_no_room(memory: Memory) -> None:
    hub = Hub()
    socket = Socket(Link(Wire().send), Person(uuid4(), "session", 1))
    hub.admit(socket)
    for name in ("board:south", "nothing:north", "board:", "board:a b", "board:" + "x" * 99):
        assert await door.take_seat(hub, socket, name, 0) is None
    assert hub.rooms == {}


async def test_lag_is_the_age_of_what_was_announced_and_not_sent(memory: Memory) -> None:
    hub = Hub()
    await sit(hub)
    memory.fails = True
    await grow(hub, memory)
    assert hub.lag() > 0
    memory.fails = False
    await grow(hub, memory)
    assert hub.lag() == 0
