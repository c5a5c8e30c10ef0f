"""People come on record whole, are linked by a pointer, and show as a card only what a look may open."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cortex.access.context import reading
from cortex.audit.models import AuditLog, PhiAccessLog
from cortex.audit.rules import InputRefused, NotFound, RuleBroken
from cortex.ids import uuid7
from cortex.keys.models import SubjectKey
from patients.care.actions import add_to_care_team, end_care_team_place, end_grant, grant_access, plan_cover
from patients.codes import AgeBand
from patients.privacy.models import Consent
from patients.registry import actions as registry
from patients.registry import queries
from patients.registry.actions import (
    create_provisional,
    link_provisional,
    register_patient,
    update_age_bands,
    update_patient,
)
from patients.registry.models import Patient
from patients.registry.person import EmergencyContact, PatientPreference, PatientProfile
from patients.registry.records import (
    ContactData,
    PreferenceData,
    ProfileData,
    RegisterPatient,
    age_on,
    band_of,
)
from tests import makers
from tests.cast import Cast

DAY = timedelta(days=1)
NOW = makers.now()
db = pytest.mark.django_db


@db
def test_a_registration_puts_everything_on_record_in_one_go() -> None:
    organization = makers.make_organization()
    patient = makers.make_patient(
        organization,
        date_of_birth=date(1990, 2, 3),
        language="sw",
        profile=ProfileData(self_stated_goals="sleep better"),
        preference=PreferenceData(morning_routine_time="07:30", preferred_duration_minutes=20),
        contacts=[ContactData(name="Achieng", phone="+254700000002"), ContactData(name="Brian")],
    )
    assert patient.anonymous_id.startswith("CX-") and patient.status == "active"
    assert (patient.language, patient.zone(), patient.age_band) == ("sw", "Africa/Nairobi", "35_44")
    assert SubjectKey.objects.filter(subject=patient.pk).exists()
    fresh = Patient.objects.get(pk=patient.pk)
    assert makers.opened(fresh, "given_name") == "Wanjiru"
    assert makers.opened(fresh, "date_of_birth") == date(1990, 2, 3)
    assert makers.opened(PatientProfile.objects.get(patient=patient), "self_stated_goals") == "sleep better"
    contacts = list(EmergencyContact.objects.filter(patient=patient))
    assert [makers.opened(contact, "name") for contact in contacts] == ["Achieng", "Brian"]
    assert f"{PatientPreference.objects.get(patient=patient).morning_routine_time:%H:%M}" == "07:30"
    assert Consent.objects.filter(patient=patient, granted=True).count() == 3
    audit = AuditLog.objects.get(event_type="patient.registered")
    assert audit.subject == patient.pk and "given_name" in audit.fields and "Wanjiru" not in str(audit.codes)


@db
def test_a_refused_registration_leaves_nothing() -> None:
    first = makers.make_patient(email="same@example.org")
    rows = Patient.objects.count(), Consent.objects.count(), AuditLog.objects.count()
    with pytest.raises(RuleBroken) as caught:
        makers.make_patient(first.organization, email=" SAME@example.org ")
    assert (caught.value.code, caught.value.status) == ("email_taken", 409)
    makers.scope_all()
    assert (Patient.objects.count(), Consent.objects.count(), AuditLog.objects.count()) == rows


@db
def test_a_chosen_pseudonym_is_kept_and_a_taken_one_is_told() -> None:
    first = makers.make_patient(anonymous_id="P-001")
    assert first.anonymous_id == "P-001"
    with pytest.raises(RuleBroken) as caught:
        makers.make_patient(anonymous_id="P-001")
    assert caught.value.code == "pseudonym_taken"


@db
def test_a_pseudonym_taken_by_chance_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    first = makers.make_patient()
    drawn = iter([first.anonymous_id, "CX-11112222"])
    monkeypatch.setattr("patients.registry.builders.new_pseudonym", lambda: next(drawn))
    monkeypatch.setattr("patients.registry.actions.new_pseudonym", lambda: next(drawn))
    assert makers.make_patient().anonymous_id == "CX-11112222"


BAD: list[tuple[dict[str, Any], str]] = [
    ({"timezone": "Africa/Atlantis"}, "timezone"),
    ({"language": "Swahili, mostly"}, "language"),
    ({"data_retention_days": 10}, "data_retention_days"),
    ({"date_of_birth": date(2200, 1, 1)}, "date_of_birth"),
    ({"email": "no address"}, "email"),
    ({"phone": "call me"}, "phone"),
    ({"profile": ProfileData(privacy_settings={"why": "because I said so"})}, "profile.privacy_settings"),
    ({"preference": PreferenceData(morning_routine_time="early")}, "preference"),
]


@db
@pytest.mark.parametrize(("values", "place"), BAD)
def test_what_can_not_be_right_is_refused_with_its_place(values: dict[str, Any], place: str) -> None:
    organization = makers.make_organization()
    data = RegisterPatient(**values)
    with pytest.raises(InputRefused) as caught:
        register_patient(actor=makers.machine(organization), organization_id=organization.pk, data=data)
    assert caught.value.extra["field"] == place


BORN = date(2008, 2, 29)
BANDS = [
    (date(2008, 3, 1), "under_13"), (date(2021, 2, 27), "under_13"), (date(2021, 3, 1), "13_17"),
    (date(2026, 2, 28), "13_17"), (date(2026, 3, 1), "18_24"), (date(2073, 3, 1), "65_plus"),
]  # fmt: skip


@pytest.mark.parametrize(("today", "band"), BANDS)
def test_an_age_band_changes_on_the_birthday(today: date, band: str) -> None:
    assert band_of(BORN, today) == band


def test_a_band_without_a_date_of_birth_is_unknown() -> None:
    assert band_of(None, date(2026, 1, 1)) == AgeBand.UNKNOWN
    assert age_on(date(2026, 1, 2), date(2026, 1, 1)) == -1


@db
def test_the_nightly_run_moves_bands_on_by_the_persons_own_day() -> None:
    eve = datetime(2026, 11, 30, 20, 59, tzinfo=UTC)
    patient = makers.make_patient(
        date_of_birth=date(2008, 12, 1), timezone="Africa/Nairobi", at=eve - timedelta(days=30)
    )
    actor = makers.machine(patient.organization_id)
    assert patient.age_band == "13_17"
    for at, band in ((eve, "13_17"), (eve + timedelta(minutes=2), "18_24")):
        assert update_age_bands(actor=actor, at=at) is None
        makers.scope_all()
        patient.refresh_from_db()
        assert patient.age_band == band
    audit = AuditLog.objects.get(event_type="patient.age_bands_updated")
    assert audit.codes["changed"] == 1


@db
def test_the_nightly_run_opens_one_date_and_locks_whom_it_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    born = date(2000, 1, 1)
    patient = makers.make_patient(date_of_birth=born, given_name="Neema")
    right = makers.make_patient(patient.organization, date_of_birth=born)
    Patient.objects.filter(pk=patient.pk).update(age_band="unknown")
    with CaptureQueriesContext(connection) as seen:
        update_age_bands(actor=makers.machine(patient.organization_id))
    makers.scope_all()
    asked = [one["sql"] for one in seen if "date_of_birth" in one["sql"]]
    assert not any("given_name" in sql or "risk_notes" in sql for sql in asked)
    (locks,) = [sql for sql in asked if "FOR NO KEY UPDATE" in sql]
    assert patient.pk.hex in locks and right.pk.hex not in locks
    # Whose date is put right between the look and the lock keeps what was written with it.
    real = registry._bands

    def late(ctx: Any, rows: list[Patient], at: datetime) -> Any:
        found = real(ctx, rows, at)
        Patient.objects.filter(pk=patient.pk).update(date_of_birth=None, age_band="unknown")
        return found

    Patient.objects.filter(pk=patient.pk).update(age_band="13_17")
    monkeypatch.setattr(registry, "_bands", late)
    update_age_bands(actor=makers.machine(patient.organization_id))
    makers.scope_all()
    patient.refresh_from_db()
    assert patient.age_band == "unknown"


@db
def test_a_provisional_row_takes_whatever_the_caller_said_and_is_linked_once() -> None:
    patient = makers.make_patient()
    actor = makers.machine(patient.organization_id)
    provisional = create_provisional(
        actor=actor, organization_id=patient.organization_id, phone="the shop's phone", given_name="Juma"
    )
    makers.scope_all()
    assert provisional.is_provisional and provisional.phone_hash is None
    ids = {"provisional_id": provisional.pk, "patient_id": patient.pk}
    assert link_provisional(actor=actor, **ids).pk == patient.pk
    makers.scope_all()
    before = AuditLog.objects.filter(event_type="patient.linked").count()
    link_provisional(actor=actor, **ids)
    makers.scope_all()
    assert AuditLog.objects.filter(event_type="patient.linked").count() == before == 1
    same = Patient.objects.all().same_person(provisional.pk)
    assert set(same.values_list("pk", flat=True)) == {patient.pk, provisional.pk}
    assert queries.person_ids([provisional.pk, patient.pk]) == dict.fromkeys(ids.values(), patient.pk)


@db
def test_a_row_is_locked_with_its_row_on_record_and_an_unknown_one_is_nobodys(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held, lock = [], queries.locked
    monkeypatch.setattr(queries, "locked", lambda ids: held.append(set(ids)) or lock(ids))
    patient = makers.make_patient()
    actor = makers.machine(patient.organization_id)
    row = create_provisional(actor=actor, organization_id=patient.organization_id)
    link_provisional(actor=actor, provisional_id=row.pk, patient_id=patient.pk)
    makers.scope_all()
    assert queries.lock_with_record(row.pk) == patient.pk
    assert queries.lock_with_record(patient.pk) == patient.pk
    assert held[-2:] == [{row.pk, patient.pk}, {patient.pk}]
    # It is linked while somebody waits for it: their answer is the person that it is then.
    late = create_provisional(actor=actor, organization_id=patient.organization_id)
    makers.scope_all()

    def linked_first(ids: set[UUID]) -> Any:
        monkeypatch.setattr(queries, "locked", lock)
        link_provisional(actor=actor, provisional_id=late.pk, patient_id=patient.pk)
        makers.scope_all()
        return lock(ids)

    monkeypatch.setattr(queries, "locked", linked_first)
    assert queries.lock_with_record(late.pk) == patient.pk
    with pytest.raises(NotFound) as refused:
        queries.lock_with_record(uuid7())
    assert (refused.value.code, refused.value.status) == ("not_found", 404)
    assert refused.value.message == "This does not exist, or it is not open to you."


@db
def test_a_link_is_always_one_step() -> None:
    patient = makers.make_patient()
    organization = patient.organization_id
    actor = makers.machine(organization)
    first = create_provisional(actor=actor, organization_id=organization)
    second = create_provisional(actor=actor, organization_id=organization)
    link_provisional(actor=actor, provisional_id=first.pk, patient_id=second.pk)
    link_provisional(actor=actor, provisional_id=second.pk, patient_id=patient.pk)
    makers.scope_all()
    rows = Patient.objects.filter(pk__in=[first.pk, second.pk])
    assert set(rows.values_list("merged_into", flat=True)) == {patient.pk}


@db
def test_what_is_not_provisional_or_lies_elsewhere_is_not_linked(cast: Cast) -> None:
    actor = makers.machine(cast.home)
    other = makers.make_patient(cast.home)
    with pytest.raises(RuleBroken, match="provisional"):
        link_provisional(actor=actor, provisional_id=other.pk, patient_id=cast.patient.pk)
    provisional = create_provisional(actor=actor, organization_id=cast.home.pk)
    makers.scope_all()
    with pytest.raises(NotFound):
        link_provisional(actor=actor, provisional_id=provisional.pk, patient_id=cast.stranger.pk)


@db
def test_people_are_found_by_pseudonym_in_one_query(cast: Cast, django_assert_num_queries: Any) -> None:
    names = [cast.patient.anonymous_id, cast.stranger.anonymous_id, "CX-0"]
    with django_assert_num_queries(1):
        found = queries.by_pseudonyms(cast.home.pk, names)
    assert found == {cast.patient.anonymous_id: cast.patient}


@db
def test_people_are_found_by_any_way_of_writing_their_phone_and_email(cast: Cast) -> None:
    patient = makers.make_patient(cast.home, phone="0712 345 678", email="Juma@Example.org")
    for phone in ("+254712345678", "0712-345-678"):
        assert list(queries.found_by(cast.home, phone=phone)) == [patient]
    assert list(queries.found_by(cast.home, email="juma@example.ORG")) == [patient]
    assert not queries.found_by(cast.elsewhere, phone="+254712345678").exists()
    assert not queries.found_by(cast.home, email="nonsense").exists()


@db
def test_a_card_opens_name_and_contacts_and_leaves_a_row(cast: Cast) -> None:
    with reading(makers.staff(cast.alice), purpose="alert_review") as ctx:
        card = queries.person_card(ctx, cast.patient, at=makers.now(), with_contacts=True, with_places=True)
    assert (card.name, card.pseudonym) == ("Zawadi Planted", cast.patient.anonymous_id)
    assert card.contacts[0].name == "Otieno Fictional" and card.home_address == "12 Made-up Road"
    row = PhiAccessLog.objects.filter(data_type="person").latest("id")
    assert (row.subject, row.actor_id, row.relationship) == (cast.patient.pk, cast.alice.pk, "care_team")
    assert row.sections == ["identity", "contacts", "places"]


@db
def test_a_card_without_the_consent_names_no_contact(cast: Cast) -> None:
    makers.consent(cast.patient, "emergency_contact", False)
    with reading(makers.staff(cast.alice), purpose="alert_review") as ctx:
        card = queries.person_card(ctx, cast.patient, at=makers.now(), with_contacts=True)
    assert card.contacts == [] and not card.emergency_contact_allowed and card.home_address == ""


@db
def test_a_card_of_a_linked_row_shows_the_person_behind_it(cast: Cast) -> None:
    actor = makers.machine(cast.home)
    provisional = create_provisional(actor=actor, organization_id=cast.home.pk, given_name="Caller")
    link_provisional(actor=actor, provisional_id=provisional.pk, patient_id=cast.patient.pk)
    provisional.refresh_from_db()
    with reading(makers.staff(cast.alice), purpose="alert_review") as ctx:
        card = queries.person_card(ctx, provisional, at=makers.now(), with_contacts=False)
    assert (card.patient_id, card.name) == (cast.patient.pk, "Zawadi Planted")


@db
def test_a_correction_writes_only_what_differs(cast: Cast) -> None:
    actor = makers.staff(cast.ada)
    changes = {"given_name": "Zawadi", "family_name": "New", "pronouns": "", "language": "en"}
    update_patient(actor=actor, patient_id=cast.patient.pk, changes=changes)
    makers.scope_all()
    assert AuditLog.objects.get(event_type="patient.updated").fields == ["family_name"]
    update_patient(actor=actor, patient_id=cast.patient.pk, changes=changes)
    makers.scope_all()
    assert AuditLog.objects.filter(event_type="patient.updated").count() == 1
    for wrong in ({"anonymous_id": "x"}, {"status": "deleted"}, {"risk_notes": "x"}):
        with pytest.raises(InputRefused):
            update_patient(actor=actor, patient_id=cast.patient.pk, changes=wrong)


@db
def test_only_people_who_treat_are_given_a_patient(cast: Cast) -> None:
    actor = makers.machine(cast.home)
    ids = {"patient_id": cast.patient.pk, "user_id": cast.ada.pk}
    with pytest.raises(InputRefused, match="treat"):
        add_to_care_team(actor=actor, role="case_manager", **ids)
    with pytest.raises(InputRefused, match="treat"):
        grant_access(actor=actor, reason_code="consultation", ends_at=NOW + DAY, **ids)
    foreign = {"patient_id": cast.patient.pk, "user_id": cast.charlie.pk}
    with pytest.raises(NotFound):
        add_to_care_team(actor=actor, role="psychiatrist", **foreign)


@db
def test_team_covers_and_grants_refuse_what_does_not_hold_together(cast: Cast) -> None:
    actor = makers.machine(cast.home)
    person = {"patient_id": cast.patient.pk}
    place = cast.patient.care_team.get()
    with pytest.raises(RuleBroken) as caught:
        add_to_care_team(actor=actor, role="primary_therapist", user_id=cast.alice.pk, **person)
    assert caught.value.code == "already_on_team"
    with pytest.raises(InputRefused):
        add_to_care_team(actor=actor, role="counselor", **person)
    spell = {"starts_at": NOW, "ends_at": NOW + DAY}
    with pytest.raises(InputRefused):
        plan_cover(actor=actor, member_id=place.pk, user_id=cast.alice.pk, **spell)
    long = {"reason_code": "break_glass", "reason": "Collapsed", "ends_at": NOW + DAY, "at": NOW}
    with pytest.raises(InputRefused) as refused:
        grant_access(actor=actor, user_id=cast.bob.pk, **person, **long)
    assert refused.value.code == "grant_too_long"
    with pytest.raises(InputRefused):
        grant_access(actor=actor, user_id=cast.bob.pk, **person, **long | {"ends_at": NOW})


@db
def test_a_caregiver_stands_on_the_team_by_a_sealed_name(cast: Cast) -> None:
    actor = makers.machine(cast.home)
    member = add_to_care_team(
        actor=actor, patient_id=cast.patient.pk, role="caregiver", outside_name="Aunt Njeri"
    )
    makers.scope_all()
    assert makers.opened(type(member).objects.get(pk=member.pk), "outside_name") == "Aunt Njeri"


@db
def test_an_end_is_written_once_and_never_before_the_start(cast: Cast) -> None:
    actor = makers.machine(cast.home)
    place = makers.add_to_team(cast.patient, cast.bob, starts_at=NOW + DAY)
    assert end_care_team_place(actor=actor, member_id=place.pk, at=NOW).ends_at == NOW + DAY
    row = makers.grant(cast.patient, cast.bob, starts_at=NOW, ends_at=NOW + DAY)
    assert end_grant(actor=actor, grant_id=row.pk, at=NOW + timedelta(hours=1)).ends_at == NOW + timedelta(
        hours=1
    )
    makers.scope_all()
    end_grant(actor=actor, grant_id=row.pk, at=NOW + timedelta(hours=2))
    makers.scope_all()
    assert AuditLog.objects.filter(event_type="access.ended").count() == 1
