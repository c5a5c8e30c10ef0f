"""What every page's frame shows of the desk: the figures of the rail, and critical alerts that wait."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from cortex.access.context import scoped
from cortex.audit import actor_of
from cortex.clock import clock
from cortex.ui.nav import DESK
from crisis.desk.queries import rail_counts, watched


def rail(request: HttpRequest) -> dict[str, int]:
    """Return the counts of the rail for this person; nothing for roles without a desk."""
    if str(request.user.role) not in DESK:  # type: ignore[union-attr]
        return {}
    actor = actor_of(request)
    with scoped(actor):
        return rail_counts(actor.person, clock())


def watch(request: HttpRequest) -> dict[str, Any]:
    """Return what a page needs to tell this person of critical alerts; nothing for roles without a desk."""
    if str(request.user.role) not in DESK:  # type: ignore[union-attr]
        return {}
    actor = actor_of(request)
    with scoped(actor):
        return watched(actor.person, timezone.now())
