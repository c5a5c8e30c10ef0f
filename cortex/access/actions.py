"""Writes of the access layer: refusals are part of the trail."""

from __future__ import annotations

from django.http import HttpRequest

from cortex.audit.actors import Actor, actor_of
from cortex.audit.machine import action, record


def note_refusal(request: HttpRequest, needed: str) -> None:
    """Write one row about a refused page, for a signed-in person; an unknown visitor leaves only a log line."""
    if request.user.is_authenticated:
        match = request.resolver_match
        refuse_access(actor=actor_of(request), place=match.view_name if match else "", needed=needed)


@action
def refuse_access(*, actor: Actor, place: str, needed: str) -> None:
    """Record that somebody asked for what they may not have; `place` is a URL name, never a path."""
    record(actor, "access.refused", None, codes={"place": place, "needed": needed[:200]}, outcome="refused")
