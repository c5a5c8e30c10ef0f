"""Reads of who looked at unusually many people, from the access rows alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from cortex.accounts.choices import Role
from cortex.accounts.models import User
from cortex.accounts.queries import active_users
from cortex.audit.models import AuditLog
from cortex.ids import floor_of

SEEN = "access.bulk_noticed"

# Ids carry their time: the window is a range of the primary key, in the months that it touches. Clocks of web
# servers, which may be behind, make them: the range begins earlier, and the database's own time decides.
SLACK = timedelta(hours=2)
MANY = """
WITH looks AS (
    SELECT actor_id, subject, subjects FROM "audit_phiaccesslog"
    WHERE id >= %(floor)s AND occurred_at BETWEEN %(since)s AND %(until)s
        AND actor_kind = 'user' AND actor_id IS NOT NULL
), opened AS (
    SELECT actor_id, count(DISTINCT subject) AS people FROM looks WHERE subject IS NOT NULL GROUP BY actor_id
), listed AS (
    SELECT actor_id, count(DISTINCT one) AS people
    FROM (SELECT DISTINCT actor_id, subjects FROM looks WHERE subjects <> '{}') AS lists
    CROSS JOIN LATERAL unnest(subjects) AS one GROUP BY actor_id
)
SELECT actor_id, coalesce(opened.people, 0), coalesce(listed.people, 0)
FROM opened FULL JOIN listed USING (actor_id)
WHERE opened.people > %(opened)s OR listed.people > %(listed)s ORDER BY actor_id
"""


@dataclass(frozen=True, slots=True)
class Reader:
    """How many different people somebody opened one by one, and had on lists, within the window."""

    user_id: UUID
    opened: int
    listed: int


def readers_of_many(since: datetime, *, until: datetime, opened: int, listed: int) -> list[Reader]:
    """Return who looked at more people than this between two times."""
    values: dict[str, Any] = {
        "floor": floor_of(since - SLACK),
        "since": since,
        "until": until,
        "opened": opened,
        "listed": listed,
    }
    with connection.cursor() as cursor:
        cursor.execute(MANY, values)
        return [Reader(*row) for row in cursor.fetchall()]


def was_noticed(user_id: UUID, since: datetime) -> bool:
    """Whether that somebody read much was noticed since then."""
    rows = AuditLog.objects.filter(object_id=user_id, id__gte=floor_of(since - SLACK), event_type=SEEN)
    return rows.filter(occurred_at__gte=since).exists()


def reader(user_id: UUID) -> User | None:
    """Return who it was."""
    return User.objects.filter(pk=user_id).first()


def to_tell(user: User) -> set[UUID]:
    """Return the compliance officers of somebody's organization besides them, else its admins."""
    if user.organization_id is None:
        return set()
    for role in (Role.COMPLIANCE, Role.ADMIN):
        office = active_users(organization_id=user.organization_id, roles=[role]).exclude(pk=user.pk)
        if found := set(office.values_list("pk", flat=True)):
            return found
    return set()
