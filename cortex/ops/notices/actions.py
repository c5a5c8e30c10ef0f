"""Writes of notices: one row per person told, and that they saw it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from cortex.audit import Actor, NotFound, Unchanged, quiet
from cortex.clock import clock
from cortex.ops.models import Notification


@quiet("a notice is itself the record of who was told; what it is about is recorded by its own action")
def notify(
    *, actor: Actor, organization_id: UUID, user_ids: Iterable[UUID], code: str, object_type: str,
    object_id: UUID, codes: Mapping[str, Any] | None = None,
) -> list[Notification]:  # fmt: skip
    """Tell these people something by code; each once, whoever does it never about themself."""
    people = sorted(set(user_ids) - {actor.id})
    return Notification.objects.bulk_create(
        Notification(
            organization_id=organization_id, recipient_id=person, code=code, codes=dict(codes or {}),
            object_type=object_type, object_id=object_id,
        )
        for person in people
    )  # fmt: skip


@quiet("that somebody saw a notice is their own mark")
def mark_seen(*, actor: Actor, notice_id: UUID, with_kind: bool = False, at: datetime | None = None) -> int:
    """Put one of the actor's own notices away (`with_kind`: and older ones of its code); return how many.

    NotFound for anybody else's.
    """
    own = Notification.objects.filter(recipient_id=actor.person.pk)
    one = own.filter(pk=notice_id).first()
    if one is None:
        raise NotFound("There is no such notice.", "not_found")
    meant = own.filter(code=one.code, pk__lte=one.pk) if with_kind else own.filter(pk=one.pk)
    unread = meant.filter(read_at__isnull=True)
    return unread.update(read_at=clock(at)) or Unchanged(0)  # type: ignore[return-value]


@quiet("that a notice is needed no more follows from what was done, which its own action records")
def overtake(
    *, actor: Actor, user_ids: Iterable[UUID], code: str, object_ids: Iterable[UUID],
    at: datetime | None = None,
) -> int:  # fmt: skip
    """Put away what these people were told of these objects by a code and have not seen; return how many."""
    told = Notification.objects.filter(recipient_id__in=list(user_ids), read_at__isnull=True)
    meant = told.filter(code=code, object_id__in=list(object_ids))
    return meant.update(read_at=clock(at)) or Unchanged(0)  # type: ignore[return-value]
