"""The states of an alert and the moves between them, as one table; no database here."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Status(StrEnum):
    """Where an alert stands."""

    NEW = "new"
    NOTIFIED = "notified"
    ACKNOWLEDGED = "acknowledged"
    IN_CONTACT = "in_contact"
    MONITORING = "monitoring"
    RESOLVED = "resolved"
    FALSE_ALARM = "false_alarm"
    MERGED = "merged"


class Move(StrEnum):
    """What people and timers may do to an alert."""

    NOTIFY = "notify"
    CLAIM = "claim"
    RELEASE = "release"
    TAKE_OVER = "take_over"
    ATTEMPT = "attempt"
    CONTACT = "contact"
    CONTACT_END = "contact_end"
    STILL_WITH = "still_with"
    ESCALATE = "escalate"
    RESOLVE = "resolve"
    FALSE_ALARM = "false_alarm"
    MERGE = "merge"
    REOPEN = "reopen"
    COVER_BACK = "cover_back"
    CANARY_OVER = "canary_over"


S, M = Status, Move

WAITING = (S.NEW, S.NOTIFIED)
OWNED = (S.ACKNOWLEDGED, S.IN_CONTACT, S.MONITORING)
OPEN = (*WAITING, *OWNED)
CLOSED = (S.RESOLVED, S.FALSE_ALARM, S.MERGED)


def in_sql(states: Iterable[Status]) -> str:
    """Return states as the constants of an SQL list: a plan that is kept can then use an index of them."""
    return ", ".join(f"'{one.value}'" for one in states)


# Domain 3.1, "Moves": state x move -> next state. What is not here is refused with 409.
TABLE: dict[tuple[Status, Move], Status] = {
    (S.NEW, M.NOTIFY): S.NOTIFIED,
    **{(state, M.CLAIM): S.ACKNOWLEDGED for state in WAITING},
    (S.ACKNOWLEDGED, M.RELEASE): S.NOTIFIED,
    **{(state, M.TAKE_OVER): state for state in OWNED},
    **{(state, M.ATTEMPT): state for state in OWNED},
    # Before contact nothing but an attempt keeps a claim alive (domain 3.1): nobody is with them yet.
    **{(state, M.STILL_WITH): state for state in (S.IN_CONTACT, S.MONITORING)},
    (S.ACKNOWLEDGED, M.CONTACT): S.IN_CONTACT,
    (S.MONITORING, M.CONTACT): S.IN_CONTACT,
    (S.IN_CONTACT, M.CONTACT_END): S.MONITORING,
    **{(state, M.ESCALATE): state for state in OPEN},
    **{(state, M.RESOLVE): S.RESOLVED for state in OWNED},
    **{(state, M.FALSE_ALARM): S.FALSE_ALARM for state in OWNED},
    **{(state, M.MERGE): S.MERGED for state in OPEN},
    # For the incident that nobody is on shift alone: when somebody is, and nobody took it up, it is over.
    **{(state, M.COVER_BACK): S.RESOLVED for state in WAITING},
    # For the watchdog's canary alone: whether it was seen or not, it ends with the round that raised it.
    **{(state, M.CANARY_OVER): S.RESOLVED for state in WAITING},
    # Reopening lands in `acknowledged` for somebody on shift, else in `new`: the action decides.
    **{(state, M.REOPEN): S.ACKNOWLEDGED for state in (S.RESOLVED, S.FALSE_ALARM)},
}

# Moves that only the owner may make; the others are open to whoever may see the alert.
OWNERS_MOVES = frozenset(
    {M.RELEASE, M.ATTEMPT, M.CONTACT, M.CONTACT_END, M.STILL_WITH, M.RESOLVE, M.FALSE_ALARM}
)
# The clock's own moves: no person makes them.
BY_CLOCK = frozenset({M.COVER_BACK, M.CANARY_OVER})


# Moves of the house alone: a confirmation notifies, and linking two rows of one person merges.
HOUSE_MOVES = frozenset({M.NOTIFY, M.MERGE})


def allowed(status: str) -> list[Move]:
    """Return the moves that a state allows people, in the order of the table."""
    return list(dict.fromkeys(move for (state, move) in TABLE if state == status and move not in BY_CLOCK))


def offers(status: str, *, is_owner: bool) -> list[Move]:
    """Return the moves that a person may make: the owner's by the owner alone, taking over by the others."""
    barred = HOUSE_MOVES | ({M.TAKE_OVER} if is_owner else OWNERS_MOVES)
    return [move for move in allowed(status) if move not in barred]


def after(status: str, move: Move) -> Status | None:
    """Return the next state, or None when the move is not allowed."""
    return TABLE.get((Status(status), move))
