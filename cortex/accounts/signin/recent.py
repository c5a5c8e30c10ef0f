"""Whether the person typed the password in the last minutes; what weighs more asks for it again."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.internal.flows.reauthentication import suspend_request
from allauth.core.exceptions import ReauthenticationRequired
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode

RECENT = timedelta(minutes=5)


def is_recent(request: HttpRequest, within: timedelta | None = None) -> bool:
    """Whether this session's last sign-in or confirmation is at most five minutes old, or `within`."""
    records = get_authentication_records(request, request.user)  # type: ignore[arg-type]
    span = RECENT if within is None else within
    return bool(records) and time.time() - records[-1]["at"] < span.total_seconds()


def ask_again_unless_recent(request: HttpRequest) -> None:
    """Lead to the password page (and back with the same request) unless the password was just given."""
    if not is_recent(request):
        raise ReauthenticationRequired


def suspend(request: HttpRequest, place: str) -> HttpResponse:
    """Keep the request in the session, lead to `place`, and go on with the request from there.

    allauth resumes a command only when `next` is its bare path. The query waits with the command itself, so
    that it knows its list's search and filters when it goes on.
    """
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
        return suspend(request, reverse("account_reauthenticate"))
