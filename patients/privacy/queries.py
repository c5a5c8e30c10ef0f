"""What people allow at a time, in one query; an expired consent counts as withdrawn."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from cortex.ops.postgres.questions import kept
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


def consent_history(patient_id: UUID) -> list[Consent]:
    """Return every consent row of a person, the newest first."""
    return list(Consent.objects.filter(patient_id=patient_id).select_related("recorded_by"))


def decisions(
    patient_ids: Iterable[UUID], types: Iterable[str], at: datetime
) -> dict[tuple[UUID, str], Decision]:
    """Return the decision that stands for each (person, type), whether it still holds or not; one query."""
    found = _newest(list(patient_ids), list(types), at)
    return {(row.patient_id, row.consent_type): row.decision for row in found}
