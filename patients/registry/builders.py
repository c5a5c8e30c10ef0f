"""Turns what a registration says into an unsaved row with its blind indexes; it writes nothing."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from cortex.accounts.models import Organization
from cortex.audit import InputRefused
from cortex.crypto.blind import blind_index, normalise_email, normalise_phone
from cortex.ui.zone import zone_of
from patients.registry.models import Patient, new_pseudonym
from patients.registry.records import RegisterPatient, band_of

EMAIL = "patients_patient.email"
PHONE = "patients_patient.phone"
MRN = "patients_patient.mrn"
# Fields of RegisterPatient that are columns of Patient under the same name.
PLAIN = (
    "given_name",
    "middle_name",
    "family_name",
    "pronouns",
    "sex",
    "gender",
    "email",
    "phone",
    "date_of_birth",
    "home_address",
    "usual_places",
    "mrn",
    "external_provider_ref",
    "risk_notes",
    "language",
    "locale",
    "timezone",
    "data_retention_days",
    "legacy_ids",
)
# What each sealed identifier is found by.
INDEXES = {"email": "email_hash", "phone": "phone_hash", "mrn": "mrn_hash"}


def patient_row(
    identifier: UUID, organization: Organization, data: RegisterPatient, at: datetime, *, strict: bool = True
) -> Patient:
    """Return a new row; an unreadable e-mail or phone raises InputRefused or, not `strict`, has no index."""
    columns: dict[str, Any] = {name: getattr(data, name) for name in PLAIN}
    hashes = {INDEXES[name]: index_of(name, columns[name], organization, strict=strict) for name in INDEXES}
    return Patient(
        id=identifier,
        organization=organization,
        anonymous_id=data.anonymous_id or new_pseudonym(),
        age_band=band_of(data.date_of_birth, today_of(data, organization, at)),
        registered_at=min(data.registered_at or at, at),
        **columns,
        **hashes,
    )


def today_of(data: RegisterPatient, organization: Organization, at: datetime) -> date:
    """Return the day that it is where the person of a registration lives."""
    return at.astimezone(zone_of(data.timezone or organization.default_timezone)).date()


def index_of(
    name: str, value: str | None, organization: Organization, *, strict: bool = True
) -> bytes | None:
    """Return the blind index of an e-mail, phone or record number; None for an empty one."""
    if not value or not value.strip():
        return None
    try:
        plain, column = _normalised(name, value, organization)
    except ValueError:
        if strict:
            raise InputRefused("This can't be read.", f"{name}_unreadable", field=name) from None
        return None
    return blind_index(plain, column=column, organization_id=organization.pk)


def _normalised(name: str, value: str, organization: Organization) -> tuple[str, str]:
    if name == "email":
        return normalise_email(value), EMAIL
    if name == "phone":
        return normalise_phone(value, organization.jurisdiction), PHONE
    return value.strip().casefold(), MRN


def clock_time(value: str | None) -> time | None:
    """Return a time of day from HH:MM; raise InputRefused when it is none."""
    if not value:
        return None
    try:
        return time.fromisoformat(value)
    except ValueError:
        raise InputRefused("A time is HH:MM.", "time_unreadable", field="preference") from None
