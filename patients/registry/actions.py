"""Writes about people: registering, provisional rows and their linking, age bands."""

from __future__ import annotations

import logging
from dataclasses import fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from cortex.access.context import AccessContext, opening
from cortex.accounts.models import Organization
from cortex.audit import Actor, InputRefused, NotFound, RuleBroken, Unchanged, action, record
from cortex.clock import clock
from cortex.crypto.errors import KeyProviderError, SealedError
from cortex.ids import uuid7
from cortex.ops.letters.actions import bury_row
from cortex.ops.letters.queries import given_up
from cortex.ui.zone import zone_of
from patients.codes import AgeBand, HeldRecords, PatientStatus
from patients.holds.queries import refuse_held
from patients.privacy.actions import carry_refusals, record_consent
from patients.registry.builders import INDEXES, PLAIN, clock_time, index_of, patient_row, today_of
from patients.registry.models import Patient, PatientQuerySet, new_pseudonym
from patients.registry.person import EmergencyContact, PatientPreference, PatientProfile
from patients.registry.queries import local_day
from patients.registry.records import RegisterPatient, band_of

PSEUDONYM_TRIES = 5
BAND_BATCH = 500
# What a dead letter of a date of birth that can't be read is called.
BIRTHS = "patients.Patient.date_of_birth"
log = logging.getLogger("cortex.registry")


@action
def register_patient(
    *, actor: Actor, organization_id: UUID, data: RegisterPatient, at: datetime | None = None
) -> Patient:
    """Put a person on record with consents, contacts, profile and preferences, all or nothing.

    Raises InputRefused with the field, and RuleBroken `email_taken` or `mrn_taken` (409) when an active
    person of the organization has the same.
    """
    at = clock(at)
    organization = _organization(actor, organization_id)
    data.check(today_of(data, organization, at))
    identifier = uuid7(at)
    with opening(actor, purpose="registration") as ctx:
        ctx.load_keys([identifier], create=True)
        patient = _insert(patient_row(identifier, organization, data, at), chosen=bool(data.anonymous_id))
        _add_details(patient, data)
    if data.consents:
        record_consent(actor=actor, patient=patient, consents=data.consents, at=at)
    given = [item.name for item in fields(data) if getattr(data, item.name) not in (None, "", [], {})]
    record(actor, "patient.registered", patient, subject=patient.pk, fields=given)
    return patient


@action
def create_provisional(
    *,
    actor: Actor,
    organization_id: UUID,
    given_name: str | None = None,
    phone: str | None = None,
    language: str = "en",
    age_band: str = AgeBand.UNKNOWN,
    note: str | None = None,
    at: datetime | None = None,
) -> Patient:
    """Open a row by hand for a person not on record, so that an alert has somebody; linked later."""
    at = clock(at)
    if age_band not in AgeBand.values:
        raise InputRefused("Choose an age band of the list.", "age_band_unknown", field="age_band")
    data = RegisterPatient(given_name=given_name, phone=phone, language=language, risk_notes=note)
    organization = _organization(actor, organization_id)
    data.check(today_of(data, organization, at))
    identifier = uuid7(at)
    with opening(actor, purpose="registration") as ctx:
        ctx.load_keys([identifier], create=True)
        row = patient_row(identifier, organization, data, at, strict=False)
        row.is_provisional, row.age_band = True, age_band
        patient = _insert(row, chosen=False)
    record(actor, "patient.opened_provisionally", patient, subject=patient.pk)
    return patient


# What an administrator may correct; clinical notes, keys and the pseudonym are not among it.
EDITABLE = frozenset(PLAIN) - {"risk_notes", "legacy_ids"} | {"status"}
TEXT_COLUMNS = frozenset({"external_provider_ref", "language", "locale", "timezone"})
# What a legal hold keeps: who somebody is, as it stands; how they are reached may be put right, not emptied.
WHO = frozenset({"given_name", "middle_name", "family_name", "sex", "gender", "date_of_birth", "mrn"})
REACHED = frozenset({"email", "phone", "home_address"})
HELD = (
    "A legal hold keeps who this person is: names, sex, gender, date of birth and record number stay as they "
    "are, and no way to reach them is emptied, until it is released."
)
SETTABLE_STATUS = frozenset({PatientStatus.ACTIVE, PatientStatus.SUSPENDED})


