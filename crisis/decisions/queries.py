"""What the desk must know before it decides: the people, their open alerts, and when earlier ones ended."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Max

from crisis.alerts.models import RiskAlert
from crisis.alerts.states import Status
from patients.registry.models import Patient
from patients.registry.queries import locked


@dataclass(frozen=True, slots=True)
class Standing:
    """Open alerts and the last end of a kind, by (patient, kind)."""

    open: dict[tuple[UUID, str], RiskAlert]
    ended: dict[tuple[UUID, str], datetime]


def locked_patients(patient_ids: Iterable[UUID]) -> dict[UUID, Patient]:
    """Lock the people by id and return them."""
    return locked(patient_ids)


def standing(patient_ids: Iterable[UUID]) -> Standing:
    """Return the open alerts of these people and when alerts of each kind last ended, in two queries."""
    ids = list(patient_ids)
    found = RiskAlert.objects.open().select_related("assigned_to").filter(patient_id__in=ids)
    ended = (
        RiskAlert.objects.filter(patient_id__in=ids, status__in=[Status.RESOLVED, Status.FALSE_ALARM])
        .values_list("patient_id", "kind")
        .annotate(last=Max("resolved_at"))
    )
    return Standing(
        open={(alert.patient_id, alert.kind): alert for alert in found},  # type: ignore[misc]
        ended={(patient_id, kind): last for patient_id, kind, last in ended},
    )
