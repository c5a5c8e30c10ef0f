"""Reads the registration of a patient from JSON: pure, names the place of what is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cortex.api.strict import BodyRefused
from crisis.intake import fields as f
from crisis.intake.answers import place
from patients.codes import ConsentMethod, ConsentType
from patients.privacy.records import ConsentData
from patients.registry.records import ContactData, PreferenceData, ProfileData, RegisterPatient

PATIENT = (
    f.ref("pseudonym"), f.language("language"), f.line("timezone", 64), f.language("locale"),
    f.line("given_name", 120), f.line("middle_name", 120), f.line("family_name", 120), f.line("pronouns", 40),
    f.line("sex", 20), f.line("gender", 40), f.line("email", 254), f.line("phone", 40),
    f.day("date_of_birth"),
    f.line("home_address", 400), f.line("usual_places", 400), f.line("mrn", 64),
    f.code("external_provider_ref"),
    f.whole("data_retention_days", 30, 365),
)  # fmt: skip
CONSENT = (
    f.choice("consent_type", ConsentType.values).needed(), f.flag("granted").needed(), f.codes_only("scope"),
    f.code("version", 32), f.language("language"), f.choice("method", ConsentMethod.values), f.moment("at"),
    f.moment("expires_at"), f.line("guardian"), f.code("evidence_ref"),
)  # fmt: skip
CONTACT = (
    f.line("name").needed(), f.line("phone", 40), f.line("relationship", 80), f.line("email", 254),
    f.language("language"), f.line("note", 1000),
)  # fmt: skip
PROFILE = (
    f.line("self_stated_goals", 4000), f.line("self_reported_conditions", 4000),
    f.line("self_reported_medications", 4000), f.codes_only("privacy_settings"),
)  # fmt: skip
PREFERENCES = (
    f.code("voice_preference"), f.code("background_sound_type"), f.whole("preferred_duration_minutes", 1,
    240),
    f.codes_only("notification_preferences"), f.code("morning_routine_time", 5),
    f.code("evening_routine_time", 5),
)  # fmt: skip
PARTS = ("consents", "contacts", "profile", "preferences")
MOST = {"consents": 40, "contacts": 20}  # a contact's place in the order is held to 20 by its table


def read_registration(members: Mapping[str, Any]) -> RegisterPatient:
    """Return what a registration says, or raise BodyRefused (422) with the pointer of what is wrong."""
    strangers = sorted(set(members) - {field.name for field in PATIENT} - set(PARTS))
    if strangers:
        raise _refused("unknown_member", place(f"/{strangers[0]}"))
    values = _read(members, PATIENT, "")
    data = RegisterPatient(anonymous_id=values.pop("pseudonym", ""), **values)
    data.consents = [_consent(row) for row in _rows(members, "consents", CONSENT)]
    data.contacts = [ContactData(**row) for row in _rows(members, "contacts", CONTACT)]
    data.profile = ProfileData(**_part(members, "profile", PROFILE))
    if "preferences" in members:
        data.preference = PreferenceData(**_part(members, "preferences", PREFERENCES))
    return data


def schema_of(fields: Iterable[f.Field]) -> dict[str, Any]:
    """Return the JSON schema of an object of these fields."""
    found = list(fields)
    return {
        "type": "object", "properties": {field.name: field.schema for field in found},
        "required": [field.name for field in found if field.required], "additionalProperties": False,
    }  # fmt: skip


def _consent(row: dict[str, Any]) -> ConsentData:
    return ConsentData(recorded_at=row.pop("at", None), **row)


def _rows(members: Mapping[str, Any], name: str, fields: tuple[f.Field, ...]) -> list[dict[str, Any]]:
    rows = members.get(name, [])
    if not isinstance(rows, list):
        raise _refused("wrong_type", f"/{name}")
    if len(rows) > MOST[name]:
        raise _refused("too_many", f"/{name}")
    return [_object(row, fields, f"/{name}/{index}") for index, row in enumerate(rows)]


def _part(members: Mapping[str, Any], name: str, fields: tuple[f.Field, ...]) -> dict[str, Any]:
    return _object(members.get(name, {}), fields, f"/{name}")


def _object(row: Any, fields: tuple[f.Field, ...], pointer: str) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise _refused("wrong_type", pointer)
    strangers = sorted(set(row) - {field.name for field in fields})
    if strangers:
        raise _refused("unknown_member", place(f"{pointer}/{strangers[0]}"))
    return _read(row, fields, pointer)


def _read(row: Mapping[str, Any], fields: tuple[f.Field, ...], pointer: str) -> dict[str, Any]:
    values = {}
    for field in fields:
        value = row.get(field.name)
        if value is None:
            if field.required:
                raise _refused("missing", f"{pointer}/{field.name}")
            continue
        try:
            values[field.name] = field.read(value)
        except f.Refused as refused:
            raise _refused(refused.code, place(f"{pointer}/{field.name}{refused.field}")) from None
    return values


WORDS = {
    "missing": "A member is missing.", "unknown_member": "There is no such member.",
    "wrong_type": "A member has the wrong type.", "not_a_choice": "A member must be one of its list.",
}  # fmt: skip


def _refused(code: str, pointer: str) -> BodyRefused:
    return BodyRefused(code, WORDS.get(code, "A member can't be taken."), status=422, pointer=pointer)
