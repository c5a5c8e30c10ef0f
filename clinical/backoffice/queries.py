"""Reads of the demo: what of it is there already."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from clinical.notes.models import TextBlock
from clinical.scheduling.models import Appointment
from cortex.accounts.models import Organization
from crisis.duty.models import DutyShift
from crisis.resources.models import CrisisResource
from patients.pathway.models import Referral
from patients.pathway.queries import places_of
from patients.registry.models import Patient
from patients.sessions.neural import NeuralAudioDetail


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


def has_phrases(organization_id: UUID) -> bool:
    """Whether an organization has text blocks of its own."""
    return TextBlock.objects.filter(organization_id=organization_id, owner__isnull=True).exists()


def has_referral(organization_id: UUID | None) -> bool:
    """Whether somebody was referred to an organization."""
    return Referral.objects.filter(organization=organization_id).exists()


def neural_sessions(patient_id: UUID) -> int:
    """Return of how many sessions a person's app told how neural audio was set."""
    return NeuralAudioDetail.objects.filter(patient_id=patient_id).count()


def treated_by(user_id: UUID, at: datetime, since: datetime | None = None) -> list[Patient]:
    """Return the people on whose teams somebody is (since a time at least), by pseudonym."""
    return [one.patient for one in places_of(user_id, at) if since is None or one.starts_at <= since]
