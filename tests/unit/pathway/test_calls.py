"""Whom to call: added, corrected, retired and put back by who treats the person; what the desk then sees."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from cortex.audit import RuleBroken
from cortex.audit.models import AuditLog, PhiAccessLog
from crisis.exceptions.actions import open_contacts
from patients.contacts import actions
from patients.contacts.actions import add_contact, correct_contact, retire_contact
from patients.contacts.models import MOST
from patients.registry.actions import create_provisional, link_provisional
from patients.registry.models import Patient
from patients.registry.person import EmergencyContact
from patients.registry.records import ContactData
from tests import makers
from tests.cast import Cast
from tests.makers import opened, staff

pytestmark = pytest.mark.django_db
FORM = {
    "name": "Akinyi Neighbour", "relationship": "neighbour", "phone": "0712 345 678", "place": "1",
    "language": "sw", "email": "", "note": "Knows of the hospital, not of the diagnosis.",
}  # fmt: skip
NUMBER = "+254712345678"


def as_user(user: object) -> Client:
    client = Client()
    client.force_login(user)  # type: ignore[arg-type]
    return client


def url(name: str, patient: Patient, *ids: Any) -> str:
    return reverse(f"clinical:{name}", args=[patient.pk, *ids])


def people(client: Client, patient: Patient) -> str:
    answer = client.get(url("chart_people", patient))
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def only(patient: Patient) -> EmergencyContact:
    makers.scope_all()
    return EmergencyContact.objects.get(patient=patient)


def seen(row: EmergencyContact) -> dict[str, str]:
    return {"seen": row.updated_at.isoformat()}


def desk(cast: Cast) -> str:
    """The alert's page as its owner sees it."""
    alert = cast.claimed_alert()
    return as_user(cast.cleo).get(reverse("crisis:alert_page", args=[alert.pk])).content.decode()


def test_somebody_is_added_and_the_first_step_is_done(cast: Cast) -> None:
    patient = makers.make_patient(cast.home, team=[cast.alice], contacts=[])
    client, add = as_user(cast.alice), url("chart_contact_add", patient)
    steps = client.get(url("first_steps", patient)).content.decode()
    assert add in steps
    assert "Nobody is on record" in people(client, patient)
    assert "What they may know" in client.get(add).content.decode()
    assert client.post(add, FORM).status_code == 303
    row = only(patient)
    assert (opened(row, "name"), opened(row, "phone"), row.language) == ("Akinyi Neighbour", NUMBER, "sw")
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, phone, note FROM patients_emergencycontact WHERE id = %s", [row.pk])
        assert not any(b"Akinyi" in bytes(one) or b"2345678" in bytes(one) for one in cursor.fetchone())
    trail = AuditLog.objects.get(event_type="contact.added")
    assert (trail.object_id, trail.subject, trail.actor_id) == (row.pk, patient.pk, cast.alice.pk)
    assert trail.fields == ["language", "name", "note", "phone", "relationship"]
    assert trail.codes == {"place": 1, "moved": 0}
    assert PhiAccessLog.objects.filter(data_type="emergency_contact", object_id=row.pk).count() == 1
    shown = people(client, patient)
    assert "Akinyi Neighbour" in shown and f"tel:{NUMBER}" in shown and "May be called" in shown
    steps = client.get(url("first_steps", patient)).content.decode()
    assert add not in steps and "1 on record" in steps


def test_a_form_that_is_sent_twice_adds_once_and_a_namesake_is_somebody_else(cast: Cast) -> None:
    patient = makers.make_patient(cast.home, team=[cast.alice], contacts=[])
    client, add = as_user(cast.alice), url("chart_contact_add", patient)
    assert [client.post(add, FORM).status_code for _ in range(2)] == [303, 303]
    row = only(patient)
    assert AuditLog.objects.filter(event_type="contact.added").count() == 1
    data = ContactData(name=FORM["name"], phone=FORM["phone"])
    values: dict[str, Any] = {"actor": staff(cast.alice), "patient": patient, "data": data}
    later = add_contact(**values, at=makers.now() + timedelta(minutes=2))
    makers.scope_all()
    assert later.pk != row.pk
    assert client.post(add, FORM | {"phone": "0712 345 679"}).status_code == 303
    makers.scope_all()
    assert EmergencyContact.objects.filter(patient=patient).count() == 3


