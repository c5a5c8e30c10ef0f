"""Who stands in a relationship to whom: the floor's own parts of the one predicate, and its questions.

Everything that decides about a person's data asks here: `visible_to` for lists, `relationship_of` for the
access context, `has_perm` through the backend. Floors above add their parts by `register`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Case, CharField, OuterRef, Q, Subquery, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce

from cortex.accounts.choices import Role
from patients.care.queries import covers_of, grants_of, memberships_of
from patients.registry import queries
from patients.registry.models import PatientQuerySet
from patients.registry.predicate import (
    CHART,
    CONSENTS,
    VIEW,
    Part,
    may_relate,
    parts_for,
    register,
    related_rows,
    relationship_q,
)

__all__ = [
    "CHART", "CONSENTS", "VIEW", "may_view", "patients_related", "register", "register_own_parts",
    "relationship_of", "relationship_q", "visible_to",
]  # fmt: skip

# Care teams and grants open a person only to those who treat; an administrator on a team stays outside.
CLINICAL = frozenset({Role.COUNSELOR, Role.THERAPIST, Role.PSYCHIATRIST, Role.SUPERVISOR})


def visible_to(user: Any, at: datetime, permission: str = VIEW) -> PatientQuerySet:
    """Return the patients whom `user` may see at `at`."""
    return queries.patients().visible_to(user, at, permission)


def may_view(user: Any, patient_id: UUID, at: datetime, permission: str = VIEW) -> bool:
    """Return whether `user` may see this one."""
    return visible_to(user, at, permission).filter(pk=patient_id).exists()


def relationship_of(user: Any, patient_id: UUID, at: datetime, permission: str = VIEW) -> str | None:
    """Return the name of the closest relationship that holds (`care_team`, `grant:consultation`), or None."""
    return patients_related(user, [patient_id], at, permission).get(patient_id)


def patients_related(
    user: Any, patient_ids: Iterable[UUID], at: datetime, permission: str = VIEW
) -> dict[UUID, str]:
    """Return, of these patients, those whom `user` may see and by which relationship, in one query."""
    wanted = set(patient_ids)
    if not wanted or not may_relate(user):
        return {}
    names = [
        name for part in parts_for(permission) if (name := _name_of(part, user, at, permission)) is not None
    ]
    if not names:
        return {}
    nothing = Value(None, output_field=CharField())
    rows = queries.patients().filter(pk__in=wanted).exclude(status="deleted")
    named = rows.annotate(relation=Coalesce(*names, nothing, output_field=CharField()))
    return dict(named.filter(relation__isnull=False).values_list("pk", "relation"))


def _name_of(part: Part, user: Any, at: datetime, permission: str) -> Combinable | None:
    """Return an expression that names a part where it reaches the patient row, else NULL."""
    if part.whole is not None:
        reach = part.whole(user, at)
        return None if reach is None else Case(When(reach, then=Value(part.name)), output_field=CharField())
    rows = related_rows(part, user, at, permission)
    if rows is None:
        return None
    return Subquery(rows.filter(person=OuterRef("person_id")).order_by("relation").values("relation")[:1])


def _care_team(user: Any, at: datetime) -> Any:
    return memberships_of(user, at) if user.role in CLINICAL else None


def _cover(user: Any, at: datetime) -> Any:
    return covers_of(user, at) if user.role in CLINICAL else None


def _grants(user: Any, at: datetime) -> Any:
    return grants_of(user, at) if user.role in CLINICAL else None


def _administration(user: Any, at: datetime) -> Q | None:
    """Pseudonym and demographics of the whole organization; never the chart."""
    return _own(user) if user.role == Role.ADMIN else None


def _compliance(user: Any, at: datetime) -> Q | None:
    """Consents, requests and holds of the whole organization; never the person's page or chart."""
    return _own(user) if user.role == Role.COMPLIANCE else None


def _own(user: Any) -> Q:
    return Q(organization_id=user.organization_id)


def register_own_parts() -> None:
    """Register what this floor knows; called once, at start."""
    register("care_team", _care_team, opens=frozenset({VIEW, CHART, CONSENTS}), rank=10)
    register("cover", _cover, opens=frozenset({VIEW, CHART, CONSENTS}), rank=20)
    register("grant", _grants, opens=frozenset({VIEW, CHART}), rank=60)
    register("administration", whole=_administration, opens=frozenset({VIEW, CONSENTS}), rank=90)
    register("compliance", whole=_compliance, opens=frozenset({CONSENTS}), rank=91)
