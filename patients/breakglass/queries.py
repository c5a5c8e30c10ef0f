"""Reads of opened charts: the door's exact search, what runs, what compliance has to judge."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from cortex.accounts.choices import Role
from cortex.accounts.models import User
from cortex.accounts.queries import active_users
from cortex.audit.models import AuditLog, PhiAccessLog
from patients.breakglass.models import BreakGlassGrant
from patients.care.models import CareTeamMember
from patients.codes import GlassVerdict
from patients.registry.models import Patient
from patients.registry.queries import found_by

MISSED = "break_glass.missed"
LOOKS = 200


def exactly(user: User, asked: str) -> Patient | None:
    """Return the one person of the user's organization with this pseudonym, telephone or e-mail, or None.

    Exact and whole: nothing is listed, and what several people share finds nobody.
    """
    if user.organization is None or not asked.strip():
        return None
    home, typed = user.organization, asked.strip()
    if "@" in typed:
        rows = found_by(home, email=typed)
    else:
        rows = Patient.objects.filter(organization=home, anonymous_id__iexact=typed)
        rows = rows.exclude(status="deleted") | found_by(home, phone=typed)
    people = {row.person_id for row in rows[:3]}
    if len(people) != 1:
        return None
    return Patient.objects.exclude(status="deleted").filter(pk=people.pop()).first()


def take_turn(user_id: UUID) -> None:
    """Let one request of somebody's look for a person at a time, until the end of the transaction.

    Requests that run beside each other would each count the misses before the others wrote theirs.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"break_glass:{user_id}"])


def misses(user_id: UUID, since: datetime) -> int:
    """Return how often somebody asked for nobody since then."""
    return AuditLog.objects.filter(actor_id=user_id, event_type=MISSED, occurred_at__gte=since).count()


def to_tell(patient: Patient, at: datetime) -> set[UUID]:
    """Return whom it concerns at once: the running team with its covers, and compliance (else admins)."""
    team = CareTeamMember.objects.filter(patient__person_id=patient.person_id, user__isnull=False)
    told = set(team.running(at).values_list("user_id", flat=True))
    for role in (Role.COMPLIANCE, Role.ADMIN):
        office = active_users(organization_id=patient.organization_id, roles=[role])
        if found := set(office.values_list("pk", flat=True)):
            return told | found
    return told


def running_of(user: User, patient_id: UUID, at: datetime) -> BreakGlassGrant | None:
    """Return the user's running way into the chart of the person behind a row, or None."""
    person = Patient.objects.filter(pk=patient_id).values("person_id")
    rows = BreakGlassGrant.objects.running(at).filter(user=user, patient__person_id__in=person)
    return rows.select_related("grant", "patient").order_by("-grant__ends_at").first()


def by_id(glass_id: UUID) -> BreakGlassGrant | None:
    """Return one, with its access grant; the caller has asked who may know."""
    return BreakGlassGrant.objects.select_related("grant", "patient", "user").filter(pk=glass_id).first()


def own_running(user: User, at: datetime) -> list[BreakGlassGrant]:
    """Return the charts that somebody has open by break-glass now."""
    rows = BreakGlassGrant.objects.running(at).filter(user=user)
    return list(rows.select_related("grant", "patient").order_by("grant__ends_at"))


def opens_protected(user: User, patient_id: UUID, at: datetime) -> bool:
    """Whether psychotherapy and Part 2 notes were confirmed for the user's running break-glass (7.4)."""
    found = running_of(user, patient_id, at)
    return found is not None and found.protected_at is not None


def of_organization(user: User) -> QuerySet[BreakGlassGrant]:
    """Return the opened charts of the user's organization with what their list shows."""
    rows = BreakGlassGrant.objects.filter(organization_id=user.organization_id)
    return rows.select_related("grant", "patient", "user", "reviewed_by")


def review_queue(user: User) -> list[BreakGlassGrant]:
    """Return those that nobody judged, the earliest due first."""
    return list(of_organization(user).unreviewed().order_by("review_due_at"))  # type: ignore[attr-defined]


def open_incidents(user: User) -> list[BreakGlassGrant]:
    """Return those found inappropriate of which nobody wrote yet what was done."""
    rows = of_organization(user).filter(verdict=GlassVerdict.INAPPROPRIATE, incident_closed_at__isnull=True)
    return list(rows.order_by("reviewed_at"))


def judged(user: User) -> QuerySet[BreakGlassGrant]:
    """Return those that were judged, the latest first."""
    return of_organization(user).filter(reviewed_at__isnull=False).order_by("-reviewed_at")


def review_of(user: User, glass_id: UUID) -> BreakGlassGrant | None:
    """Return one of the user's organization, or None."""
    return of_organization(user).filter(pk=glass_id).first()


def locked(glass_id: UUID, organization_id: UUID | None) -> BreakGlassGrant | None:
    """Lock and return one of an organization, or None."""
    rows = BreakGlassGrant.objects.select_for_update(of=("self",)).select_related("grant")
    return rows.filter(pk=glass_id, organization=organization_id).first()


def looks(one: BreakGlassGrant) -> list[PhiAccessLog]:
    """Return what was looked at by it, newest first."""
    rows = PhiAccessLog.objects.filter(actor_id=one.user_id, break_glass=one.grant_id)
    return list(rows.filter(occurred_at__gte=one.grant.starts_at).order_by("-id")[:LOOKS])
