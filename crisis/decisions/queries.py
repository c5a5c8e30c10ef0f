"""What the desk must know before it decides: the people, their open alerts, and when earlier ones ended."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F, Max

from cortex.ops.postgres.questions import kept
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
    """Return the open alerts of these people and when alerts of each kind last ended, in two queries.

    Alerts on rows that were linked to a person are that person's.
    """
    people = list(patient_ids)
    return Standing(
        open={(alert.person, alert.kind): alert for alert in _open(people)},
        ended={(person_id, kind): last for person_id, kind, last in _ended(people)},
    )


@kept
def _open(people: list[UUID]) -> Any:
    found = RiskAlert.objects.filter(patient__person_id__in=people).open()
    return found.select_related("assigned_to").annotate(person=F("patient__person_id"))


@kept
def _ended(people: list[UUID]) -> Any:
    found = RiskAlert.objects.filter(
        patient__person_id__in=people, status__in=[Status.RESOLVED, Status.FALSE_ALARM]
    )
    return found.values_list("patient__person_id", "kind").annotate(last=Max("resolved_at"))
