"""The one gate: who must give a second factor opens nothing else before; keyed on the session's own row."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from cortex.access.declare import requires_any_staff
from cortex.access.middleware import declared
from cortex.accounts.factors.queries import has_factor
from cortex.accounts.factors.required import is_required
from cortex.accounts.sessions.actions import mark_factor_passed, move_session
from cortex.accounts.sessions.models import SessionState
from cortex.accounts.signin.recent import ask_again_unless_recent, suspend
from cortex.ui.pages import is_navigation

V = TypeVar("V", bound=Callable[..., Any])
CHANGES = "Change how you sign in"


def open_without_factor(view: V) -> V:
    """Mark a view that answers before the second factor: its set-up, its question, help, and signing out."""
    view.open_without_factor = True  # type: ignore[attr-defined]
    return view


def has_passed(request: HttpRequest) -> bool:
    """Whether a second factor was given in this session."""
    state: SessionState | None = getattr(request, "session_state", None)
    return state is not None and state.factor_passed_at is not None


def is_waiting(request: HttpRequest) -> bool:
    """Whether this session's person must give a second factor and has not."""
    return not has_passed(request) and is_required(request.user)  # type: ignore[arg-type]


def pass_gate(request: HttpRequest) -> None:
    """Open the gate for this session, under a new key: one seen before the factor is worth nothing."""
    before = request.session.session_key or ""
    request.session.cycle_key()
    after = request.session.session_key or ""
    move_session(from_key=before, to_key=after)
    mark_factor_passed(session_key=after)
    if state := getattr(request, "session_state", None):
        state.factor_passed_at = timezone.now()  # a request that waited goes on within this one


def changes_factors(*methods: str, set_up: bool = False) -> Callable[[V], V]:
    """Declare a view that changes one's own factors; `set_up`: it answers before the gate too.

    It asks a session that gave no factor for one, where its person has one: such a session began before the
    factor was set up, or before it was asked for, and a password alone changes none. Else it asks for either
    once more, unless one was given in the last minutes.
    """

    def declare(view: V) -> V:
        @functools.wraps(view)
        def ask(request: HttpRequest) -> Any:
            if not has_passed(request) and has_factor(request.user.pk):  # type: ignore[arg-type]
                return suspend(request, reverse("mfa_reauthenticate"), CHANGES)
            ask_again_unless_recent(request, CHANGES)
            return view(request)

        declared_view: V = requires_any_staff(never_cache(require_http_methods(list(methods))(ask)))  # type: ignore[assignment]
        return open_without_factor(declared_view) if set_up else declared_view

    return declare


class SecondFactorMiddleware:
    """Stands behind the session's limits, which load the row, and before every view for signed-in people."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """Lead to the factor's question, or to its set-up; the house's back office is no exception."""
        access = declared(view)
        if access is None or access.how != "roles" or not request.user.is_authenticated:
            return None
        if getattr(view, "open_without_factor", False) or not is_waiting(request):
            return None
        return _lead(request)


def _lead(request: HttpRequest) -> HttpResponse:
    """Answer a page with a redirect, and a part or a script with 403 and the page to go to."""
    place = reverse("mfa_reauthenticate" if has_factor(request.user.pk) else "accounts:factors")  # type: ignore[arg-type]
    if is_navigation(request):
        wanted = request.get_full_path() if request.method == "GET" else "/"
        return HttpResponseRedirect(f"{place}?{urlencode({'next': wanted})}")
    return HttpResponse(status=403, headers={"HX-Redirect": place, "HX-Reswap": "none"})
