"""Reads of allergies."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import QuerySet

from clinical.plans.allergies.models import Allergy
from cortex.audit import NotFound
from cortex.ops.postgres.questions import kept
from patients.registry.models import Patient
from patients.registry.queries import rows_of

ORDER = {"active": 0, "inactive": 1, "resolved": 2}


def allergies_of(ids: list[UUID]) -> list[Allergy]:
    """Return what is on record in a person's rows, what weighs most first; nothing is opened."""
    return sorted(_allergies(ids), key=_weight)


@kept
def _allergies(ids: list[UUID]) -> QuerySet[Allergy]:
    return Allergy.objects.filter(patient_id__in=ids).select_related("recorded_by")


def _weight(one: Allergy) -> tuple[bool, bool, int, bool, UUID]:
    """What holds first, then active before inactive, severe before the rest, in the order told."""
    return one.is_in_error, not one.holds, ORDER[one.clinical_status], not one.is_severe, one.pk


def locked_allergies(patient: Patient) -> list[Allergy]:
    """Lock and return all that is on record of a person: the rules look at all of it."""
    rows = Allergy.objects.select_for_update(of=("self",))
    return list(rows.filter(patient_id__in=rows_of(patient)).order_by("pk"))


def allergy_of(patient: Patient, allergy_id: UUID) -> Allergy:
    """Return one of a person's allergies; NotFound for any other, and for "none is known"."""
    return one_of(Allergy.objects.filter(patient_id__in=rows_of(patient), pk=allergy_id), allergy_id)


def one_of(rows: Iterable[Allergy], allergy_id: UUID, *, with_none: bool = False) -> Allergy:
    """Return one of these rows by its id; NotFound for any other."""
    for row in rows:
        if row.pk == allergy_id and (with_none or not row.none_known):
            return row
    raise NotFound
