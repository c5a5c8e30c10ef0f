"""Writes of live sessions: started, kept alive by input, covered, uncovered by PIN, ended."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from allauth.usersessions.models import UserSession
from django.contrib.auth.hashers import check_password
from django.contrib.sessions.models import Session

from cortex.accounts.models import User
from cortex.accounts.sessions.models import SessionState
from cortex.audit import HOUSE, Actor, NotFound, Unchanged, action, quiet, record
from cortex.clock import clock

PIN_TRIES = 5

Uncovered = Literal["open", "wrong", "ended"]


@action
def start_session(
    *, actor: Actor, session_key: str, by_factor: bool = False, at: datetime | None = None
) -> SessionState:
    """Begin the clocks of a session that was just signed in; `by_factor`: a second factor was given too."""
    at = clock(at)
    clocks: dict[str, Any] = {"user_id": actor.id, "started_at": at, "last_input_at": at}
    clocks["factor_passed_at"] = at if by_factor else None
    fresh = {"locked_at": None, "on_board": False, "pin_failures": 0}
    state, _ = SessionState.objects.update_or_create(session_key=session_key, defaults=clocks | fresh)
    record(actor, "session.started", actor.user)
    return state


@quiet("the clocks of a session that came without a sign-in page begin at its first request")
def adopt_session(*, user_id: UUID, session_key: str, at: datetime | None = None) -> SessionState:
    """Begin the clocks of a session that has none."""
    at = clock(at)
    defaults = {"user_id": user_id, "started_at": at, "last_input_at": at}
    return SessionState.objects.update_or_create(session_key=session_key, defaults=defaults)[0]


@quiet("when a person last typed or clicked is a lease, at most once a minute")
def note_input(*, session_key: str, on_board: bool | None = None, at: datetime | None = None) -> None:
    """Note real input; a covered session stays covered. `on_board`: whether a page of the desk is open."""
    fields: dict[str, object] = {"last_input_at": clock(at)}
    if on_board is not None:
        fields["on_board"] = on_board
    SessionState.objects.filter(session_key=session_key, locked_at=None).update(**fields)


@quiet("that a factor was given or set up stands in the trail already; this is what the gate asks")
def mark_factor_passed(*, session_key: str, at: datetime | None = None) -> None:
    """Note that a second factor was given, or set up, in this session."""
    SessionState.objects.filter(session_key=session_key).update(factor_passed_at=clock(at))


@quiet("a session that goes on under a new key takes its clocks along")
def move_session(*, from_key: str, to_key: str) -> None:
    """Carry clocks and list entry of a session over to its new key."""
    if from_key == to_key:
        return
    SessionState.objects.filter(session_key=to_key).delete()
    state = SessionState.objects.filter(session_key=from_key).first()
    if state is not None:
        SessionState.objects.filter(session_key=from_key).delete()
        state.session_key = to_key
        state.save(force_insert=True)
    UserSession.objects.filter(session_key=from_key).update(session_key=to_key)


@action
def cover_session(*, actor: Actor, session_key: str, at: datetime | None = None) -> bool:
    """Cover a session until its PIN is given; sound, title and counts go on underneath."""
    covered = SessionState.objects.filter(session_key=session_key, locked_at=None).update(
        locked_at=clock(at), pin_failures=0, on_board=True
    )
    if not covered:
        return Unchanged(False)  # type: ignore[return-value]
    record(actor, "session.covered", actor.user)
    return True


@action
def uncover_session(*, actor: Actor, session_key: str, pin: str, at: datetime | None = None) -> Uncovered:
    """Open a covered session by its PIN: `open`, `wrong`, or `ended` after the fifth wrong one."""
    state = SessionState.objects.select_for_update().filter(session_key=session_key).first()
    if state is None:
        return Unchanged("ended")  # type: ignore[return-value]
    if state.locked_at is None:
        return Unchanged("open")  # type: ignore[return-value]
    user = User.objects.get(pk=state.user_id)
    if user.pin_hash and check_password(pin, user.pin_hash):
        state.locked_at = None
        state.pin_failures = 0
        state.last_input_at = clock(at)
        state.save(update_fields=["locked_at", "pin_failures", "last_input_at"])
        record(actor, "session.uncovered", user)
        return "open"
    state.pin_failures += 1
    state.save(update_fields=["pin_failures"])
    record(
        actor, "session.refused", user, codes={"by": "pin", "tries": state.pin_failures}, outcome="refused"
    )
    if state.pin_failures < PIN_TRIES:
        return "wrong"
    _drop([session_key])
    record(actor, "session.ended", user, codes={"why": "pin"})
    return "ended"


@action
def end_session(*, actor: Actor, session_key: str, why: str, at: datetime | None = None) -> bool:
    """End one of the actor's own sessions; `why` is a code: logout, own_list, idle, absolute."""
    if not _drop([session_key], user_id=actor.id):
        return Unchanged(False)  # type: ignore[return-value]
    record(actor, "session.ended", actor.user, codes={"why": why})
    return True


@action
def end_sessions_of(
    *, actor: Actor, user_id: UUID, why: str, spare: str = "", at: datetime | None = None
) -> int:
    """End all sessions of a person but `spare`; return how many there were."""
    user = User.objects.filter(pk=user_id).first()
    if user is None:
        raise NotFound("There is no such person.", "no_such_person")
    keys = set(SessionState.objects.filter(user_id=user_id).values_list("session_key", flat=True))
    keys |= set(UserSession.objects.filter(user_id=user_id).values_list("session_key", flat=True))
    ended = _drop(keys - {spare}, user_id=user_id)
    if not ended:
        return Unchanged(0)  # type: ignore[return-value]
    record(actor, "session.ended", user, codes={"why": why, "count": ended})
    return ended


@action
def end_every_session(*, actor: Actor, why: str) -> int | Unchanged[int]:
    """End all sessions of the whole house; return how many there were."""
    ended = Session.objects.all().delete()[0]
    ended = max(ended, SessionState.objects.all().delete()[0])
    UserSession.objects.all().delete()
    if not ended:
        return Unchanged(0)
    record(actor, "session.ended", codes={"why": why, "count": ended}, purpose=HOUSE)
    return ended


@quiet("expired sessions are empty shells; their end by time needs no trail")
def drop_expired_sessions(*, at: datetime | None = None) -> int:
    """Delete sessions that expired, and states and list entries without a session; return how many."""
    count = Session.objects.filter(expire_date__lte=clock(at)).delete()[0]
    alive = Session.objects.values("session_key")
    SessionState.objects.exclude(session_key__in=alive).delete()
    UserSession.objects.exclude(session_key__in=alive).delete()
    return count


def _drop(session_keys: Iterable[str], *, user_id: UUID | None = None) -> int:
    """Delete sessions from the store, so that their cookies are worth nothing from this moment."""
    keys = [key for key in session_keys if key]
    if user_id is not None:
        others = SessionState.objects.filter(session_key__in=keys).exclude(user_id=user_id)
        foreign = set(others.values_list("session_key", flat=True))
        keys = [key for key in keys if key not in foreign]
    ended = Session.objects.filter(session_key__in=keys).delete()[0]
    ended = max(ended, SessionState.objects.filter(session_key__in=keys).delete()[0])
    UserSession.objects.filter(session_key__in=keys).delete()
    return ended
