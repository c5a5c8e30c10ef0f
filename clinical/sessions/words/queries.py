"""Reads of a session's messages: how many there are, and one part of them; nothing is opened here."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from patients.sessions.messages import Message
from patients.sessions.models import Session

# So many messages are opened at a time.
PART = 400
# Clients' clocks are off: what belongs to a session may be dated a little before its start.
EARLIER, LATER = timedelta(days=1), timedelta(days=8)


def window_of(session: Session, at: datetime) -> tuple[datetime, datetime]:
    """Return between which times the keys of what belongs to a session lie."""
    before = session.ended_at + LATER if session.ended_at else at + EARLIER
    return session.started_at - EARLIER, before


def messages_of(session: Session, at: datetime) -> QuerySet[Message]:
    """Return a session's messages, whatever their labels, the oldest first."""
    rows = Message.objects.in_window(*window_of(session, at))
    return rows.filter(session_id=session.pk).order_by("pk")


def kept_back(shut: Collection[str]) -> Q:
    """Return the condition on messages, or readings, of an open session that these labels keep back."""
    return Q(sensitivity_labels__overlap=sorted(shut))


@dataclass(frozen=True, slots=True)
class Said:
    """How many messages of a session are open, how many labels keep back, and whether any holds words."""

    count: int = 0
    withheld: int = 0
    has_words: bool = False

    @property
    def parts(self) -> int:
        """In how many parts they open; one where there are none."""
        return max(1, -(-self.count // PART))


def said(session: Session, shut: Collection[str], at: datetime) -> Said:
    """Count a session's messages; one query."""
    shown = ~kept_back(shut)
    found = messages_of(session, at).order_by().aggregate(
        all=Count("pk"), shown=Count("pk", filter=shown),
        held=Count("pk", filter=shown & Q(content__isnull=False)),
    )  # fmt: skip
    return Said(found["shown"], found["all"] - found["shown"], found["held"] > 0)


def open_messages(session: Session, shut: Collection[str], at: datetime) -> QuerySet[Message]:
    """Return the messages of an open session that no label keeps back, the oldest first."""
    return messages_of(session, at).exclude(kept_back(shut))


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a conversation: its messages, closed, and where they stand among all."""

    number: int
    of: int
    total: int
    messages: list[Message]

    @property
    def first(self) -> int:
        """The place of its first message, from 1; 0 where there is none."""
        return (self.number - 1) * PART + 1 if self.messages else 0

    @property
    def last(self) -> int:
        """The place of its last message."""
        return (self.number - 1) * PART + len(self.messages)


def part_of(session: Session, counted: Said, shut: Collection[str], number: int, at: datetime) -> Part:
    """Return one part of a session's messages; a number beyond the last gives the last."""
    number = min(max(number, 1), counted.parts)
    rows = open_messages(session, shut, at)[(number - 1) * PART : number * PART]
    return Part(number, counted.parts, counted.count, list(rows))


def message_ids(session: Session, shut: Collection[str], at: datetime) -> QuerySet[Message, UUID]:
    """Return the ids of the messages that are open, as a question inside another one."""
    return open_messages(session, shut, at).order_by().values_list("pk", flat=True)
