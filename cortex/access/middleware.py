"""Denies every view that declared no access and every role that was not declared; notes each refusal.

Before that, a command that a browser sent for another site's page is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import structlog
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils.cache import add_never_cache_headers

from cortex.access.actions import refuse_access
from cortex.access.declare import Access
from cortex.audit.actors import actor_of

REFUSALS = (403, 404)
SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")
log = structlog.get_logger("cortex.access")


class CrossSiteMiddleware:
    """Refuses what another site's page sends, by the browser's own word: beside the page's token.

    A sender with a key or a token in its header has no cookie that somebody else could use, and a view for
    such senders asks for no page's token either.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        """Raise PermissionDenied for an unsafe method from another site."""
        if request.method in SAFE or getattr(view, "csrf_exempt", False):
            return
        if request.headers.get("Sec-Fetch-Site") == "cross-site":
            raise PermissionDenied("This was sent by another site.")


class DeclaredAccessMiddleware:
    """Keys on the declaration alone: a forgotten one is a refusal, never an open door."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.user.is_authenticated:
            # What a person saw stays with them: no cache, no back button after the sign-out.
            add_never_cache_headers(response)
            if response.status_code in REFUSALS:
                _note_refusal(request)
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        """Refuse before the view runs; API views are asked again by DRF's permission class."""
        access = declared(view)
        if access is None:
            raise PermissionDenied("This page declares nobody who may use it.")
        request.declared_access = access  # type: ignore[attr-defined]
        if access.how == "roles" and not admits(access, request):
            raise PermissionDenied("Your role does not include this page.")


def declared(view: Callable[..., Any]) -> Access | None:
    """Return what a view, or the class behind it, declared."""
    holder = getattr(view, "cls", None) or getattr(view, "view_class", None) or view
    return getattr(view, "access", None) or getattr(holder, "access", None)


def admits(access: Access, request: HttpRequest) -> bool:
    """Whether the signed-in person holds a declared role."""
    user = request.user
    return bool(user.is_authenticated and user.is_active and user.role in access.roles)


def _note_refusal(request: HttpRequest) -> None:
    """Write a row about what a signed-in person was refused; a visitor leaves only a log line.

    It is written for what does not exist as for what is somebody else's: neither the answer nor the time that
    it takes may tell them apart. What was refused before our own question (a missing token) is no look.
    """
    access: Access | None = getattr(request, "declared_access", None)
    match = request.resolver_match
    if access is None or match is None:
        return
    needed = "" if access.how != "roles" or admits(access, request) else access.describe()
    try:
        refuse_access(
            actor=actor_of(request), place=match.view_name, needed=needed, object_id=_object_of(match.kwargs)
        )
    except DatabaseError as error:
        # The refusal stands; it must not become another answer because the trail is away.
        log.error("refusal not recorded", place=match.view_name, kind=type(error).__name__)


def _object_of(kwargs: dict[str, Any]) -> UUID | None:
    """Return the first id of an address, as the thing that was asked for."""
    for value in kwargs.values():
        try:
            return value if isinstance(value, UUID) else UUID(str(value))
        except ValueError:
            continue
    return None
