"""Denies every view that declared no access, and every person whose role was not declared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.cache import add_never_cache_headers

from cortex.access.actions import refuse_access
from cortex.access.declare import Access
from cortex.audit.actors import actor_of


class DeclaredAccessMiddleware:
    """Keys on the declaration alone: a forgotten one is a refusal, never an open door."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.user.is_authenticated:
            # What a person saw stays with them: no cache, no back button after the sign-out.
            add_never_cache_headers(response)
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        """Refuse before the view runs; API views are asked again by DRF's permission class."""
        access = declared(view)
        if access is None:
            raise PermissionDenied("This page declares nobody who may use it.")
        if access.how == "roles" and not admits(access, request):
            _note_refusal(request, access.describe())
            raise PermissionDenied("Your role does not include this page.")


def declared(view: Callable[..., Any]) -> Access | None:
    """Return what a view, or the class behind it, declared."""
    holder = getattr(view, "cls", None) or getattr(view, "view_class", None) or view
    return getattr(view, "access", None) or getattr(holder, "access", None)


def admits(access: Access, request: HttpRequest) -> bool:
    """Whether the signed-in person holds a declared role."""
    user = request.user
    return bool(user.is_authenticated and user.is_active and user.role in access.roles)


def _note_refusal(request: HttpRequest, needed: str) -> None:
    """Write one row about a refused page, for a signed-in person; a visitor leaves only a log line."""
    if request.user.is_authenticated:
        match = request.resolver_match
        refuse_access(actor=actor_of(request), place=match.view_name if match else "", needed=needed)