def test_a_corrected_number_stands_on_the_alert_s_page_with_what_the_contact_may_know(cast: Cast) -> None:
    row, client = only(cast.patient), as_user(cast.alice)
    door = url("chart_contact", cast.patient, row.pk)
    assert "+254700000001" in client.get(door).content.decode()
    form = FORM | seen(row) | {"name": "Otieno Fictional", "relationship": "brother", "language": ""}
    assert client.post(door, form).status_code == 303
    trail = AuditLog.objects.get(event_type="contact.corrected")
    assert (trail.object_id, trail.fields) == (row.pk, ["note", "phone"])
    assert NUMBER not in str(trail.codes)
    text = desk(cast)
    assert NUMBER in text and "+254700000001" not in text
    assert FORM["note"] in text and "May be called" in text


def test_a_form_that_changes_nothing_writes_nothing(cast: Cast) -> None:
    row, client = only(cast.patient), as_user(cast.alice)
    form = {"name": "Otieno Fictional", "relationship": "brother", "phone": "+254700000001", "place": "1"}
    assert client.post(url("chart_contact", cast.patient, row.pk), form | seen(row)).status_code == 303
    assert only(cast.patient).updated_at == row.updated_at
    assert not AuditLog.objects.filter(event_type="contact.corrected").exists()


def test_a_number_and_an_address_that_nobody_changed_stay_as_an_earlier_system_had_them(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = makers.make_patient(cast.home, team=[cast.alice], contacts=[])
    with monkeypatch.context() as earlier:
        earlier.setattr(actions, "normalise_phone", lambda phone, _: phone)
        earlier.setattr(actions, "normalise_email", lambda email: email)
        data = ContactData(name="Akinyi", phone="ask at the kiosk", email="mother at work")
        add_contact(actor=staff(cast.alice), patient=patient, data=data)
    row, client = only(patient), as_user(cast.alice)
    door = url("chart_contact", patient, row.pk)
    form = FORM | {"phone": "ask at the kiosk", "email": "mother at work"}
    assert client.post(door, form | seen(row)).status_code == 303
    row = only(patient)
    assert [opened(row, name) for name in ("name", "phone", "email")] == [
        "Akinyi Neighbour", "ask at the kiosk", "mother at work"
    ]  # fmt: skip
    assert client.post(door, form | {"email": "mother at home"} | seen(only(patient))).status_code == 422


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"phone": "ask at the kiosk"}, "This is no phone number."), ({"phone": "0712"}, "no phone number"),
        ({"phone": ""}, "Write the number to call."), ({"name": " "}, "Write who it is."),
        ({"email": "akinyi.example.org"}, "This is no e-mail address."),
    ],
)  # fmt: skip
def test_what_can_t_be_read_comes_back_with_everything_that_was_typed(
    cast: Cast, wrong: dict[str, str], says: str
) -> None:
    row, client = only(cast.patient), as_user(cast.alice)
    before = row.updated_at
    for door in (url("chart_contact_add", cast.patient), url("chart_contact", cast.patient, row.pk)):
        answer = client.post(door, FORM | seen(row) | wrong)
        text = answer.content.decode()
        assert (answer.status_code, says in text) == (422, True), door
        assert FORM["note"] in text and all(value in text for value in wrong.values())
    assert seen(row)["seen"] in text, "the form must still say which state it was drawn from"
    assert only(cast.patient).updated_at == before


def test_the_second_of_two_who_correct_at_once_sees_what_the_first_wrote(cast: Cast) -> None:
    makers.add_to_team(cast.patient, cast.bob)
    row = only(cast.patient)
    door, drawn = url("chart_contact", cast.patient, row.pk), seen(row)
    assert as_user(cast.bob).post(door, FORM | drawn | {"phone": "+254722000222"}).status_code == 303
    client = as_user(cast.alice)
    late = client.post(door, FORM | drawn | {"name": "Akinyi Typed"})
    text = late.content.decode()
    assert late.status_code == 409
    assert "Somebody changed this contact meanwhile" in text
    assert "On record now" in text and "+254722000222" in text and "Akinyi Typed" in text
    row = only(cast.patient)
    assert opened(row, "phone") == "+254722000222"
    makers.scope_all()
    again = FORM | {"name": "Akinyi Typed"}
    assert seen(row)["seen"] in text, "the form goes on from what it showed"
    assert client.post(door, again | drawn).status_code == 409
    assert client.post(door, again).status_code == 409, "without saying what it was drawn from"
    assert client.post(door, again | seen(row)).status_code == 303
    assert opened(only(cast.patient), "name") == "Akinyi Typed"


