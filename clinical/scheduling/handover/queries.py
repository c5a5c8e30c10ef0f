"""Reads of appointments to come: with whom, how many, which fall into a time, and which somebody covers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from django.db.models import Count

from clinical.scheduling.models import Appointment, AppointmentQuerySet, Status
from clinical.scheduling.queries import open_of
from cortex.accounts.models import User
from patients.covers.queries import cover_spells

# An absence that is planned lists so many of what falls into it.
LISTED = 100


def coming(patient_ids: Iterable[UUID], at: datetime, therapist_id: UUID | None = None) -> int:
    """Return how many planned appointments of these rows have not begun; with one therapist if named."""
    return _coming(patient_ids, at, therapist_id).count()


def _coming(patient_ids: Iterable[UUID], at: datetime, therapist_id: UUID | None) -> AppointmentQuerySet:
    rows = Appointment.objects.filter(
        patient_id__in=list(patient_ids), status=Status.SCHEDULED, starts_at__gt=at
    )
    return rows if therapist_id is None else rows.filter(therapist_id=therapist_id)


def locked_coming(
    patient_ids: Iterable[UUID], at: datetime, therapist_id: UUID | None = None
) -> list[Appointment]:
    """Lock and return them, the first to begin first."""
    rows = _coming(patient_ids, at, therapist_id).select_for_update(of=("self",))
    return list(rows.order_by("starts_at", "pk"))


def coming_by_person(therapist_id: UUID, at: datetime) -> dict[UUID, int]:
    """Return how many planned appointments somebody has to come with each person; one query."""
    rows = Appointment.objects.filter(therapist_id=therapist_id, status=Status.SCHEDULED, starts_at__gt=at)
    counts = rows.order_by().values_list("patient__person_id").annotate(count=Count("pk"))
    return dict(counts)


def spans_of(therapist_id: UUID, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """Return from when until when somebody's time is taken within [start, end)."""
    rows = Appointment.objects.taking().within(start, end).filter(therapist_id=therapist_id)
    return list(rows.values_list("starts_at", "ends_at"))


@dataclass(frozen=True, slots=True)
class Falling:
    """What falls into a time: the first of it to list, how many there are, and a mark of every one."""

    rows: list[Appointment]
    total: int
    mark: str

    @property
    def more(self) -> int:
        """How many are not listed."""
        return self.total - len(self.rows)


def falling_into(therapist_id: UUID, start: datetime, end: datetime) -> Falling:
    """Return somebody's planned appointments that overlap [start, end), with their people; two queries.

    The mark is another one as soon as one comes, goes or moves.
    """
    rows = Appointment.objects.filter(therapist_id=therapist_id, status=Status.SCHEDULED).within(start, end)
    rows = rows.order_by("starts_at", "pk")
    every = [f"{pk} {begins.timestamp()}" for pk, begins in rows.values_list("pk", "starts_at")]
    mark = sha256("\n".join(every).encode()).hexdigest()
    return Falling(list(rows.select_related("patient", "therapist")[:LISTED]), len(every), mark)


def covered(user: User, start: datetime, end: datetime, at: datetime) -> list[Appointment]:
    """Return the appointments within [start, end) of colleagues for whom somebody stands in now.

    Those that begin while the cover holds, were not called off and are open to the user.
    """
    spells = cover_spells(user, at)
    if not spells:
        return []
    rows = Appointment.objects.exclude(status=Status.CANCELLED).within(start, end).filter(
        therapist_id__in={owner for owner, *_ in spells},
        patient__person_id__in={person for _, person, *_ in spells},
    )  # fmt: skip
    lent = [
        one for one in rows.select_related("patient", "therapist").order_by("starts_at", "pk")
        if any(
            (one.therapist_id, one.patient.person_id) == (owner, person) and begins <= one.starts_at < ends
            for owner, person, begins, ends in spells
        )
    ]  # fmt: skip
    opened = open_of(user, lent, at)
    return [one for one in lent if one.pk in opened]