@action
def update_patient(
    *, actor: Actor, patient_id: UUID, changes: dict[str, Any], at: datetime | None = None
) -> Patient:
    """Correct demographics and settings of a person; only what differs is written, and named in the trail.

    Raises NotFound, InputRefused with the field, and RuleBroken as `register_patient` does, or `legal_hold`.
    """
    at = clock(at)
    patient = next(iter(_locked(actor, [patient_id], actor.org_ids)), None)
    if patient is None or patient.status == PatientStatus.DELETED:
        raise NotFound("There is no such person on record.", "patient_unknown")
    zone = changes.get("timezone", patient.timezone) or patient.organization.default_timezone
    today = at.astimezone(zone_of(zone)).date()
    _check_changes(changes, today)
    with opening(actor, purpose="demographics") as ctx:
        ctx.open([patient])
        changed = [name for name, value in changes.items() if _differs(getattr(patient, name), value)]
        if not changed:
            return Unchanged(patient)  # type: ignore[return-value]
        if any(_is_lost(patient, name, changes[name]) for name in changed):
            refuse_held(patient.pk, HeldRecords.PERSON, said=HELD)
        _put_changes(patient, {name: changes[name] for name in changed}, today)
    record(actor, "patient.updated", patient, subject=patient.pk, fields=sorted(changed))
    return patient


@action
def link_provisional(
    *, actor: Actor, provisional_id: UUID, patient_id: UUID, at: datetime | None = None
) -> Patient:
    """Say that a provisional row is a person on record: a pointer, rows never move.

    What the row refused after the person had allowed it is withdrawn for them (`carry_refusals`).

    Raises NotFound for an unknown row, RuleBroken `not_provisional`, `already_linked` or `link_impossible`.
    """
    known = Patient.objects.filter(pk=patient_id).values_list("person_id", flat=True)
    # The desk that covers another service finds out who called there.
    found = _locked(actor, [provisional_id, patient_id, *known], actor.reach)
    at = clock(at)
    rows = {row.pk: row for row in found}
    if not {provisional_id, patient_id} <= rows.keys() or provisional_id == patient_id:
        raise NotFound("There is no such person on record.", "patient_unknown")
    provisional, patient = rows[provisional_id], rows[patient_id]
    _check_link(provisional, patient)
    target = rows.get(patient.person_id)
    if target is None:
        raise RuleBroken("They were linked to somebody else meanwhile. Look again.", "already_linked")
    if target.pk == provisional.pk:
        raise RuleBroken("They are linked already, the other way round.", "link_impossible")
    if provisional.merged_into_id == target.pk:
        return Unchanged(target)  # type: ignore[return-value]
    if provisional.merged_into_id is not None:
        raise RuleBroken("They are linked to somebody else. Undo that first.", "already_linked")
    provisional.merged_into = target
    provisional.save(update_fields=["merged_into", "updated_at"])
    # One step to the person, always: whoever pointed at the provisional row points on.
    Patient.objects.filter(merged_into=provisional).update(merged_into=target, updated_at=at)
    carry_refusals(actor=actor, from_id=provisional.pk, patient=target, at=at)
    record(actor, "patient.linked", provisional, subject=target.pk, codes={"from": str(provisional.pk)})
    return target


@action
def unlink_provisional(*, actor: Actor, provisional_id: UUID, at: datetime | None = None) -> Patient:
    """Say that a provisional row was not who it was linked to; other rows of that person stay linked.

    Raises NotFound for an unknown row, RuleBroken `not_linked`.
    """
    at = clock(at)
    provisional = next(iter(_locked(actor, [provisional_id], actor.reach)), None)
    if provisional is None:
        raise NotFound("There is no such person on record.", "patient_unknown")
    if not provisional.is_provisional or provisional.merged_into_id is None:
        raise RuleBroken("They are linked to nobody.", "not_linked")
    former, provisional.merged_into = provisional.merged_into_id, None
    provisional.save(update_fields=["merged_into", "updated_at"])
    record(actor, "patient.unlinked", provisional, subject=former, codes={"from": str(provisional.pk)})
    return provisional


