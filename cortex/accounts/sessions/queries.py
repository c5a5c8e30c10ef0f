"""Reads of live sessions: the state that the limits judge by, and a person's own list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from uuid import UUID

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db.models.expressions import RawSQL

from cortex.accounts.models import User
from cortex.accounts.sessions.models import SessionState
from cortex.ops.postgres.kept import KeptQuery
from cortex.ops.postgres.planned import planned_cursor

# Inside SIGNED_IN: a kept query numbers its columns, and the second one of the clocks is whose they are.
STATE = KeptQuery(lambda: SessionState.objects.filter(session_key=RawSQL("live.session_key", ())))
PERSON = KeptQuery(lambda: User.objects.reaching().filter(pk=RawSQL("state.col2", ())).order_by())
SIGNED_IN = """
    SELECT live.session_data, state.*, person.* FROM django_session live
    LEFT JOIN LATERAL ({state}) state ON true
    LEFT JOIN LATERAL ({person}) person ON true
    WHERE live.session_key = $1 AND live.expire_date > $2
"""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A live session: what it holds (encoded), its clocks, and the person that they name."""

    data: str
    clocks: SessionState | None
    person: User | None


@dataclass(frozen=True, slots=True)
class OwnSession:
    """One line of the list of one's own sessions."""

    id: int
    device: str
    network: str
    started_at: datetime
    last_input_at: datetime
    is_current: bool
    is_covered: bool


def state_of(session_key: str) -> SessionState | None:
    """Return what the limits know about a session."""
    return SessionState.objects.filter(session_key=session_key).first()


def signed_in(session_key: str, at: datetime) -> SignedIn | None:
    """Return a session that has not expired at `at`, by one statement; None when there is none."""
    with planned_cursor() as cursor:
        cursor.execute(_statement(), [session_key, at])
        row = cursor.fetchone()
    if row is None:
        return None
    state, person = row[1 : 1 + STATE.width], row[1 + STATE.width :]
    return SignedIn(
        row[0],
        STATE.row(state) if state[0] is not None else None,
        PERSON.row(person) if person[0] is not None else None,
    )


@cache
def _statement() -> str:
    return SIGNED_IN.format(state=STATE.text, person=PERSON.text)


def own_sessions(user_id: UUID, *, current_key: str, at: datetime) -> list[OwnSession]:
    """Return a person's live sessions, the current one first, then the newest."""
    rows = list(UserSession.objects.filter(user_id=user_id))
    keys = [row.session_key for row in rows]
    alive = set(
        Session.objects.filter(session_key__in=keys, expire_date__gt=at).values_list("session_key", flat=True)
    )
    states = SessionState.objects.in_bulk(keys)
    found = [_line(row, states.get(row.session_key), current_key) for row in rows if row.session_key in alive]
    return sorted(found, key=lambda line: (not line.is_current, -line.started_at.timestamp()))


def key_of_own_session(user_id: UUID, identifier: int) -> str | None:
    """Return the key of one of a person's own sessions by the number in their list."""
    return (
        UserSession.objects.filter(user_id=user_id, pk=identifier)
        .values_list("session_key", flat=True)
        .first()
    )


def _line(row: UserSession, state: SessionState | None, current_key: str) -> OwnSession:
    return OwnSession(
        id=row.pk,
        device=device_words(row.user_agent),
        network=row.ip,
        started_at=state.started_at if state else row.created_at,
        last_input_at=state.last_input_at if state else row.last_seen_at,
        is_current=row.session_key == current_key,
        is_covered=bool(state and state.locked_at),
    )


def device_words(user_agent: str) -> str:
    """Return browser and system in words ("Firefox on Linux"); unknown parts are said to be so."""
    browsers = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"))
    systems = (
        ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"),
        ("Mac OS X", "Mac"), ("CrOS", "Chromebook"), ("Linux", "Linux"),
    )  # fmt: skip
    browser = next((name for mark, name in browsers if mark in user_agent), "")
    if not browser:
        browser = "Safari" if "Safari/" in user_agent else "Unknown browser"
    system = next((name for mark, name in systems if mark in user_agent), "unknown system")
    return f"{browser} on {system}"
