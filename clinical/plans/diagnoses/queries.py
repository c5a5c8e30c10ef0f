"""Reads of diagnoses and of favourite codes."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db.models import QuerySet

from clinical.plans.diagnoses import icd
from clinical.plans.diagnoses.models import Diagnosis, DiagnosisFavourite, DiagnosisStatus
from clinical.plans.labels import Shut
from cortex.accounts.models import Organization
from cortex.audit import NotFound
from cortex.ops.postgres.questions import kept
from patients.registry.models import Patient
from patients.registry.queries import rows_of

# What holds before what may hold before what is over.
ORDER = {"confirmed": 0, "provisional": 1, "remission": 2, "ruled_out": 3}


def diagnoses_of(patient: Patient, ids: list[UUID] | None = None) -> list[Diagnosis]:
    """Return a person's diagnoses, what holds first; nothing opens. `ids` are their rows where known."""
    return sorted(_diagnoses(ids or rows_of(patient)), key=lambda one: (ORDER.get(one.status, 9), one.code))


def named_diagnoses(ids: Collection[UUID]) -> list[Diagnosis]:
    """Return diagnoses by their own ids, whichever row they lie under: to compare, never to be shown."""
    return list(Diagnosis.objects.filter(pk__in=list(ids))) if ids else []


@kept
def _diagnoses(ids: list[UUID]) -> QuerySet[Diagnosis]:
    return Diagnosis.objects.filter(patient_id__in=ids).select_related("recorded_by")


def diagnosis_of(patient: Patient, diagnosis_id: UUID, shut: Shut | None = None) -> Diagnosis:
    """Return one of a person's diagnoses; NotFound for any other, or one that a label shuts."""
    found = Diagnosis.objects.filter(patient_id__in=rows_of(patient), pk=diagnosis_id).first()
    if found is None or (shut and not shut.opens(found)):
        raise NotFound
    return found


def locked_diagnosis(patient: Patient, diagnosis_id: UUID, shut: Shut) -> Diagnosis:
    """Lock and return one of a person's diagnoses; NotFound for any other, or one that a label shuts."""
    rows = Diagnosis.objects.select_for_update(of=("self",))
    found = rows.filter(patient_id__in=rows_of(patient), pk=diagnosis_id).first()
    if found is None or not shut.opens(found):
        raise NotFound
    return found


def has_code(patient: Patient, code: str, besides: UUID | None = None) -> bool:
    """Whether a person has a standing diagnosis of this code."""
    rows = Diagnosis.objects.filter(patient_id__in=rows_of(patient), code=code)
    rows = rows.exclude(status=DiagnosisStatus.RULED_OUT)
    return (rows.exclude(pk=besides) if besides else rows).exists()


def is_part2_program(organization_id: UUID) -> bool:
    """Whether an organization is a program under 42 CFR Part 2."""
    settings = Organization.objects.values_list("settings", flat=True).filter(pk=organization_id).first()
    return bool(settings and settings.get("part2_program"))


def favourites(user_id: UUID) -> list[str]:
    """Return the codes that somebody keeps at hand: their own, then the starters not put away."""
    marks = dict(DiagnosisFavourite.objects.filter(user_id=user_id).values_list("code", "hidden"))
    own = sorted(code for code, hidden in marks.items() if not hidden)
    return own + [code for code in icd.STARTERS if code not in marks]


def favourite(user_id: UUID, code: str) -> DiagnosisFavourite | None:
    """Lock and return somebody's mark on a code, or None."""
    return DiagnosisFavourite.objects.select_for_update().filter(user_id=user_id, code=code).first()
