"""Answers of page views: one page of a long list, a page or its part, and where to go when it is done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme

PAGE_SIZE = 50


def is_partial(request: HttpRequest) -> bool:
    """Whether htmx (or our own fetch, which says so) asked for a part of the page."""
    return request.headers.get("HX-Request") == "true"


def is_navigation(request: HttpRequest) -> bool:
    """Whether a browser opens a page (or sends its form), and no script asks for a part or for data."""
    return not is_partial(request) and request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate"


def came_from(request: HttpRequest) -> str:
    """Return the page that a browser says it came from, as a path; "" unless it is another one of our own."""
    told = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(told, {request.get_host()}, require_https=request.is_secure()):
        return ""
    parts = urlsplit(told)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    is_here = request.method == "GET" and parts.path == request.path
    return path if not is_here and url_has_allowed_host_and_scheme(path, None) else ""


def page_of(rows: Sequence[Any] | Any, number: str | int | None, size: int = PAGE_SIZE) -> Page[Any]:
    """Return one page of rows; a number that is none or out of range gives the nearest page."""
    return Paginator(rows, size).get_page(number)


def render_part(
    request: HttpRequest, page: str, part: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """Answer with the partial when a part was asked for, else with the page that includes it."""
    return render(request, part if is_partial(request) else page, context, status=status)


def go_to(request: HttpRequest, url: str) -> HttpResponse:
    """After a command: send the browser to a page, by htmx's header or by 303."""
    if is_partial(request):
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return HttpResponseRedirect(url, status=303)
