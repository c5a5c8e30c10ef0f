"""The back office of people: demographics by logged access, actions behind every write, no clinical text."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib import admin
from django.contrib.sessions.models import Session
from django.test import Client

from cortex.audit.models import AuditLog, PhiAccessLog
from patients import models as floor
from patients.care.models import CareTeamMember, PatientUserObjectPermission
from patients.privacy.models import Consent
from patients.registry.models import Patient
from patients.registry.person import EmergencyContact
from tests import makers
from tests.cast import Cast
from tests.unit.accounts.conftest import sign_in

pytestmark = pytest.mark.django_db
SECRETS = ("I feel hopeless today", "market voice words", "a note of my own", "my goals are mine")


@pytest.fixture
def ada(cast: Cast) -> Client:
    client = Client()
    sign_in(client, "ada@example.org", makers.PASSWORD)
    return client


def path(model: str, rest: str = "") -> str:
    return f"/admin/patients/{model}/{rest}"


def demographics_of(cast: Cast) -> dict[str, str]:
    return {
        "status": "active", "language": "en", "timezone": "Africa/Nairobi", "data_retention_days": "90",
        "external_provider_ref": "", "given_name": "Zawadi", "family_name": "Changed", "email": "",
        "phone": "", "date_of_birth": "2010-05-01", "home_address": "", "mrn": "", "middle_name": "",
        "pronouns": "", "sex": "", "gender": "",
    }  # fmt: skip


def test_every_model_of_the_floor_has_its_page() -> None:
    own = {getattr(floor, name) for name in floor.__all__}
    assert own <= set(admin.site._registry)


def test_the_list_names_nobody_and_the_page_opens_demographics_with_a_row(ada: Client, cast: Cast) -> None:
    listed = ada.get(path("patient")).content.decode()
    assert cast.patient.anonymous_id in listed and cast.stranger.anonymous_id not in listed
    assert "Zawadi" not in listed and "Planted" not in listed
    page = ada.get(path("patient", f"{cast.patient.pk}/change/")).content.decode()
    assert "Zawadi" in page and "12 Made-up Road" in page
    row = PhiAccessLog.objects.filter(data_type="demographics").latest("id")
    assert (row.subject, row.actor_id, row.purpose) == (cast.patient.pk, cast.ada.pk, "back_office")


def test_a_stranger_of_another_organization_is_not_found(ada: Client, cast: Cast) -> None:
    page = ada.get(path("patient", f"{cast.stranger.pk}/change/"), follow=True).content.decode()
    assert "Imani" not in page and cast.stranger.anonymous_id not in page


@pytest.mark.parametrize("written", ["0{0}-{1}-{2}", "(0{0}) {1}{2}", "+254 {0} {1} {2}", "0{0}.{1}.{2}",
                                     "+254 (0){0}-{1}{2}", "0{0}{1}{2}"])  # fmt: skip
def test_a_person_is_found_by_their_number_as_people_write_it(ada: Client, cast: Cast, written: str) -> None:
    phone = makers.opened(cast.patient, "phone").removeprefix("+254")
    term = written.format(phone[:3], phone[3:6], phone[6:])
    page = ada.post(path("patient"), {"find": term}, follow=True).content.decode()
    assert cast.patient.anonymous_id in page
    assert (
        cast.patient.anonymous_id
        not in ada.post(
            path("patient"), {"find": term[:-1] + str(9 - int(term[-1]))}, follow=True
        ).content.decode()
    )


def test_a_person_is_found_by_a_whole_email_or_phone_without_reading_any(ada: Client, cast: Cast) -> None:
    email, phone = (makers.opened(cast.patient, name) for name in ("email", "phone"))
    for term in (email, phone, cast.patient.anonymous_id):
        page = ada.post(path("patient"), {"find": term}, follow=True).content.decode()
        assert cast.patient.anonymous_id in page, term
        row = PhiAccessLog.objects.latest("id")
        assert (row.data_type, row.subject, row.actor_id) == ("patient_admin", cast.patient.pk, cast.ada.pk)
    rows = PhiAccessLog.objects.count()
    other = ada.post(path("patient"), {"find": "nobody@example.org"}, follow=True).content.decode()
    assert cast.patient.anonymous_id not in other and PhiAccessLog.objects.count() == rows


def test_what_is_typed_stands_in_no_address_and_filters_and_pages_keep_it(ada: Client, cast: Cast) -> None:
    email = makers.opened(cast.patient, "email")
    twin = makers.make_patient(cast.home)
    answer = ada.post(path("patient") + "?status__exact=active&p=2", {"find": email})
    where = answer["Location"]
    assert answer.status_code == 303 and "status__exact=active" in where and "p=" not in where
    page = ada.get(where).content.decode()
    assert cast.patient.anonymous_id in page and twin.anonymous_id not in page
    links = re.findall(r'href="(\?[^"]*)"', page)
    assert any("q=~" in link or "q=%7E" in link for link in links), "filters keep the search"
    assert not any("example.org" in link or "%40" in link for link in [where, *links])
    session = Session.objects.latest("expire_date")
    assert email not in str(session.get_decoded()) and "searches" in session.get_decoded()
    assert email in page, "the field still shows what was typed"


def test_a_token_opens_for_its_own_session_alone_and_an_identifier_in_an_address_finds_nobody(
    ada: Client, cast: Cast
) -> None:
    email, phone = (makers.opened(cast.patient, name) for name in ("email", "phone"))
    where = ada.post(path("patient"), {"find": email})["Location"]
    other = Client()
    sign_in(other, "ada@example.org", makers.PASSWORD)
    for address in (where, path("patient") + f"?q={email}", path("patient") + f"?q=%2B{phone[1:]}"):
        page = other.get(address).content.decode()
        assert "This search is over" in page and email not in page and phone not in page
    assert "This search is over" not in other.get(path("patient") + "?q=CX-1").content.decode()


def test_a_list_and_the_choices_of_a_relation_say_whom_they_named(ada: Client, cast: Cast) -> None:
    other = makers.make_patient(cast.home)
    ada.get(path("patient"))
    row = PhiAccessLog.objects.latest("id")
    assert row.data_type == "patient_admin" and set(row.subjects) == {cast.patient.pk, other.pk}
    asked = {"app_label": "patients", "model_name": "careteammember", "field_name": "patient"}
    answer = ada.post("/admin/autocomplete/", asked | {"term": makers.opened(other, "email")})
    assert [one["text"] for one in answer.json()["results"]] == [other.anonymous_id]
    makers.scope_all()
    row = PhiAccessLog.objects.latest("id")
    assert (row.data_type, row.subject) == ("patient_admin", other.pk)
    assert ada.get("/admin/autocomplete/", asked | {"term": "CX"}).status_code == 405


def test_a_grant_asks_for_the_password_again(ada: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    page = path("patientuserobjectpermission", "add/")
    assert ada.get(page).status_code == 200
    monkeypatch.setattr("cortex.accounts.signin.recent.RECENT", timedelta(0))
    answer = ada.get(page)
    assert answer.status_code == 302 and "reauthenticate" in answer["Location"]


def test_a_change_goes_through_the_action_and_names_fields_only(ada: Client, cast: Cast) -> None:
    answer = ada.post(path("patient", f"{cast.patient.pk}/change/"), demographics_of(cast))
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    makers.scope_all()
    fresh = Patient.objects.get(pk=cast.patient.pk)
    assert makers.opened(fresh, "family_name") == "Changed"
    assert (fresh.age_band, fresh.email_hash) == ("13_17", None)
    audit = AuditLog.objects.filter(event_type="patient.updated").latest("id")
    assert {"family_name", "date_of_birth", "email", "phone", "home_address"} == set(audit.fields)
    assert "Changed" not in str(audit.codes)


def test_a_refused_change_says_why_and_changes_nothing(ada: Client, cast: Cast) -> None:
    wrong = {"timezone": ("Mars/Olympus", "no such time zone"), "data_retention_days": ("10", "equal to 30")}
    for name, (value, said) in wrong.items():
        typed = demographics_of(cast) | {name: value}
        page = ada.post(path("patient", f"{cast.patient.pk}/change/"), typed, follow=True).content.decode()
        assert said in page
    makers.scope_all()
    assert makers.opened(Patient.objects.get(pk=cast.patient.pk), "family_name") == "Planted"


def test_a_place_on_a_team_is_added_and_ended_by_actions(ada: Client, cast: Cast) -> None:
    typed = {"patient": cast.patient.pk, "user": cast.bob.pk, "role": "psychiatrist"}
    empty = {"starts_at": "", "ends_at": ""}
    answer = ada.post(path("careteammember", "add/"), typed | empty)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    makers.scope_all()
    place = CareTeamMember.objects.get(user=cast.bob)
    ada.post(path("careteammember"), {"action": "end_now", "_selected_action": [place.pk]})
    makers.scope_all()
    place.refresh_from_db()
    assert place.ends_at is not None
    verbs = list(
        AuditLog.objects.filter(event_type__startswith="care_team").values_list("event_type", flat=True)
    )
    assert verbs[-2:] == ["care_team.joined", "care_team.left"]


def test_a_grant_is_given_and_ended_by_actions(ada: Client, cast: Cast) -> None:
    end = makers.now() + timedelta(days=2)
    typed = {
        "content_object": cast.patient.pk, "user": cast.bob.pk, "reason_code": "consultation",
        "starts_at": "", "ends_at": f"{end:%Y-%m-%d} 12:00:00",
        "opens": "view_chart", "why": "Second look at the plan",
    }  # fmt: skip
    answer = ada.post(path("patientuserobjectpermission", "add/"), typed)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    makers.scope_all()
    grant = PatientUserObjectPermission.objects.get(user=cast.bob)
    assert grant.permission.codename == "view_chart" and grant.granted_by_id == cast.ada.pk
    page = ada.get(path("patientuserobjectpermission", f"{grant.pk}/change/")).content.decode()
    assert "Second look at the plan" in page
    ada.post(path("patientuserobjectpermission"), {"action": "end_now", "_selected_action": [grant.pk]})
    makers.scope_all()
    grant.refresh_from_db()
    assert grant.ends_at < end


def test_a_child_s_consent_on_paper_names_who_consents_for_them(ada: Client, cast: Cast) -> None:
    Patient.objects.filter(pk=cast.patient.pk).update(age_band="13_17")
    assert "Who consents for them" in ada.get(path("consent", "add/")).content.decode()
    makers.scope_all()
    typed = {"patient": cast.patient.pk, "consent_type": "research", "granted": "on", "method": "paper"}
    refused = ada.post(path("consent", "add/"), typed)
    assert refused.status_code == 200
    assert refused.context["adminform"].form.errors["guardian"] == ["Under 18: write who consents for them."]
    makers.scope_all()
    assert ada.post(path("consent", "add/"), typed | {"guardian": "Her aunt"}).status_code == 302
    makers.scope_all()
    row = Consent.objects.get(patient=cast.patient, consent_type="research")
    assert makers.opened(row, "guardian") == "Her aunt"


def test_a_consent_on_paper_is_one_more_row_and_can_not_be_changed(ada: Client, cast: Cast) -> None:
    before = Consent.objects.filter(patient=cast.patient).count()
    typed = {
        "patient": cast.patient.pk, "consent_type": "research", "granted": "on", "method": "paper",
        "version": "2", "language": "sw", "expires_at": "", "evidence_ref": "Folder 7",
    }  # fmt: skip
    answer = ada.post(path("consent", "add/"), typed)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    makers.scope_all()
    rows = Consent.objects.filter(patient=cast.patient)
    assert rows.count() == before + 1
    row = rows.get(consent_type="research")
    assert row.recorded_by_id == cast.ada.pk
    assert ada.post(path("consent", f"{row.pk}/change/"), typed).status_code == 403
    assert ada.post(path("consent", f"{row.pk}/delete/"), {"post": "yes"}).status_code == 403


def test_no_page_shows_words_to_the_administrator(ada: Client, cast: Cast) -> None:
    from patients.registry.person import PatientProfile

    makers.make_message(cast.patient, SECRETS[0])
    makers.make_voice(cast.patient, SECRETS[1])
    rows = PatientProfile.objects.filter(patient=cast.patient)
    assert rows.exists()
    for name in floor.__all__:
        model = getattr(floor, name)
        if name == "LegalHold":  # compliance's alone
            assert ada.get(path("legalhold")).status_code == 403
            continue
        listed = ada.get(path(model._meta.model_name))
        assert listed.status_code == 200, name
        pages = [listed.content.decode()]
        row = model.objects.filter(organization=cast.home).order_by("-pk").first()
        if row is not None:
            page = ada.get(path(model._meta.model_name, f"{row.pk}/change/"))
            assert page.status_code == 200, name
            pages.append(page.content.decode())
        assert not any(secret in page for secret in SECRETS for page in pages), name


@pytest.mark.parametrize(
    ("role", "model", "status"),
    [
        ("compliance", "legalhold", 200), ("auditor", "legalhold", 403), ("supervisor", "legalhold", 403),
        ("compliance", "consent", 200), ("compliance", "patient", 403), ("compliance", "message", 403),
        ("auditor", "patient", 403), ("auditor", "consent", 403), ("therapist", "patient", 403),
    ],
)  # fmt: skip
def test_roles_reach_their_part_only(cast: Cast, role: str, model: str, status: int) -> None:
    makers.make_user(role, cast.home, email="someone@example.org")
    client = Client()
    sign_in(client, "someone@example.org", makers.PASSWORD)
    assert client.get(path(model)).status_code == status


def test_a_contact_opens_with_the_person_s_consent_alone_and_no_more_once_retired(
    ada: Client, cast: Cast
) -> None:
    contact = EmergencyContact.objects.get(patient=cast.patient)
    told = [makers.opened(contact, name) for name in ("name", "phone")]
    address = path("emergencycontact", f"{contact.pk}/change/")
    makers.consent(cast.patient, "emergency_contact", granted=True)
    page = ada.get(address).content.decode()
    assert all(one and one in page for one in told)
    makers.consent(cast.patient, "emergency_contact", granted=False)
    page = ada.get(address).content.decode()
    assert "Closed: the person does not allow" in page and not any(one in page for one in told)
    makers.consent(cast.patient, "emergency_contact", granted=True)
    EmergencyContact.objects.filter(pk=contact.pk).update(is_active=False)
    page = ada.get(address).content.decode()
    assert "Closed: this contact was retired" in page and not any(one in page for one in told)
