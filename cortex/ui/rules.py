"""Turns a broken rule into an answer for people: 404, 409 or 422, as a page or as a partial."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.dateparse import parse_datetime

from cortex.audit.rules import RuleBroken
from cortex.ui.pages import is_partial


class RuleBrokenMiddleware:
    """The one handler of HTML answers; the API has its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer a broken rule; everything else is a defect and goes on."""
        if not isinstance(error, RuleBroken):
            return None
        if error.status == 404:
            return render(request, "404.html", {"message": error.message}, status=404)
        template = "components/_conflict.html" if is_partial(request) else "409.html"
        return render(request, template, context_of(request, error), status=error.status)


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
    }
