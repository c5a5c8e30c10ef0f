"""Reads of the demo: what of it is there already."""

from __future__ import annotations

from uuid import UUID

from clinical.scheduling.models import Appointment
from cortex.accounts.models import Organization
from crisis.duty.models import DutyShift
from crisis.resources.models import CrisisResource


def organization(slug: str) -> Organization | None:
    """Return an organization by its slug."""
    return Organization.objects.filter(slug=slug).first()


def last_shift(user_id: UUID) -> DutyShift | None:
    """Return the shift of a person that was planned to start last, whatever became of it."""
    return DutyShift.objects.filter(user_id=user_id).order_by("-planned_start").first()


def has_appointments(organization_id: UUID) -> bool:
    """Whether an organization's calendars were filled already."""
    return Appointment.objects.filter(organization_id=organization_id).exists()


def has_resource(name: str) -> bool:
    """Whether a crisis line of this name is there for everybody."""
    return CrisisResource.objects.filter(name=name, organization=None).exists()
