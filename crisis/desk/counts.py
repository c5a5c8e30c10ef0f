"""What every page's frame shows of the desk: the figures of the rail, and critical alerts that wait."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.http import HttpRequest

from cortex.access.context import scoped
from cortex.accounts.models import User
from cortex.audit import actor_of
from cortex.clock import clock
from cortex.ui import nav
from crisis.desk.queries import rail_counts, watched

PARTS = {
    "data": "crisis/alerts/_watch_data.html",
    "live": "crisis/alerts/_live.html",
    "bar": "crisis/alerts/_waiting.html",
}


def rail(request: HttpRequest) -> dict[str, int]:
    """Return the counts of the rail for this person; nothing for roles without a desk."""
    # The board has read them with everything else.
    known: dict[str, int] | None = getattr(request, "rail_counts", None)
    return known if known is not None else _of_desk(request, rail_counts)


def watch(request: HttpRequest) -> dict[str, Any]:
    """Return what a page needs to tell this person of critical alerts; nothing for roles without a desk."""
    found = _of_desk(request, watched)
    return found | PARTS if found else {}


def _of_desk(request: HttpRequest, ask: Callable[[User, datetime], dict[str, Any]]) -> dict[str, Any]:
    if str(request.user.role) not in nav.DESK:  # type: ignore[union-attr]
        return {}
    actor = actor_of(request)
    at: datetime = getattr(request, "desk_at", None) or clock()
    request.desk_at = at  # type: ignore[attr-defined]  # one clock for the whole frame
    with scoped(actor):
        return ask(actor.person, at)


DESK = nav.Desk(rail, watch)
