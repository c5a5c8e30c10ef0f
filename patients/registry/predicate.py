"""The parts of the one predicate of relationships, and how they are joined; it knows none of them.

A part says, as SQL, which persons a user stands in a relationship to at a time. The floors above register
theirs at start (`AppConfig.ready`), so that nothing here imports them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import CharField, F, Q, QuerySet, Value

from cortex.clock import Moment

VIEW = "view_patient"
CHART = "view_chart"
CONSENTS = "view_consents"
# A referral that waits for the reader: name and ways to reach, no chart and no alert.
REFERRALS = "view_referral"

Builder = Callable[[Any, Moment], "QuerySet[Any] | None"]
Whole = Callable[[Any, Moment], "Q | None"]


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of relationship.

    `rows(user, at)` gives a queryset of rows with a `patient` foreign key (or an annotation `person`), or
    None when the user's role has no such relationship; an annotation `relation` names it more closely and
    `opens_code` (a permission) limits what the row opens.
    `whole(user, at)` gives a Q on Patient instead, for roles that see a whole organization.
    Both read nothing of the user but id, organization and role, and compare with `at` itself
    (`cortex.clock.before` lets the database reckon): the SQL of each question is made once.
    """

    name: str
    rank: int
    opens: frozenset[str]
    rows: Builder | None = None
    whole: Whole | None = None


PARTS: dict[str, Part] = {}


def register(
    name: str,
    rows: Builder | None = None,
    *,
    whole: Whole | None = None,
    opens: frozenset[str] = frozenset({VIEW}),
    rank: int = 50,
) -> None:
    """Add a part; a lower `rank` names the relationship when several hold. Registering again replaces it."""
    if (rows is None) == (whole is None):
        raise ValueError("a part is either rows or a whole organization")
    PARTS[name] = Part(name, rank, opens, rows, whole)


def parts_for(permission: str) -> list[Part]:
    """Return the parts that can open `permission`, the closest relationship first."""
    return sorted((part for part in PARTS.values() if permission in part.opens), key=lambda part: part.rank)


def may_relate(user: Any) -> bool:
    """Whether this is a signed-in, active member of staff at all."""
    return bool(user is not None and user.is_authenticated and user.is_active)


def relationship_q(user: Any, at: Moment, permission: str = VIEW, besides: frozenset[str] = frozenset()) -> Q:
    """Return the Q on Patient that holds for those whom `user` may see at `at`; nobody when none.

    A row that was merged into another is the same person: both are reached by either's relationships.
    `besides` leaves parts out, for a question that they don't answer.
    """
    nobody = Q(pk__in=[])
    if not may_relate(user):
        return nobody
    reached, persons = nobody, None
    for part in parts_for(permission):
        if part.name in besides:
            continue
        if part.whole is not None:
            reached |= part.whole(user, at) or nobody
            continue
        rows = persons_of(part, user, at, permission)
        if rows is not None:
            persons = rows if persons is None else persons.union(rows, all=True)
    if persons is not None:
        reached |= Q(person_id__in=persons)
    return reached & ~Q(status="deleted")


def persons_of(part: Part, user: Any, at: Moment, permission: str) -> QuerySet[Any] | None:
    """Return the person ids that a part reaches, as a queryset of one column, or None."""
    rows = related_rows(part, user, at, permission)
    return None if rows is None else rows.order_by().values("person")


def related_rows(part: Part, user: Any, at: Moment, permission: str) -> QuerySet[Any] | None:
    """Return a part's rows with `person` and `relation`, limited to what the permission needs."""
    rows = part.rows(user, at) if part.rows is not None else None
    if rows is None:
        return None
    if "opens_code" in rows.query.annotations:
        rows = rows.filter(opens_code__in=opening(permission))
    if "relation" not in rows.query.annotations:
        rows = rows.annotate(relation=Value(part.name, output_field=CharField()))
    return rows if "person" in rows.query.annotations else rows.annotate(person=F("patient__person_id"))


def opening(permission: str) -> list[str]:
    """Return the permissions that include this one: who may see the chart may see the person."""
    return [VIEW, CHART] if permission == VIEW else [permission]