@action
def update_age_bands(*, actor: Actor, after: UUID | None = None, at: datetime | None = None) -> UUID | None:
    """Set the clear age bands of the next few hundred people by their sealed dates of birth (nightly).

    Those alone are locked whose band has changed. A date that can't be read is a dead letter, for a person to
    look at, and costs the others nothing. Returns the id to go on after, or None when all were seen; raises
    KeyProviderError when no date at all can be read now.
    """
    at = clock(at)
    rows = _born().exclude(status=PatientStatus.DELETED)
    batch = list((rows.filter(pk__gt=after) if after else rows)[:BAND_BATCH])
    with opening(actor, purpose="age_bands") as ctx:
        bands, unreadable = _bands(ctx, batch, at)
        moved = [row.pk for row in batch if bands.get(row.pk, row.age_band) != row.age_band]
        # Somebody may have put a date right since: what is written is what stands behind the lock.
        locked = _born().select_for_update(of=("self",), no_key=True).filter(pk__in=moved)
        changed = list(locked) if moved else []
        bands, _ = _bands(ctx, changed, at)
        for row in changed:
            row.age_band = bands.get(row.pk, row.age_band)
    Patient.objects.bulk_update(changed, ["age_band"])
    told = unreadable.keys() - given_up(BIRTHS, unreadable)
    for row in batch:
        if row.pk in told:
            bury_row(
                actor=actor, name=BIRTHS, row_id=row.pk, organization_id=row.organization_id,
                error_code=unreadable[row.pk], at=at,
            )  # fmt: skip
    last = batch[-1].pk if len(batch) == BAND_BATCH else None
    if not changed and not told:
        return Unchanged(last)  # type: ignore[return-value]
    codes: dict[str, Any] = {"changed": len(changed), "seen": len(batch)}
    codes |= {"unreadable": sorted(map(str, told))} if told else {}
    outcome = "data_loss" if told else "done"
    record(actor, "patient.age_bands_updated", None, codes=codes, outcome=outcome)
    return last


def _born() -> PatientQuerySet:
    """Return whoever has a date of birth, with what its band is made of and nothing else that is sealed."""
    rows = Patient.objects.filter(date_of_birth__isnull=False).select_related("organization").order_by("pk")
    return rows.only("age_band", "date_of_birth", "timezone", "organization__default_timezone")


def _bands(ctx: AccessContext, rows: list[Patient], at: datetime) -> tuple[dict[UUID, str], dict[UUID, str]]:
    """Return each one's band by their own day, and the error's class of each date that can't be read."""
    try:
        ctx.open(rows, ["date_of_birth"])
        return {row.pk: band_of(row.date_of_birth, local_day(row, at)) for row in rows}, {}
    except SealedError as error:
        log.error("a date of birth can't be read", exc_info=error)
    found: dict[UUID, str] = {}
    unreadable: dict[UUID, str] = {}
    away: KeyProviderError | None = None
    for row in rows:
        try:
            ctx.open([row], ["date_of_birth"])
            found[row.pk] = band_of(row.date_of_birth, local_day(row, at))
        except KeyProviderError as error:
            # Nothing is wrong with the row: its key can't be had now.
            away = error
        except SealedError as error:
            unreadable[row.pk] = type(error).__name__
    if away is not None and not found:
        raise away
    return found, unreadable


def _organization(actor: Actor, organization_id: UUID) -> Organization:
    organization = Organization.objects.filter(pk=organization_id).first()
    if organization is None or not (actor.is_unbound or organization_id in actor.org_ids):
        raise NotFound("There is no such organization.", "organization_unknown")
    return organization


def _differs(old: Any, new: Any) -> bool:
    """Whether two values differ, where an empty text is the same as none."""
    return (old or None) != (new or None)


def _is_lost(patient: Patient, name: str, value: Any) -> bool:
    """Whether a change loses what a legal hold keeps; what was empty may be filled in."""
    return bool(getattr(patient, name)) and (name in WHO or (name in REACHED and not value))


