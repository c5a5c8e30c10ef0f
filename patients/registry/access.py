"""Who stands in a relationship to whom: the floor's own parts of the one predicate, and its questions.

Everything that decides about a person's data asks here: `visible_to` for lists, `relations` for the access
context, `has_perm` through the backend. Floors above add their parts by `register`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Case, CharField, OuterRef, Q, QuerySet, Subquery, UUIDField, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Now

from cortex.access.relations import Relation
from cortex.accounts.choices import Role
from cortex.accounts.models import User
from cortex.audit import Actor, NotFound, RuleBroken
from cortex.audit.machine import frames
from cortex.clock import Moment
from cortex.ops.postgres.questions import kept
from patients.care.queries import covers_of, grants_of, memberships_of
from patients.codes import GrantReason
from patients.pathway.queries import referrals_to
from patients.registry import queries
from patients.registry.models import Patient, PatientQuerySet
from patients.registry.predicate import (
    CHART,
    CONSENTS,
    REFERRALS,
    VIEW,
    Part,
    may_relate,
    opening,
    parts_for,
    register,
    related_rows,
    relationship_q,
)

__all__ = [
    "CHART", "CONSENTS", "REFERRALS", "VIEW", "may_view", "of_the_team", "patients_related", "register",
    "register_own_parts", "relations", "relationship_of", "relationship_q", "treated", "visible_to",
]  # fmt: skip

BREAK_GLASS = f"grant:{GrantReason.BREAK_GLASS}"
# Care teams and grants open a person only to those who treat; an administrator on a team stays outside.
CLINICAL = frozenset({Role.COUNSELOR, Role.THERAPIST, Role.PSYCHIATRIST, Role.SUPERVISOR})


def visible_to(user: Any, at: Moment, permission: str = VIEW) -> PatientQuerySet:
    """Return the patients whom `user` may see at `at`."""
    return queries.patients().visible_to(user, at, permission)


def may_view(user: Any, patient_id: UUID, at: Moment, permission: str = VIEW) -> bool:
    """Return whether `user` may see this one."""
    return visible_to(user, at, permission).filter(pk=patient_id).exists()


def relationship_of(user: Any, patient_id: UUID, at: Moment, permission: str = VIEW) -> str | None:
    """Return the name of the closest relationship that holds (`care_team`, `grant:consultation`), or None."""
    return patients_related(user, [patient_id], at, permission).get(patient_id)


def patients_related(
    user: Any, patient_ids: Iterable[UUID], at: Moment, permission: str = VIEW
) -> dict[UUID, str]:
    """Return, of these patients, those whom `user` may see and by which relationship, in one query."""
    if not may_relate(user):
        return {}
    return {pk: name for pk, name, _ in _standings(user, list(patient_ids), at, permission) if name}


def relations(
    actor: Actor, subjects: Collection[UUID], permission: str = "", at: datetime | None = None
) -> dict[UUID, Relation]:
    """Answer the access context, in one query: to whom of these a relationship opens `permission`.

    A member of staff needs a relationship of the predicate; a key and the system reach their organization's
    people, a patient's device its own person, and the system that works for no one organization everybody.
    """
    if actor.kind == "user":
        if not may_relate(actor.user):
            return {}
        found = _standings(actor.person, list(subjects), at or Now(), permission or VIEW)
        return {
            pk: Relation(name, grant if name == BREAK_GLASS else None) for pk, name, grant in found if name
        }
    if actor.is_unbound:
        return dict.fromkeys(subjects, Relation("system"))
    if actor.kind == "patient":
        return dict.fromkeys(_own_rows(subjects, actor.id), Relation("self"))
    return dict.fromkeys(_people_of(subjects, actor.org_ids), Relation(actor.kind))


@kept
def _own_rows(subjects: Collection[UUID], patient_id: UUID) -> QuerySet[Any, UUID]:
    people = queries.patients().filter(pk__in=subjects)
    return people.same_person(patient_id).values_list("pk", flat=True)


@kept
def _people_of(subjects: Collection[UUID], organizations: Collection[UUID]) -> QuerySet[Any, UUID]:
    people = queries.patients().filter(pk__in=subjects)
    return people.of_organizations(organizations).values_list("pk", flat=True)


def _standings(user: User, subjects: list[UUID], at: Moment, permission: str) -> list[Any]:
    """Return (patient, relation, break-glass grant) of those who are reached or are in the organization.

    Every page and every action asks, so the SQL is kept, as that of anybody with this role.
    """
    parts = tuple(parts_for(permission))
    return _kept_standings(user.pk, user.organization_id, subjects, at, user.role, permission, parts)


def _standing(user: Any, subjects: list[UUID], at: Moment, permission: str) -> QuerySet[Any, Any]:
    rows = _related(user, subjects, at, permission)
    return rows.values_list("pk", "relation", _broken_glass(user, at, permission))


def _as_anybody(
    user_id: UUID, house_id: Any, subjects: list[UUID], at: Moment, role: str, permission: str,
    parts: tuple[Part, ...],
) -> QuerySet[Any, Any]:  # fmt: skip
    """Ask as anybody of this role would; `parts` are those that the permission has now."""
    anybody = User(pk=user_id, organization_id=house_id, role=role, is_active=True)
    return _standing(anybody, subjects, at, permission)


# What a role reaches without its id or its house is not asked with them.
_kept_standings = kept(_as_anybody, partly=True)


# Who cares for a person day by day, and decides who else does; a single grant and a claim pass.
TEAM = frozenset({"care_team", "cover"})
TEAM_ONLY = "This chart is open to you for a while. What you ask for is decided by the person's team."
READ_ONLY = "Break-glass opens this chart for reading. Its team writes in it."


def treated(actor: Actor, patient_id: UUID, at: datetime, *, writes: bool | None = None) -> Patient:
    """Return the person whose chart is open to an actor; NotFound for everybody else's.

    Break-glass opens it for reading and for crisis actions: whoever asks inside an action is about to write
    in the chart, and hears `read_only`. `writes=False` is for one's own marks.
    """
    standing = relations(actor, {patient_id}, CHART, at).get(patient_id)
    found = queries.patient(patient_id) if standing else None
    if standing is None or found is None:
        raise NotFound
    if standing.name == BREAK_GLASS and (bool(frames()) if writes is None else writes):
        raise RuleBroken(READ_ONLY, "read_only")
    return found


def of_the_team(actor: Actor, patient_id: UUID, at: datetime) -> Patient:
    """Return the person whom somebody cares for, to decide about their care.

    RuleBroken `team_only` for whom the chart is open to for a while alone; NotFound for everybody else's.
    """
    found = treated(actor, patient_id, at)
    if actor.kind == "user" and relations(actor, {patient_id}, CHART, at)[patient_id].name not in TEAM:
        raise RuleBroken(TEAM_ONLY, "team_only")
    return found


def _related(user: Any, wanted: list[UUID], at: Moment, permission: str) -> QuerySet[Any]:
    """Return these patients with `relation`, the name of the closest relationship, or NULL."""
    rows: QuerySet[Any] = queries.patients().filter(pk__in=wanted).exclude(status="deleted")
    parts = parts_for(permission) if may_relate(user) else []
    names = [name for part in parts if (name := _name_of(part, user, at, permission)) is not None]
    nothing = Value(None, output_field=CharField())
    if not wanted or not names:
        return rows.none().annotate(relation=nothing)
    return rows.annotate(relation=Coalesce(*names, nothing, output_field=CharField()))


def _broken_glass(user: Any, at: Moment, permission: str) -> Subquery:
    """Return the id of the running break-glass grant that reaches the patient row, or NULL."""
    grants: QuerySet[Any] = grants_of(user, at)
    grants = grants.filter(person=OuterRef("person_id"), reason_code=GrantReason.BREAK_GLASS)
    held = grants.filter(opens_code__in=opening(permission)).order_by("-ends_at")
    return Subquery(held.values("pk")[:1], output_field=UUIDField())


def _name_of(part: Part, user: Any, at: Moment, permission: str) -> Combinable | None:
    """Return an expression that names a part where it reaches the patient row, else NULL."""
    if part.whole is not None:
        reach = part.whole(user, at)
        return None if reach is None else Case(When(reach, then=Value(part.name)), output_field=CharField())
    rows = related_rows(part, user, at, permission)
    if rows is None:
        return None
    return Subquery(rows.filter(person=OuterRef("person_id")).order_by("relation").values("relation")[:1])


def _care_team(user: Any, at: Moment) -> Any:
    return memberships_of(user, at) if user.role in CLINICAL else None


def _cover(user: Any, at: Moment) -> Any:
    return covers_of(user, at) if user.role in CLINICAL else None


def _grants(user: Any, at: Moment) -> Any:
    return grants_of(user, at) if user.role in CLINICAL else None


def _referrals(user: Any, at: Moment) -> Any:
    return referrals_to(user) if user.role in CLINICAL else None


def _administration(user: Any, at: Moment) -> Q | None:
    """Pseudonym and demographics of the whole organization; never the chart."""
    return _own(user) if user.role == Role.ADMIN else None


def _compliance(user: Any, at: Moment) -> Q | None:
    """Consents, requests and holds of the whole organization; never the person's page or chart."""
    return _own(user) if user.role == Role.COMPLIANCE else None


def _own(user: Any) -> Q:
    return Q(organization_id=user.organization_id)


def register_own_parts() -> None:
    """Register what this floor knows; called once, at start."""
    register("care_team", _care_team, opens=frozenset({VIEW, CHART, CONSENTS}), rank=10)
    register("cover", _cover, opens=frozenset({VIEW, CHART, CONSENTS}), rank=20)
    register("grant", _grants, opens=frozenset({VIEW, CHART}), rank=60)
    register("referral", _referrals, opens=frozenset({REFERRALS}), rank=65)
    register("administration", whole=_administration, opens=frozenset({VIEW, CONSENTS}), rank=90)
    register("compliance", whole=_compliance, opens=frozenset({CONSENTS}), rank=91)
