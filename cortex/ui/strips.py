"""Strips above a page's own content that the floors above add: who reads by which emergency, what is new."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest

# Given the request, it returns what its `template` needs, or None where it has nothing to say.
Strip = Callable[[HttpRequest], "dict[str, Any] | None"]

_STRIPS: list[Strip] = []


def register(strip: Strip) -> None:
    """Add a strip to every page; called once, at start."""
    if strip not in _STRIPS:
        _STRIPS.append(strip)


def of(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the strips of a page in the order of their registration."""
    return [shown for strip in _STRIPS if (shown := strip(request)) is not None]
