"""Writes of the access layer: refusals are part of the trail."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import connection

from cortex.access.queries import refused_lately
from cortex.audit.actors import Actor
from cortex.audit.machine import action, record
from cortex.audit.rules import Unchanged
from cortex.clock import clock

# Whoever tries so many doors within a minute is on record; more rows would only bury the others'.
MOST_A_MINUTE = 30


@action
def refuse_access(
    *, actor: Actor, place: str, needed: str = "", object_id: UUID | None = None, at: datetime | None = None
) -> None:
    """Record that somebody asked for what they may not have, once a minute for each person and thing.

    `place` is a URL name or a topic, never a path; `object_id` is what was asked for, there or not.
    """
    with connection.cursor() as cursor:
        # One at a time per person: ten tabs that are refused together leave one row.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 11))", [f"refused:{actor.id}"])
    seen = refused_lately(actor.id, clock(at), MOST_A_MINUTE)
    if len(seen) == MOST_A_MINUTE or (place, object_id) in seen:
        return Unchanged(None)  # type: ignore[return-value]
    codes = {"place": place, "needed": needed[:200]}
    record(actor, "access.refused", None, object_id=object_id, codes=codes, outcome="refused")
    return None