def test_a_retired_contact_leaves_the_alert_s_page_stays_on_record_and_comes_back(cast: Cast) -> None:
    row, client = only(cast.patient), as_user(cast.alice)
    door = url("chart_contact_retire", cast.patient, row.pk)
    stale = client.post(door, {"seen": "2020-01-01T00:00:00+00:00"})
    assert stale.status_code == 409
    assert "Somebody changed this contact meanwhile" in stale.content.decode()
    assert only(cast.patient).is_active
    text = client.post(door, seen(row), follow=True).content.decode()
    undo = url("chart_contact_restore", cast.patient, row.pk)
    assert "is not to be called any more" in text and "Undo" in text and undo in text
    assert not only(cast.patient).is_active
    assert AuditLog.objects.get(event_type="contact.retired").object_id == row.pk
    assert "Nobody is on record" in people(client, cast.patient)
    alert = cast.claimed_alert()
    page = reverse("crisis:alert_page", args=[alert.pk])
    assert "Otieno Fictional" not in as_user(cast.cleo).get(page).content.decode()
    typed = client.post(url("chart_contact", cast.patient, row.pk), FORM | seen(only(cast.patient)))
    assert typed.status_code == 409
    assert "Put them back first" in typed.content.decode() and FORM["name"] in typed.content.decode()
    assert "stand among those to call again" in client.post(undo, follow=True).content.decode()
    assert "Otieno Fictional" in as_user(cast.cleo).get(page).content.decode()
    makers.scope_all()
    assert AuditLog.objects.get(event_type="contact.restored").subject == cast.patient.pk


def test_the_order_is_that_of_the_form_and_who_moved_counts_as_changed(cast: Cast) -> None:
    row, client = only(cast.patient), as_user(cast.alice)
    drawn = seen(row)
    client.post(url("chart_contact_add", cast.patient), FORM | {"place": "1"})
    text = people(client, cast.patient)
    assert text.index("Akinyi Neighbour") < text.index("Otieno Fictional")
    form = {"name": "Otieno Fictional", "relationship": "brother", "phone": "+254700000001", "place": "1"}
    door = url("chart_contact", cast.patient, row.pk)
    assert client.post(door, form | drawn).status_code == 409
    makers.scope_all()
    row.refresh_from_db()
    assert client.post(door, form | seen(row)).status_code == 303
    text = people(client, cast.patient)
    assert text.index("Otieno Fictional") < text.index("Akinyi Neighbour")
    makers.scope_all()
    trail = AuditLog.objects.get(event_type="contact.corrected")
    assert (trail.fields, trail.codes) == (["order"], {"place": 1, "moved": 1})


def test_a_list_that_is_full_takes_nobody_until_somebody_is_retired(cast: Cast) -> None:
    for number in range(1, MOST):
        data = ContactData(name=f"Friend {number}", phone=f"+2547110000{number:02d}")
        add_contact(actor=staff(cast.alice), patient=cast.patient, data=data)
        makers.scope_all()
    answer = as_user(cast.alice).post(url("chart_contact_add", cast.patient), FORM)
    text = answer.content.decode()
    assert answer.status_code == 409 and "Retire one of them first" in text and FORM["name"] in text


def test_only_those_who_treat_the_person_write_and_a_counselor_on_the_team_does(cast: Cast) -> None:
    row = only(cast.patient)
    doors = {
        url("chart_contact_add", cast.patient): FORM,
        url("chart_contact", cast.patient, row.pk): FORM | seen(row),
        url("chart_contact_retire", cast.patient, row.pk): seen(row),
        url("chart_contact_restore", cast.patient, row.pk): {},
    }
    for user, status in ((cast.bob, 404), (cast.cleo, 404), (cast.charlie, 404), (cast.ada, 403)):
        client = as_user(user)
        assert {client.post(door, form).status_code for door, form in doors.items()} == {status}
        assert client.get(url("chart_contact", cast.patient, row.pk)).status_code == status
    stranger = only(cast.stranger)
    foreign = url("chart_contact", cast.patient, stranger.pk)
    assert as_user(cast.alice).post(foreign, FORM | seen(stranger)).status_code == 404
    assert only(cast.patient).updated_at == row.updated_at
    makers.add_to_team(cast.patient, cast.cleo, role="case_manager")
    door = url("chart_contact", cast.patient, row.pk)
    assert as_user(cast.cleo).post(door, FORM | seen(row)).status_code == 303


