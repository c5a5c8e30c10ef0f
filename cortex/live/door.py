"""Lets a socket into a topic: may this person hear it, where does the feed stand, what is it missing."""

from __future__ import annotations

import json
from uuid import UUID

from cortex.access.actions import refuse_access
from cortex.accounts.queries import user_by_id
from cortex.audit.actors import actor_of_user, keyed_hash
from cortex.live import metrics, topics
from cortex.live.hub import Hub
from cortex.live.link import Frame, Gone, text_frame
from cortex.live.rooms import Person, Room, Seat, Socket
from cortex.live.threads import in_thread
from cortex.live.topics import LogsReaders, NamesItems, TopicSource


async def take_seat(hub: Hub, socket: Socket, name: str, after: int | None) -> Seat | None:
    """Put a socket into a topic, quiet until `begin`; None when the person may not hear it.

    `after` is the last number that the page has, None when it wants only what comes. Joining again moves the
    seat. Raises Gone when the socket left meanwhile, and whatever the source raises.
    """
    found = topics.resolve(name)
    if found is None:
        return None
    room = hub.rooms.setdefault(name, Room(name, found[1], found[0]))
    room.arriving += 1
    try:
        head = await in_thread(_admission, found[0], name, found[1], socket.person, after)
        return None if head is None else _seat(hub, socket, room, head, after)
    finally:
        room.arriving -= 1
        hub.drop_if_empty(room)


async def turn_away(socket: Socket, name: str) -> Frame:
    """Return the answer to a page that speaks of a topic which it doesn't hear.

    A topic that its person may not hear is a refusal on record, as when they wanted to join it.
    """
    found = topics.resolve(name)
    if found is not None:
        await in_thread(_note_unless_heard, found[0], name, found[1], socket.person)
    return refused_frame(name)


def take_notice(room: Room, person: Person, n: int, item: str) -> bool:
    """Tell a feed up to which number somebody's page showed it, or one thing of it (in a thread).

    Returns False, and leaves a refusal on record, when the feed is about no such thing.
    """
    source = room.source
    if item and isinstance(source, NamesItems) and not source.has_item(room.key, item):
        _note_refusal(room.name, item, person)
        return False
    source.on_seen(person.user_id, room.key, n, item)
    return True


def refused_frame(topic: str, item: str = "") -> Frame:
    """Return the answer about a topic, or a thing of one, that isn't the page's; both names are its own."""
    said = {"type": "refused", "topic": topic} | ({"item": item} if item else {})
    return text_frame(json.dumps(said, separators=(",", ":")))


def begin(hub: Hub, seat: Seat) -> None:
    """Feed a seat from now on: first what it has missed, then everything new."""
    seat.held = False
    hub.pump(seat.room)
    hub.feed(seat)
    if seat.room.marks is not None:
        hub.say(seat.socket, seat.room.marks_frame())


def _seat(hub: Hub, socket: Socket, room: Room, head: int, after: int | None) -> Seat:
    if room.last is None:
        room.last = head
        metrics.TOPICS.set(len(hub.rooms))
    room.want(head)
    seat = Seat(socket, room, first=head if after is None else after, sent=head if after is None else after)
    # A page from another life of the database knows numbers that do not exist.
    seat.stale = seat.sent > max(head, room.last, room.wanted)
    old = socket.seats.get(room.name)
    if socket not in hub.sockets:
        hub.unseat(seat)
        raise Gone
    room.seats.add(seat)
    socket.seats[room.name] = seat
    if old is not None:
        hub.unseat(old)
    return seat


def _admission(source: TopicSource, name: str, key: str, person: Person, after: int | None) -> int | None:
    """Return the feed's head when the person may hear it (in a thread); the access row comes first."""
    if not _may_join(source, key, person.user_id, person.session_key):
        _note_refusal(name, key, person)
        return None
    head = source.head(key)
    if isinstance(source, LogsReaders):
        source.on_open(person.user_id, person.session_key, key, head if after is None else after)
    return head


def _note_unless_heard(source: TopicSource, name: str, key: str, person: Person) -> None:
    if not _may_join(source, key, person.user_id, person.session_key):
        _note_refusal(name, key, person)


def _note_refusal(name: str, key: str, person: Person) -> None:
    """Write a row about a topic, or a thing of one, that a person may not hear, there or not."""
    user = user_by_id(person.user_id)
    if user is None:
        return
    try:
        asked = UUID(key)
    except ValueError:
        asked = None
    actor = actor_of_user(user, session_hash=keyed_hash(person.session_key))
    refuse_access(actor=actor, place=f"live:{name.partition(':')[0]}", object_id=asked)


def _may_join(source: TopicSource, key: str, user_id: UUID, session_key: str) -> bool:
    try:
        return source.may_join(user_id, session_key, key)
    except ValueError:
        # A key that is no id names nothing.
        return False
