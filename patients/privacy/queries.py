"""What people allow at a time, in one query; an expired consent counts as withdrawn."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from cortex.ops.postgres.questions import kept
from patients.codes import ConsentType
from patients.privacy.models import Consent
from patients.privacy.records import Decision


def consent_state(
    patient_ids: Iterable[UUID], types: Iterable[str], at: datetime
) -> dict[tuple[UUID, str], bool]:
    """Return whether each (person, type) is allowed at `at`; the default is no."""
    people, wanted = list(patient_ids), list(types)
    state = {(person, kind): False for person in people for kind in wanted}
    for row in _newest(people, wanted, at):
        state[row.patient_id, row.consent_type] = row.holds(at)
    return state


@kept
def _newest(people: list[UUID], types: list[str], at: datetime) -> QuerySet[Consent]:
    return Consent.objects.of(people, types).newest(at)


def has_consent(patient_id: UUID, consent_type: str, at: datetime) -> bool:
    """Return whether one person allows one type at `at`."""
    return consent_state([patient_id], [consent_type], at)[patient_id, consent_type]


def consent_given(person_id: UUID, consent_type: str, at: datetime) -> Consent | None:
    """Return the row by which a person allows one type at `at`, with its limits; None where none does."""
    row = next(iter(_newest([person_id], [consent_type], at)), None)
    return row if row is not None and row.holds(at) else None


def decisions_told(person_id: UUID, at: datetime) -> dict[str, Decision]:
    """Return by type every decision that stands for a person, with whether it was given before; one query."""
    found = _told([person_id], list(ConsentType.values), at)
    return {row.consent_type: replace(row.decision, was_given=row.was_given) for row in found}  # type: ignore[attr-defined]


@kept
def _told(people: list[UUID], types: list[str], at: datetime) -> QuerySet[Consent]:
    before = Consent.objects.filter(
        patient_id=OuterRef("patient_id"), consent_type=OuterRef("consent_type"), granted=True,
        recorded_at__lt=OuterRef("recorded_at"),
    )  # fmt: skip
    return Consent.objects.of(people, types).newest(at).annotate(was_given=Exists(before))


def decisions(
    patient_ids: Iterable[UUID], types: Iterable[str], at: datetime
) -> dict[tuple[UUID, str], Decision]:
    """Return the decision that stands for each (person, type), whether it still holds or not; one query."""
    found = _newest(list(patient_ids), list(types), at)
    return {(row.patient_id, row.consent_type): row.decision for row in found}
