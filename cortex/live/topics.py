"""The registry of topics: which source answers for a prefix. The floors above register; the hub asks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable
from uuid import UUID

TOPIC = re.compile(r"([a-z][a-z_]{0,31}):([A-Za-z0-9_-]{1,64})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Event:
    """One numbered change of a feed; `payload` is the UTF-8 text of a JSON object without health data.

    The hub puts `type`, `topic` and `n` in front of the object's own members.
    """

    n: int
    payload: bytes


class TopicSource(Protocol):
    """What the hub asks of whoever owns a feed; every call comes from a worker thread.

    Numbers of a feed have no gaps, and number n is visible to readers only when all before it are.
    """

    def may_join(self, user_id: UUID, session_key: str, key: str) -> bool:
        """Say whether this person may hear the feed now; False for a key that does not exist."""
        ...

    def head(self, key: str) -> int:
        """Return the last number of the feed, 0 when nothing has happened yet."""
        ...

    def heads(self, keys: Sequence[str]) -> dict[str, int]:
        """Return the last number of each feed in one query; a key without events may be left out."""
        ...

    def events_after(self, key: str, n: int, limit: int) -> list[Event] | None:
        """Return up to `limit` events n+1, n+2, … in order; None when the reader is too far behind."""
        ...

    def on_seen(self, user_id: UUID, key: str, n: int, item: str) -> None:
        """Take notice that this person's page has shown every event up to n; called more than once.

        With an `item`, the page says so of the events about that one thing alone (the source knows its name).
        """
        ...


@runtime_checkable
class ChecksMany(Protocol):
    """A source that can recheck everybody who listens to a feed in one query."""

    def may_still_hear(self, key: str, people: Sequence[tuple[UUID, str]]) -> set[tuple[UUID, str]]:
        """Return those of the (user id, session key) pairs who may still hear the feed."""
        ...


@runtime_checkable
class NamesItems(Protocol):
    """A source whose readers may say of one thing alone that their page showed it."""

    def has_item(self, key: str, item: str) -> bool:
        """Say whether the feed is about this thing; False for what is no id."""
        ...


@runtime_checkable
class HasMarks(Protocol):
    """A source with lists beside its feed, which pages fetch again when their mark has changed."""

    def marks(self, keys: Sequence[str]) -> dict[str, dict[str, str]]:
        """Return for each feed the mark of each list: a short text that says nothing but "another one"."""
        ...


@runtime_checkable
class Follows(HasMarks, Protocol):
    """A source whose marks may be others when a topic of one of these prefixes moves."""

    follows: tuple[str, ...]


@runtime_checkable
class LogsReaders(Protocol):
    """A source that writes an access row for each socket: before its first and after its last byte."""

    def on_open(self, user_id: UUID, session_key: str, key: str, n: int) -> None:
        """Record that the person starts to hear the feed after number n; raising refuses the socket."""
        ...

    def on_close(self, user_id: UUID, session_key: str, key: str, n_from: int, n_to: int) -> None:
        """Record that the numbers n_from..n_to (inclusive, empty when n_to < n_from) were sent."""
        ...


class DuplicateTopic(RuntimeError):
    """Two sources claim the same prefix."""


_sources: dict[str, TopicSource] = {}


def register(prefix: str, source: TopicSource) -> None:
    """Let `source` answer for the topics `prefix:<key>`; called from `AppConfig.ready`."""
    if prefix in _sources and type(_sources[prefix]) is not type(source):
        raise DuplicateTopic(prefix)
    _sources[prefix] = source


def unregister(prefix: str) -> None:
    """Forget a source (tests)."""
    _sources.pop(prefix, None)


def resolve(topic: str) -> tuple[TopicSource, str] | None:
    """Return the source and key of a topic's name, or None when nobody answers for it."""
    match = TOPIC.fullmatch(topic)
    if match is None or match[1] not in _sources:
        return None
    return _sources[match[1]], match[2]
