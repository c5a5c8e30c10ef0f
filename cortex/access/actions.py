"""Writes of the access layer: refusals are part of the trail."""

from __future__ import annotations

from cortex.audit.actors import Actor
from cortex.audit.machine import action, record


@action
def refuse_access(*, actor: Actor, place: str, needed: str) -> None:
    """Record that somebody asked for what they may not have; `place` is a URL name, never a path."""
    record(actor, "access.refused", None, codes={"place": place, "needed": needed[:200]}, outcome="refused")
