"""What a door hands over to register a person: dataclasses and their checks, no table."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import available_timezones

from cortex.audit.rules import InputRefused
from patients.codes import RETENTION_DAYS, AgeBand
from patients.privacy.records import ConsentData
from patients.sessions.records import is_coded

LANGUAGE = re.compile(r"[a-z]{2,8}(-[A-Za-z0-9]{2,7})?")
ZONES = available_timezones()
BANDS = ((13, AgeBand.UNDER_13), (18, AgeBand.TEEN), (25, AgeBand.YOUNG), (35, AgeBand.THIRTIES),
         (45, AgeBand.FORTIES), (55, AgeBand.FIFTIES), (65, AgeBand.SIXTIES))  # fmt: skip
OLDEST_YEARS = 120


@dataclass(slots=True)
class ContactData:
    """Somebody to call in an emergency."""

    name: str
    phone: str = ""
    relationship: str = ""
    email: str = ""
    language: str = ""
    note: str = ""


@dataclass(slots=True)
class ProfileData:
    """What the person says about themself."""

    self_stated_goals: str | None = None
    self_reported_conditions: str | None = None
    self_reported_medications: str | None = None
    privacy_settings: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class PreferenceData:
    """How the person likes their sessions; times are `HH:MM`."""

    voice_preference: str = ""
    background_sound_type: str = ""
    preferred_duration_minutes: int | None = None
    notification_preferences: dict[str, Any] = field(default_factory=dict)
    morning_routine_time: str | None = None
    evening_routine_time: str | None = None


@dataclass(slots=True)
class RegisterPatient:
    """Everything that one registration may say; only a language is always known."""

    given_name: str | None = None
    middle_name: str | None = None
    family_name: str | None = None
    pronouns: str | None = None
    sex: str | None = None
    gender: str | None = None
    email: str | None = None
    phone: str | None = None
    date_of_birth: date | None = None
    home_address: str | None = None
    usual_places: str | None = None
    mrn: str | None = None
    external_provider_ref: str = ""
    risk_notes: str | None = None
    language: str = "en"
    locale: str = ""
    timezone: str = ""
    data_retention_days: int = 90
    anonymous_id: str = ""
    registered_at: datetime | None = None
    legacy_ids: dict[str, Any] = field(default_factory=dict)
    consents: list[ConsentData] = field(default_factory=list)
    contacts: list[ContactData] = field(default_factory=list)
    profile: ProfileData = field(default_factory=ProfileData)
    preference: PreferenceData | None = None

    def check(self, today: date) -> None:
        """Raise InputRefused that names the field when something does not hold together."""
        if not LANGUAGE.fullmatch(self.language):
            raise InputRefused("A language is a code like en or sw.", "language_unknown", field="language")
        if self.timezone and self.timezone not in ZONES:
            raise InputRefused("There is no such time zone.", "timezone_unknown", field="timezone")
        if not RETENTION_DAYS[0] <= self.data_retention_days <= RETENTION_DAYS[1]:
            raise InputRefused("Data is kept 30 to 365 days.", "retention_range", field="data_retention_days")
        if self.date_of_birth is not None and not 0 <= age_on(self.date_of_birth, today) <= OLDEST_YEARS:
            raise InputRefused(
                "This date of birth can't be right.", "birth_date_range", field="date_of_birth"
            )
        if not is_coded(self.profile.privacy_settings):
            raise InputRefused(
                "Settings hold codes and flags only.", "not_coded", field="profile.privacy_settings"
            )
        if self.preference is not None and not is_coded(self.preference.notification_preferences):
            raise InputRefused("Preferences hold codes and flags only.", "not_coded", field="preference")


def age_on(born: date, today: date) -> int:
    """Return full years on a day; negative before birth."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def band_of(born: date | None, today: date) -> str:
    """Return the age band on a day; unknown without a date of birth."""
    if born is None:
        return str(AgeBand.UNKNOWN)
    age = age_on(born, today)
    return str(next((band for below, band in BANDS if age < below), AgeBand.OLDER))