def _check_changes(changes: dict[str, Any], today: date) -> None:
    strangers = set(changes) - EDITABLE
    if strangers:
        raise InputRefused("This can't be changed here.", "not_editable", field=min(strangers))
    if changes.get("status", PatientStatus.ACTIVE) not in SETTABLE_STATUS:
        raise InputRefused("A person is active or suspended here.", "status_unknown", field="status")
    names = {field.name for field in fields(RegisterPatient)}
    RegisterPatient(**{name: value for name, value in changes.items() if name in names}).check(today)


def _put_changes(patient: Patient, changes: dict[str, Any], today: date) -> None:
    columns = {name: value if value or name in TEXT_COLUMNS else None for name, value in changes.items()}
    for name in INDEXES.keys() & changes.keys():
        columns[INDEXES[name]] = index_of(name, changes[name], patient.organization)
    if "date_of_birth" in changes:
        columns["age_band"] = band_of(changes["date_of_birth"], today)
    for name, value in columns.items():
        setattr(patient, name, value)
    try:
        with transaction.atomic():
            patient.save(update_fields=[*columns, "updated_at"])
    except IntegrityError as problem:
        _explain(problem, chosen=True)


def _insert(row: Patient, *, chosen: bool) -> Patient:
    """Insert a row; a pseudonym that is taken by chance is drawn again."""
    for _ in range(PSEUDONYM_TRIES):
        try:
            with transaction.atomic():
                row.save(force_insert=True)
                return row
        except IntegrityError as problem:
            _explain(problem, chosen=chosen)
        row.anonymous_id = new_pseudonym()
    raise RuleBroken("No free pseudonym was found; try again.", "pseudonym_taken")


def _explain(problem: IntegrityError, *, chosen: bool) -> None:
    """Raise what a person can act on, or return when drawing another pseudonym helps."""
    constraint = getattr(getattr(problem.__cause__, "diag", None), "constraint_name", "") or ""
    if constraint == "patient_email_once_if_active":
        raise RuleBroken("An active person has this e-mail.", "email_taken", field="email") from None
    if constraint == "patient_mrn_once_if_active":
        raise RuleBroken("An active person has this record number.", "mrn_taken", field="mrn") from None
    if "anonymous_id" not in constraint:
        raise problem
    if chosen:
        raise RuleBroken("This pseudonym is taken.", "pseudonym_taken", field="anonymous_id") from None


def _add_details(patient: Patient, data: RegisterPatient) -> None:
    common = {"organization_id": patient.organization_id, "patient": patient}
    profile = data.profile
    PatientProfile.objects.create(
        self_stated_goals=profile.self_stated_goals,
        self_reported_conditions=profile.self_reported_conditions,
        self_reported_medications=profile.self_reported_medications,
        privacy_settings=profile.privacy_settings,
        **common,
    )
    EmergencyContact.objects.bulk_create(
        EmergencyContact(
            name=contact.name,
            phone=contact.phone or None,
            relationship=contact.relationship or None,
            email=contact.email or None,
            language=contact.language,
            note=contact.note or None,
            order=order,
            **common,
        )
        for order, contact in enumerate(data.contacts, start=1)
    )
    if data.preference is not None:
        PatientPreference.objects.create(
            voice_preference=data.preference.voice_preference,
            background_sound_type=data.preference.background_sound_type,
            preferred_duration_minutes=data.preference.preferred_duration_minutes,
            notification_preferences=data.preference.notification_preferences,
            morning_routine_time=clock_time(data.preference.morning_routine_time),
            evening_routine_time=clock_time(data.preference.evening_routine_time),
            **common,
        )


def _locked(actor: Actor, identifiers: list[UUID], organizations: tuple[UUID, ...]) -> list[Patient]:
    """Lock those of these people who belong to one of the organizations, in the order of their ids."""
    rows = Patient.objects.select_for_update(no_key=True).filter(pk__in=identifiers).order_by("pk")
    return list(rows if actor.is_unbound else rows.of_organizations(organizations))


def _check_link(provisional: Patient, patient: Patient) -> None:
    if not provisional.is_provisional:
        raise RuleBroken("Only a provisional row can be linked.", "not_provisional")
    if provisional.organization_id != patient.organization_id:
        raise NotFound("There is no such person on record.", "patient_unknown")
    if provisional.pk == patient.pk or PatientStatus.DELETED in (patient.status, provisional.status):
        raise RuleBroken("Choose another person on record.", "link_impossible")
