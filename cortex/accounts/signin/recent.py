"""Whether the person typed the password in the last minutes; what weighs more asks for it again."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.internal.flows.reauthentication import suspend_request
from allauth.core.exceptions import ReauthenticationRequired
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode

from cortex.ui.pages import came_from

RECENT = timedelta(minutes=5)
SKEW = 60.0  # seconds
ASKED_FOR = "asked_for"


def is_recent(request: HttpRequest, within: timedelta | None = None) -> bool:
    """Whether this session's last sign-in or confirmation is at most five minutes old, or `within`."""
    records = get_authentication_records(request, request.user)  # type: ignore[arg-type]
    span = RECENT if within is None else within
    if not records:
        return False
    # It was noted by the clock of a machine: what lies ahead of it is no proof, but for machines that differ.
    return -SKEW < time.time() - records[-1]["at"] < span.total_seconds()


class AskAgain(ReauthenticationRequired):  # type: ignore[misc]
    """Somebody gives the password once more before `what` happens."""

    def __init__(self, what: str) -> None:
        super().__init__()
        self.what = what


def ask_again_unless_recent(request: HttpRequest, what: str) -> None:
    """Lead to the password page (and back with the same request) unless the password was just given.

    `what` is about to happen, as a button says it; it names nobody, since it waits in the session.
    """
    if not is_recent(request):
        raise AskAgain(what)


def asked_for(request: HttpRequest) -> dict[str, str]:
    """Return what waits for the password (`what`) and the page to go back to instead (`back`)."""
    wanted = request.POST.get(REDIRECT_FIELD_NAME) or request.GET.get(REDIRECT_FIELD_NAME) or ""
    kept = request.session.get(ASKED_FOR) or {}
    found = kept if kept.get("path") == wanted.partition("?")[0] else {}
    return {"what": found.get("what", ""), "back": found.get("back") or "/"}


def suspend(request: HttpRequest, place: str, what: str = "") -> HttpResponse:
    """Keep the request in the session, lead to `place`, and go on with the request from there.

    `place` says what waits there, and leads back to the page that one came from.

    allauth resumes a command only when `next` is its bare path. The query waits with the command itself, so
    that it knows its list's search and filters when it goes on.
    """
    request.session[ASKED_FOR] = {"path": request.path, "what": what, "back": came_from(request)}
    answer: HttpResponse = suspend_request(request, place)
    if request.method == "POST":
        return HttpResponseRedirect(f"{place}?{urlencode({'next': request.path})}")
    return answer


class AskAgainMiddleware:
    """Stands behind allauth's own, so that a view that asks again is suspended by us."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Lead to the password page, which offers a factor too."""
        if not isinstance(error, ReauthenticationRequired):
            return None
        what = error.what if isinstance(error, AskAgain) else ""
        return suspend(request, reverse("account_reauthenticate"), what)
