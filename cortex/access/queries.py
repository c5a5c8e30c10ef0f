"""Reads of the access layer."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from cortex.audit.models import AuditLog
from cortex.ids import floor_of


def refused_lately(actor_id: UUID | None, at: datetime, limit: int) -> list[tuple[str, UUID | None]]:
    """Return place and object of a person's refusals within the minute before `at`, `limit` at most."""
    rows = AuditLog.objects.filter(
        actor_id=actor_id, event_type="access.refused", id__gte=floor_of(at - timedelta(minutes=1))
    )
    return list(rows.values_list("codes__place", "object_id")[:limit])
