"""Reads of one's own notices."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from cortex.ops.models import Notification
from cortex.ops.postgres.questions import kept

SHOWN = 50


def unseen(user_id: UUID, limit: int = SHOWN) -> list[Notification]:
    """Return somebody's newest notices that they did not put away yet."""
    return _unseen(user_id, limit)


@kept
def _unseen(user_id: UUID, limit: int) -> QuerySet[Notification]:
    return Notification.objects.filter(recipient_id=user_id, read_at__isnull=True)[:limit]
