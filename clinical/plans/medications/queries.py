"""Reads of what a person takes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from clinical.plans.labels import Shut
from clinical.plans.medications.models import Medication
from cortex.audit import NotFound
from cortex.ops.postgres.questions import kept
from patients.registry.models import Patient
from patients.registry.queries import rows_of

ORDER = {"active": 0, "on_hold": 1, "stopped": 2}


def medications_of(patient: Patient, ids: list[UUID] | None = None) -> list[Medication]:
    """Return what a person takes or took, now first; nothing opens. `ids` are their rows where known."""
    return sorted(_medications(ids or rows_of(patient)), key=lambda one: (ORDER.get(one.status, 9), one.pk))


@kept
def _medications(ids: list[UUID]) -> QuerySet[Medication]:
    return Medication.objects.filter(patient_id__in=ids).select_related("recorded_by")


def medication_of(patient: Patient, medication_id: UUID, shut: Shut) -> Medication:
    """Return one of a person's medications; NotFound for any other, or one that a label shuts."""
    return _one(Medication.objects, patient, medication_id, shut)


def locked_medication(patient: Patient, medication_id: UUID, shut: Shut) -> Medication:
    """Lock and return one of a person's medications; NotFound for any other, or one that a label shuts."""
    return _one(Medication.objects.select_for_update(of=("self",)), patient, medication_id, shut)


def _one(rows: Any, patient: Patient, medication_id: UUID, shut: Shut) -> Medication:
    found: Medication | None = rows.filter(patient_id__in=rows_of(patient), pk=medication_id).first()
    if found is None or not shut.opens(found):
        raise NotFound
    return found
