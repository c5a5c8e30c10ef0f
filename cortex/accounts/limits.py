"""Idle and absolute limits of sessions: ends them, or covers a board until its PIN; polling is no input."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.urls import reverse
from django.utils.http import urlencode

from cortex.access.middleware import declared
from cortex.accounts.choices import DESK_ROLES
from cortex.accounts.sessions import actions, queries
from cortex.accounts.sessions.clocks import limits
from cortex.accounts.sessions.models import SessionState
from cortex.audit import actor_of
from cortex.clock import steady_now
from cortex.ui.pages import is_navigation, is_partial

V = TypeVar("V", bound=Callable[..., Any])

NOTED_EVERY = timedelta(minutes=1)
COVERED = 423


def cover_when_idle(view: V) -> V:
    """Mark a page of the desk: idling covers it and asks for the PIN, while sound, title and counts go on.

    Any other page ends its session instead. What counts is the page that was opened last; several tabs share
    a session, so a page of the desk in another one says itself that it idles (`says_board`).
    """
    view.covers_when_idle = True  # type: ignore[attr-defined]
    return view


def live_while_covered(view: V) -> V:
    """Mark a page whose live parts (coded, without names) answer under the cover; the page does not."""
    view.live_while_covered = True  # type: ignore[attr-defined]
    return view


def open_while_covered(view: V) -> V:
    """Mark a view that answers under the cover too: counts without names, the PIN itself, signing out."""
    view.open_while_covered = True  # type: ignore[attr-defined]
    return view


def is_covered(request: HttpRequest) -> bool:
    """Whether this request's session is covered; the middleware found out."""
    state: SessionState | None = getattr(request, "session_state", None)
    return state is not None and state.locked_at is not None


def noted_seconds(request: HttpRequest) -> int:
    """Return how long ago input of this session was noted: a page counts on from there."""
    state: SessionState | None = getattr(request, "session_state", None)
    return max(int((steady_now() - state.last_input_at).total_seconds()) + 1, 0) if state else 0


def may_cover(request: HttpRequest) -> bool:
    """Whether idling covers this session: a page of the desk is open, and its person has a PIN."""
    state: SessionState | None = getattr(request, "session_state", None)
    return state is not None and state.on_board and bool(getattr(request.user, "has_pin", False))


class SessionLimitsMiddleware:
    """Stands behind authentication and before the login check, so that an ended session meets that check."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """End or cover what idled too long, note input of the rest; only pages for signed-in staff count."""
        access = declared(view)
        if access is None or access.how != "roles":
            return None
        if not request.user.is_authenticated:
            return _to_sign_in(request) if is_partial(request) else None
        now = steady_now()
        state = _state(request)
        state.on_board = state.on_board or says_board(request, view)
        request.covers_when_idle = _marked(view, "covers_when_idle")  # type: ignore[attr-defined]
        if over := _why_over(state, now, has_pin=request.user.has_pin):
            actions.end_session(actor=actor_of(request), session_key=state.session_key, why=over)
            logout(request)
            return _to_sign_in(request) if is_partial(request) else None
        if state.locked_at is None and now - state.last_input_at > limits().idle:
            actions.cover_session(actor=actor_of(request), session_key=state.session_key)
            state.locked_at = now
        request.session_state = state  # type: ignore[attr-defined]
        if state.locked_at is not None:
            return None if _goes_on(request, view) else _to_cover(request)
        _note(request, view, state, now)
        return None


def _state(request: HttpRequest) -> SessionState:
    key = request.session.session_key or ""
    state: SessionState | None = getattr(request.session, "clocks", None)
    if state is None or state.session_key != key:
        state = queries.state_of(key)
    user_id = request.user.pk
    assert user_id is not None  # noqa: S101 (asked of signed-in people only)
    if state is not None and state.user_id == user_id:
        return state
    return actions.adopt_session(user_id=user_id, session_key=key)


def _why_over(state: SessionState, now: datetime, *, has_pin: bool) -> str:
    if now - state.started_at > limits().absolute:
        return "absolute"
    if state.locked_at is not None or (state.on_board and has_pin):
        return ""
    return "idle" if now - state.last_input_at > limits().idle else ""


def says_board(request: HttpRequest, view: Callable[..., Any]) -> bool:
    """Whether a page of the desk itself asks: for its cover, or for a part of its own."""
    if request.method == "POST":
        # Who has no desk has no board in another tab: their session ends, whatever a request says.
        has_desk = request.user.is_authenticated and request.user.role in DESK_ROLES
        return has_desk and _marked(view, "open_while_covered") and request.POST.get("board") == "yes"
    return is_partial(request) and _marked(view, "covers_when_idle")


def _note(request: HttpRequest, view: Callable[..., Any], state: SessionState, now: datetime) -> None:
    """Note a navigation or a command as input; background requests of scripts are none."""
    is_page = is_navigation(request)
    is_input = is_page or request.method not in ("GET", "HEAD")
    opened = is_page and request.method == "GET"
    on_board = _marked(view, "covers_when_idle") if opened else state.on_board
    if on_board != state.on_board or (is_input and now - state.last_input_at > NOTED_EVERY):
        actions.note_input(session_key=state.session_key, on_board=on_board)
        state.on_board, state.last_input_at = on_board, now


def _goes_on(request: HttpRequest, view: Callable[..., Any]) -> bool:
    """Whether a view answers under the cover."""
    is_live_part = request.method == "GET" and is_partial(request) and _marked(view, "live_while_covered")
    return is_live_part or _marked(view, "open_while_covered")


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=401, headers={"HX-Redirect": resolve_url("account_login")})


def _to_cover(request: HttpRequest) -> HttpResponse:
    """Answer a covered session: a page leads to the PIN, a part or a script hears 423 and a trigger."""
    if request.method == "GET" and is_navigation(request):
        query = urlencode({"next": request.get_full_path()})
        return HttpResponseRedirect(f"{reverse('accounts:cover')}?{query}")
    return HttpResponse(status=COVERED, headers={"HX-Trigger": "session-covered", "HX-Reswap": "none"})


def _marked(view: Callable[..., Any], name: str) -> bool:
    holder = getattr(view, "cls", None) or getattr(view, "view_class", None)
    return bool(getattr(view, name, getattr(holder, name, False)))
