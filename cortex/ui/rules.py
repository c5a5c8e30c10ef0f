"""Turns a broken rule into an answer for people (404, 409, 422), and a store that is away into a 503."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from uuid import UUID

import structlog
from django.db import DatabaseError
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.dateparse import parse_datetime
from django.views.defaults import server_error

from cortex.access.context import KEYS_DOWN
from cortex.access.unreadable import gathered
from cortex.audit.actors import actor_of
from cortex.audit.rules import RuleBroken, TrailDown
from cortex.crypto.errors import DecryptError, KeyMissing, Place, SealedError
from cortex.ops.letters.actions import bury_row
from cortex.ui.pages import came_from, is_partial

DOWN = (TrailDown, *KEYS_DOWN)
OFTEN = 60.0  # seconds
_told: dict[Place, float] = {}
AWAY = "Nothing was saved: a part of Cortex does not answer. What you wrote stands below. Try again."
log = structlog.get_logger("cortex.ui")


class RuleBrokenMiddleware:
    """The one handler of HTML answers; the API has its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with gathered() as met:
            answer = self.get_response(request)
        _list_new(request, met)
        return answer

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer a broken rule or a store that is away; everything else is a defect and goes on.

        A value that doesn't open becomes a dead letter first: nobody should have to find it in a log. So does
        one in whose place a page said that it can't be read.
        """
        if isinstance(error, DOWN):
            return unavailable(error)
        if isinstance(error, (DecryptError, KeyMissing)):
            _list(request, error)
        if not isinstance(error, RuleBroken):
            return None
        if error.status == 404:
            return render(request, "404.html", {"message": error.message}, status=404)
        template = "components/_conflict.html" if is_partial(request) else "409.html"
        return render(request, template, context_of(request, error), status=error.status)


def _list(request: HttpRequest, error: SealedError) -> None:
    place = error.place
    if place is None or not isinstance(place.row, UUID):
        return
    try:
        bury_row(
            actor=actor_of(request), name=place.field, row_id=place.row,
            organization_id=place.organization_id, error_code=type(error).__name__,
        )  # fmt: skip
    except (TrailDown, DatabaseError) as fault:
        # The answer stands; it must not become another one because no letter can be written now.
        log.error("no letter for what can't be read", place=place.field, kind=type(fault).__name__)


def _list_new(request: HttpRequest, met: Iterable[SealedError]) -> None:
    for error in filter(_is_news, met):
        _list(request, error)


def _is_news(error: SealedError) -> bool:
    """Whether this process wrote no letter of the same value in the last minute: boards are asked often."""
    now = time.monotonic()
    for known in [one for one, at in list(_told.items()) if now - at > OFTEN]:
        _told.pop(known, None)
    if error.place is None or error.place in _told:
        return False
    _told[error.place] = now
    return True


def unavailable(error: Exception) -> HttpResponse:
    """Say that a store does not answer and what goes on; the page itself asks no store for anything."""
    _log(error)
    return HttpResponse(render_to_string("503.html"), status=503, headers={"Retry-After": "5"})


def failed(request: HttpRequest) -> HttpResponse:
    """Answer what failed outside of every view; a store that is away (a session that can't be read) is a 503.

    Django's handler of 500, called with what was raised at hand.
    """
    error = sys.exc_info()[1]
    return unavailable(error) if isinstance(error, DOWN) else server_error(request)


def as_refusal(error: Exception) -> RuleBroken:
    """Return what a command broke, or of a store that is away that nothing was saved (503)."""
    if isinstance(error, RuleBroken):
        return error
    _log(error)
    return RuleBroken(AWAY, "store_away", status=503)


def retry_of(refusal: RuleBroken) -> dict[str, str]:
    """Return the header that says when to try again, for what a store that is away refused."""
    return {"Retry-After": "5"} if refusal.status == 503 else {}


def _log(error: Exception) -> None:
    # The class alone: a message of the database may quote a value of the row.
    log.error("store away", kind=type(error).__name__, cause=type(error.__cause__).__name__)


def given_back(
    request: HttpRequest, form: BaseForm, error: Exception
) -> tuple[int, dict[str, object] | None]:
    """Return the status and the conflict of a form whose command failed: it comes back with what was typed.

    What the form can mend stands at its field, a store that is away above all fields, a conflict above the
    form. A script puts that one there itself: for it, and where no form is an answer, it is raised again. So
    is everything but a conflict where nothing was typed: a button has no form that could say it.
    """
    if not form.is_bound and not (isinstance(error, RuleBroken) and error.status == 409):
        raise error
    if not isinstance(error, RuleBroken):
        form.add_error(None, as_refusal(error).message)
        return 503, None
    if error.status == 422:
        form.add_error(error.extra.get("field"), error.message)
        return 422, None
    if error.status == 409 and not is_partial(request):
        return 409, context_of(request, error)
    raise error


def context_of(request: HttpRequest, error: RuleBroken) -> dict[str, object]:
    """Return what a conflict tells: the sentence, who has it since when, and what is allowed."""
    since = error.extra.get("since")
    return {
        "message": error.message,
        "owner_name": error.extra.get("owner") if error.code == "already_claimed" else None,
        "owner_is_me": error.extra.get("owner_id") == str(getattr(request.user, "pk", "")),
        "since": parse_datetime(since) if isinstance(since, str) else None,
        "allowed": error.extra.get("allowed_words", []),
        "page_url": error.extra.get("page_url", ""),
        "back_url": came_from(request),
    }
