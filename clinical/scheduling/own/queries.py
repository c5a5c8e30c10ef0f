"""Reads for the person's app: what lies before them, moved and called off as it stands now."""

from __future__ import annotations

from datetime import datetime

from clinical.scheduling.models import Appointment, Status
from clinical.scheduling.queries import LISTED
from cortex.access.context import AccessContext
from patients.registry.models import Patient
from patients.registry.queries import rows_of


def coming(context: AccessContext, person: Patient, at: datetime) -> list[Appointment]:
    """Return a person's appointments that aren't over, whichever row holds them, soonest first; noted.

    Those called off are there until their time is over, so that a page that was kept learns of it.
    """
    context.saw(
        "own_appointments", subjects=[person.pk], organization_id=person.organization_id,
        object_type="clinical.Appointment",
    )  # fmt: skip
    rows = Appointment.objects.filter(
        patient_id__in=rows_of(person), ends_at__gt=at, status__in=(Status.SCHEDULED, Status.CANCELLED)
    )
    return list(rows.select_related("therapist").order_by("starts_at", "pk")[:LISTED])
