"""Reads of words on signed versions: whose approval they wait for, and when the person agreed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import F, QuerySet

from clinical.plans.models import OPEN, PlanVersion, TreatmentPlan
from cortex.accounts.models import Role, User
from cortex.accounts.queries import active_users
from cortex.audit.models import AuditLog
from patients.registry import access
from patients.registry.access import BREAK_GLASS, CHART
from patients.registry.models import Patient

APPROVERS = frozenset({Role.SUPERVISOR})
# What they are told of a version that waits for them.
WAITING = "plan_waiting"
AGREED = "plan.agreed"


def waiting_for(user: User, at: datetime) -> list[PlanVersion]:
    """Return the signed versions that wait for this supervisor's word, the longest first; three queries.

    They are those on which `decide_approval` would take it: of people in whose charts the supervisor may
    write, and signed by somebody else.
    """
    if user.role not in APPROVERS:
        return []
    people = list(access.visible_to(user, at, CHART).values_list("pk", flat=True))
    rows = list(_waiting(people).exclude(signed_by=user))
    names = access.patients_related(user, {one.patient_id for one in rows}, at, CHART)
    return [one for one in rows if _writes(names.get(one.patient_id))]


def _waiting(patient_ids: list[UUID]) -> QuerySet[PlanVersion]:
    """The newest versions of open plans that stand as they were signed and that nobody decided on."""
    rows = PlanVersion.objects.filter(
        patient_id__in=patient_ids, needs_approval=True, approval__isnull=True, plan__status__in=OPEN,
        plan__signed_at__isnull=False, version=F("plan__signed_version"),
    ).exclude(patient__status="deleted")  # fmt: skip
    return rows.select_related("patient", "plan", "signed_by").defer("content").order_by("signed_at", "pk")


def approvers_of(patient: Patient, at: datetime, besides: UUID | None = None) -> list[User]:
    """Return the supervisors who may give their word on a plan: those who may write in the chart.

    One query for each supervisor of the organization: only where a version waits.
    """
    house = active_users(organization_id=patient.organization_id, roles=APPROVERS).order_by("full_name")
    return [one for one in house if one.pk != besides and _may_write(one, patient.pk, at)]


def supervisors(organization_id: UUID) -> list[UUID]:
    """Return the ids of an organization's supervisors, whoever of them may still sign in."""
    rows = User.objects.filter(organization_id=organization_id, role__in=[str(one) for one in APPROVERS])
    return list(rows.values_list("pk", flat=True))


def writers_of(plan: TreatmentPlan, signed: PlanVersion, at: datetime) -> list[UUID]:
    """Return who goes on with a plan: who signed and who began it, who leads; nobody without the chart."""
    people: Iterable[User | None] = (signed.signed_by, plan.authored_by, plan.patient.primary_clinician)
    found = {one.pk: one for one in people if one is not None}
    return [one.pk for one in found.values() if _may_write(one, plan.patient_id, at)]


def _may_write(user: User, patient_id: UUID, at: datetime) -> bool:
    return _writes(access.relationship_of(user, patient_id, at, CHART))


def _writes(relationship: str | None) -> bool:
    """Whether a relationship to a chart opens it for writing; break-glass reads."""
    return relationship not in (None, BREAK_GLASS)


def agreements(plan_id: UUID, versions: Iterable[PlanVersion]) -> dict[int, datetime]:
    """Return when the person agreed, by version: as it was signed, or later, which the trail tells.

    A signed version is written once, and a change of the plan clears what the plan says of its present one.
    """
    rows = AuditLog.objects.filter(object_id=plan_id, event_type=AGREED).order_by("id")
    later = {codes.get("version"): at for codes, at in rows.values_list("codes", "occurred_at")}
    signed = {one.version: one.consented_at for one in versions if one.consented_at}
    return {version: at for version, at in (later | signed).items() if version is not None}
