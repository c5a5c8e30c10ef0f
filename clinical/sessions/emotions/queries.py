"""Reads of emotions that wait for a clinician, over the reader's own people, and what reviews said so far."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from cortex.accounts.models import User
from cortex.audit import NotFound
from cortex.ids import time_of
from patients.care.queries import treated_ids
from patients.codes import PatientStatus, ReviewStatus
from patients.registry.models import Patient
from patients.sessions.observations import EmotionObservation

# [P] what is older says little about now; it can still be reviewed on its session's page.
WAITS = timedelta(days=60)
AHEAD = timedelta(days=1)


def own_people(user: User, at: datetime) -> list[UUID]:
    """Return the ids of every row of the people whom `user` treats or covers now."""
    people = treated_ids(user, at)
    persons = Patient.objects.filter(pk__in=people).values("person_id")
    rows = Patient.objects.filter(person_id__in=persons).exclude(status=PatientStatus.DELETED)
    return list(rows.values_list("pk", flat=True))


def waiting(patient_ids: list[UUID], at: datetime) -> QuerySet[EmotionObservation]:
    """Return the flagged emotions of these people that nobody has reviewed, newest first."""
    rows = EmotionObservation.objects.in_window(at - WAITS, at + AHEAD).filter(
        patient_id__in=patient_ids, is_flagged=True, review_status=ReviewStatus.UNREVIEWED
    )
    return rows.select_related("patient", "session").order_by("-observed_at", "-pk")


def reviewed_lately(
    patient_ids: list[UUID], user_id: UUID, since: datetime, at: datetime
) -> list[EmotionObservation]:
    """Return what one reader reviewed since a time, which they may still take back."""
    rows = EmotionObservation.objects.in_window(at - WAITS, at + AHEAD).filter(
        patient_id__in=patient_ids, reviewed_by_id=user_id, reviewed_at__gte=since
    )
    return list(rows.select_related("patient", "session").order_by("-reviewed_at")[:10])


@dataclass(frozen=True, slots=True)
class Tally:
    """What reviews said about one version of a model."""

    model: str
    version: str
    confirmed: int
    corrected: int
    rejected: int

    @property
    def total(self) -> int:
        """How many were reviewed."""
        return self.confirmed + self.corrected + self.rejected


def tallies(patient_ids: list[UUID], at: datetime) -> list[Tally]:
    """Return the reviews of these people's emotions per version of a model; one query."""
    rows = EmotionObservation.objects.in_window(at - 3 * WAITS, at + AHEAD).filter(patient_id__in=patient_ids)
    counted = (
        rows.exclude(review_status=ReviewStatus.UNREVIEWED)
        .order_by()
        .values_list("model_name", "model_version")
        .annotate(
            confirmed=Count("pk", filter=Q(review_status=ReviewStatus.CONFIRMED)),
            corrected=Count("pk", filter=Q(review_status=ReviewStatus.CORRECTED)),
            rejected=Count("pk", filter=Q(review_status=ReviewStatus.REJECTED)),
        )
    )
    return sorted((Tally(*row) for row in counted), key=lambda one: (one.model, one.version))


def locked_observation(patient_ids: list[UUID], observation_id: UUID) -> EmotionObservation:
    """Lock and return one observation of these rows of a person; NotFound for any other.

    Its key holds its time, so that the question touches its month only.
    """
    try:
        when = time_of(observation_id)
    except ValueError:
        raise NotFound("This does not exist, or it is not open to you.", "not_found") from None
    rows = EmotionObservation.objects.in_window(when - timedelta(minutes=1), when + timedelta(minutes=1))
    found = rows.select_for_update(of=("self",)).filter(pk=observation_id, patient_id__in=patient_ids).first()
    if found is None:
        raise NotFound("This does not exist, or it is not open to you.", "not_found")
    return found