def test_without_consent_contacts_are_added_but_not_opened(cast: Cast) -> None:
    row = only(cast.patient)
    makers.consent(cast.patient, "emergency_contact", granted=False)
    client = as_user(cast.alice)
    assert "The person does not allow" in client.get(url("chart_contact_add", cast.patient)).content.decode()
    assert client.post(url("chart_contact_add", cast.patient), FORM).status_code == 303
    text = people(client, cast.patient)
    assert "Closed: the person does not allow" in text and "2 on record" in text
    assert "Akinyi" not in text and "Otieno" not in text
    door = url("chart_contact", cast.patient, row.pk)
    assert client.get(door).status_code == 409
    for typed in (FORM, FORM | {"phone": ""}, FORM | {"language": "luo"}):
        answer = client.post(door, typed | seen(row))
        text = answer.content.decode()
        assert answer.status_code == 409
        assert "Closed: the person does not allow" in text and "Otieno" not in text
        assert all(value in text for value in typed.values()) and seen(row)["seen"] in text
    assert "Akinyi" not in desk(cast)


def test_what_danger_opens_is_whom_to_call_and_not_whom_nobody_should(cast: Cast) -> None:
    row = only(cast.patient)
    makers.add_to_team(cast.patient, cast.cleo, role="case_manager")
    as_user(cast.alice).post(url("chart_contact_add", cast.patient), FORM)
    makers.scope_all()
    row.refresh_from_db()
    as_user(cast.alice).post(url("chart_contact_retire", cast.patient, row.pk), seen(row))
    makers.consent(cast.patient, "emergency_contact", granted=False)
    alert = cast.claimed_alert()
    why = "He stands on the bridge and does not answer."
    open_contacts(actor=staff(cast.cleo), alert_id=alert.pk, reason=why)
    text = people(as_user(cast.cleo), cast.patient)
    assert "Akinyi Neighbour" in text and "No consent" in text and "May be called" not in text
    assert "Otieno" not in text
    door = url("chart_contact", cast.patient, row.pk)
    assert as_user(cast.cleo).get(door).status_code == 409


def test_a_contact_of_a_linked_row_stands_among_the_person_s_and_is_kept_right_there(cast: Cast) -> None:
    caller = create_provisional(actor=makers.machine(cast.home), organization_id=cast.home.pk)
    makers.scope_all()
    data = ContactData(name="Caller Aunt", phone="+254733000333")
    add_contact(actor=makers.machine(cast.home), patient=caller, data=data)
    makers.scope_all()
    link_provisional(actor=makers.machine(cast.home), provisional_id=caller.pk, patient_id=cast.patient.pk)
    row, client = only(caller), as_user(cast.alice)
    text = people(client, cast.patient)
    assert "Caller Aunt" in text and "Otieno Fictional" in text
    makers.scope_all()
    looks = PhiAccessLog.objects.filter(subject=caller.pk, actor_id=cast.alice.pk)
    assert [(one.data_type, one.sections) for one in looks] == [("person", ["contacts"])]
    door = url("chart_contact", cast.patient, row.pk)
    assert client.post(door, FORM | seen(row) | {"place": "2"}).status_code == 303
    assert opened(only(caller), "phone") == NUMBER
    assert NUMBER in desk(cast)


def test_break_glass_reads_and_does_not_write(cast: Cast) -> None:
    makers.grant(
        cast.patient, cast.bob, reason_code="break_glass", permission="view_chart", reason="In danger",
        ends_at=makers.now() + timedelta(hours=1),
    )  # fmt: skip
    client, row = as_user(cast.bob), only(cast.patient)
    assert "Otieno Fictional" in people(client, cast.patient)
    answer = client.post(url("chart_contact", cast.patient, row.pk), FORM | seen(row))
    assert answer.status_code == 409
    assert "Break-glass opens this chart for reading" in answer.content.decode()
    assert only(cast.patient).updated_at == row.updated_at


def test_a_retired_one_is_corrected_by_nobody_below_the_page_either(cast: Cast) -> None:
    row = only(cast.patient)
    retire_contact(actor=staff(cast.alice), patient=cast.patient, contact_id=row.pk, seen=row.updated_at)
    makers.scope_all()
    data = ContactData(name="Otieno", phone="+254700000001")
    with pytest.raises(RuleBroken) as refused:
        correct_contact(
            actor=staff(cast.alice), patient=cast.patient, contact_id=row.pk, seen=row.updated_at, data=data,
            place=1,
        )  # fmt: skip
    assert refused.value.code == "contact_retired"
