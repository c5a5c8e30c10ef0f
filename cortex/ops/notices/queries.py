"""Reads of one's own notices."""

from __future__ import annotations

from uuid import UUID

from cortex.ops.models import Notification

SHOWN = 50


def unseen(user_id: UUID, limit: int = SHOWN) -> list[Notification]:
    """Return somebody's newest notices that they did not put away yet."""
    return list(Notification.objects.filter(recipient_id=user_id, read_at__isnull=True)[:limit])
