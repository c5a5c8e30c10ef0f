"""Reads of one's own notices."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db.models import QuerySet

from cortex.ops.models import Notification
from cortex.ops.postgres.questions import kept

SHOWN = 50


def unseen(user_id: UUID, limit: int = SHOWN, *, besides: Collection[str] = ()) -> list[Notification]:
    """Return somebody's newest notices that they did not put away yet, leaving out these codes."""
    return _unseen(user_id, limit, tuple(sorted(besides)))


def was_told(user_id: UUID, code: str, object_id: UUID) -> bool:
    """Whether somebody had a notice with this code about this row, seen or not."""
    return Notification.objects.filter(recipient_id=user_id, code=code, object_id=object_id).exists()


@kept
def _unseen(user_id: UUID, limit: int, besides: tuple[str, ...]) -> QuerySet[Notification]:
    rows = Notification.objects.filter(recipient_id=user_id, read_at__isnull=True)
    return rows.exclude(code__in=besides)[:limit]
