"""Reads of outcomes (domain 6.1): who came of those appointments that were to take place, and alerts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from clinical.scheduling.models import Appointment, CancelReason, Status
from cortex.ops.postgres.questions import kept
from crisis.alerts.models import RiskAlert
from crisis.alerts.states import Status as State

SPAN = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What the last 90 days hold: appointments as (state, begin) and alerts as (level, status), newest first.

    Appointments that were made by mistake, and alerts that became part of another one, are none.
    """

    appointments: list[tuple[str, datetime]]
    alerts: list[tuple[str, str]]

    def beginnings(self, state: str) -> list[datetime]:
        """Return when the appointments of a state began, newest first."""
        return [begin for status, begin in self.appointments if status == state]

    @property
    def due(self) -> int:
        """How many were to take place: they did, or the person did not come; what was called off is none."""
        return len(self.beginnings(Status.HELD)) + len(self.beginnings(Status.NO_SHOW))

    @property
    def attendance(self) -> float | None:
        """The share of those that took place, 0 to 1; None where none was to."""
        return len(self.beginnings(Status.HELD)) / self.due if self.due else None


def outcomes(person_id: UUID, at: datetime) -> Outcomes:
    """Return the outcomes of a person over the last 90 days; two queries."""
    return Outcomes(_appointments(person_id, at - SPAN, at), _alerts(person_id, at - SPAN, at))


@kept
def _appointments(person_id: UUID, since: datetime, at: datetime) -> QuerySet[Appointment, Any]:
    rows = Appointment.objects.filter(patient__person_id=person_id, starts_at__gt=since, starts_at__lte=at)
    rows = rows.exclude(cancel_reason=CancelReason.MISTAKE)
    return rows.order_by("-starts_at").values_list("status", "starts_at")


@kept
def _alerts(person_id: UUID, since: datetime, at: datetime) -> QuerySet[RiskAlert, Any]:
    rows = RiskAlert.objects.filter(patient__person_id=person_id, raised_at__gt=since, raised_at__lte=at)
    return rows.exclude(status=State.MERGED).order_by("-raised_at").values_list("level", "status")
