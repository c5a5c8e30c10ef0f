"""Reads for the way back: resources near a person, and where their open alert stands."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F, Q, QuerySet

from cortex.accounts.models import Organization
from cortex.clock import steady_now
from cortex.ops.postgres.questions import Word, kept
from crisis.alerts.models import RiskAlert
from crisis.resources.models import CrisisResource

PLACES = {"KE": "Kenya", "GB": "United Kingdom", "UG": "Uganda", "TZ": "Tanzania", "US": "United States"}


def organization(organization_id: UUID) -> Organization | None:
    """Return the organization, for its jurisdiction and emergency number."""
    return next(iter(_organization(organization_id)), None)


@kept
def _organization(organization_id: UUID) -> QuerySet[Organization]:
    return Organization.objects.filter(pk=organization_id).order_by()


def resources_near(jurisdiction: str, organization_id: UUID) -> list[CrisisResource]:
    """Return the active resources of a jurisdiction, the organization's own among them, in their order."""
    return _near(Word(jurisdiction), organization_id)


@kept
def _near(jurisdiction: str, organization_id: UUID) -> QuerySet[CrisisResource]:
    return CrisisResource.objects.active().serving(jurisdiction, organization_id)


def resource(resource_id: UUID) -> CrisisResource | None:
    """Return one resource."""
    return CrisisResource.objects.filter(pk=resource_id).first()


def due_for_check(at: datetime) -> list[CrisisResource]:
    """Return the resources that somebody should ring again."""
    return list(CrisisResource.objects.due_for_check(at))


def open_alerts(patient_ids: Iterable[UUID]) -> dict[UUID, list[RiskAlert]]:
    """Return the open alerts of these people, on whichever of their rows, the most urgent first."""
    found: dict[UUID, list[RiskAlert]] = {}
    for alert in _open(list(patient_ids)):
        found.setdefault(alert.whose, []).append(alert)  # type: ignore[attr-defined]
    return found


@kept
def _open(patient_ids: list[UUID]) -> QuerySet[RiskAlert]:
    rows = RiskAlert.objects.open().filter(patient__person_id__in=patient_ids)
    return rows.annotate(whose=F("patient__person_id")).urgent_first()


def places() -> list[dict[str, Any]]:
    """Return the emergency number and crisis lines of every jurisdiction that is served, in two queries."""
    now = steady_now()
    found: dict[str, dict[str, Any]] = {}
    for one in Organization.objects.serving().order_by("name"):
        found.setdefault(
            one.jurisdiction,
            {
                "name": PLACES.get(one.jurisdiction, one.jurisdiction),
                "emergency_number": one.emergency_number,
                "resources": [],
            },
        )
    whose = Q(organization__isnull=True) | Q(organization__is_active=True)
    for line in CrisisResource.objects.active().filter(whose, jurisdiction__in=list(found)):
        found[line.jurisdiction]["resources"].append(row_of(line, now))
    return list(found.values())


def row_of(line: CrisisResource, now: datetime) -> dict[str, Any]:
    """Return one crisis line as pages show it, with whether it was checked within 90 days."""
    return {
        "name": line.name,
        "phone": line.phone,
        "sms": line.sms,
        "detail": line.hours,
        "verified": line.is_verified_at(now),
        "verified_at": line.verified_at,
    }
