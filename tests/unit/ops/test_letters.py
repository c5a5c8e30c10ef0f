"""Dead letters in the back office: who sees them, trying again, setting aside; and rows that don't open."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client

from cortex.accounts.models import Role, User
from cortex.audit import SYSTEM, RuleBroken
from cortex.audit.actors import actor_of_user
from cortex.audit.models import AuditLog
from cortex.clock import clock
from cortex.keys import queries as keys
from cortex.keys.cache import cache
from cortex.ops.letters import actions
from cortex.ops.letters.models import DeadLetter
from cortex.ops.models import RetentionPolicy, ScheduledSlot
from cortex.ops.tasks import drop_old_slots
from patients.registry.models import Patient
from patients.sessions.models import VoiceSession
from patients.tasks import extract_voice, refresh_age_bands
from tests import makers
from tests.cast import Cast
from tests.unit.accounts.conftest import PASSWORD, make_user, sign_in

pytestmark = pytest.mark.django_db
LIST = "/admin/ops/deadletter/"


@pytest.fixture
def opal(cast: Cast) -> User:
    """The operator."""
    return make_user(cast.home, Role.ADMIN, "opal", is_operator=True)


@pytest.fixture
def office(opal: User) -> Client:
    client = Client()
    sign_in(client, opal.email, PASSWORD)
    return client


def dead_slot(job: str = "test job") -> DeadLetter:
    """A slot that was given up, with its letter."""
    slot = clock().replace(microsecond=0)
    ScheduledSlot.objects.create(job=job, slot=slot, send_at=slot, state="dead", tries=5)
    return actions.bury_slot(actor=SYSTEM, job=job, slot=slot, error_code="ValueError")


def dead_row(organization: Any = None) -> DeadLetter:
    own = None if organization is None else organization.pk
    return actions.bury_row(
        actor=SYSTEM, name="patients.X.words", row_id=uuid4(), organization_id=own, error_code="DecryptError"
    )


def test_the_operator_reads_the_list_and_tries_a_job_again(office: Client, opal: User) -> None:
    letter = dead_slot()
    page = office.get(LIST).content.decode()
    assert "test job" in page and "ValueError" in page
    office.post(LIST, {"action": "retry", "_selected_action": [str(letter.pk)]})
    letter.refresh_from_db()
    assert (letter.state, letter.decided_by) == ("retried", opal)
    row = ScheduledSlot.objects.get()
    assert (row.state, row.tries, row.send_at <= clock()) == ("waiting", 0, True)
    audit = AuditLog.objects.get(event_type="letter.retried")
    assert (audit.actor_id, audit.codes["name"]) == (opal.pk, "test job")


def test_the_operator_sets_one_aside_with_a_written_reason_and_not_without(office: Client) -> None:
    letter = dead_slot()
    address = f"{LIST}{letter.pk}/change/"
    office.post(address, {"reason": ""})
    letter.refresh_from_db()
    assert letter.state == "open"
    office.post(address, {"reason": "done_by_hand"})
    letter.refresh_from_db()
    assert (letter.state, letter.reason) == ("set_aside", "done_by_hand")
    assert AuditLog.objects.get(event_type="letter.set_aside").codes["reason"] == "done_by_hand"
    assert ScheduledSlot.objects.get().state == "dead"
    # Decided is decided: the page has no form any more.
    assert 'name="reason"' not in office.get(address).content.decode()


def test_an_administrator_who_is_no_operator_reads_and_decides_nothing(cast: Cast) -> None:
    letter = dead_slot()
    client = Client()
    sign_in(client, cast.ada.email, makers.PASSWORD)
    assert "test job" in client.get(LIST).content.decode()
    client.post(LIST, {"action": "retry", "_selected_action": [str(letter.pk)]})
    assert client.post(f"{LIST}{letter.pk}/change/", {"reason": "lost"}).status_code == 403
    with pytest.raises(RuleBroken):
        actions.retry_letter(actor=actor_of_user(cast.ada), deadletter_id=letter.pk)
    letter.refresh_from_db()
    assert letter.state == "open"


def test_a_row_of_one_organization_is_no_row_for_another_s_administrator(cast: Cast) -> None:
    foreign = cast.charlie.organization
    theirs, ours = dead_row(foreign), dead_row(cast.home)
    ada = makers.client_of(cast.ada)
    page = ada.get(LIST).content.decode()
    assert str(ours.row_id) in page
    assert str(theirs.row_id) not in page
    assert ada.get(f"{LIST}{theirs.pk}/change/").status_code == 404


def test_an_operator_closes_letters_of_organizations_that_have_none(office: Client, cast: Cast) -> None:
    theirs = dead_row(cast.elsewhere)
    assert str(theirs.row_id) in office.get(LIST).content.decode()
    assert office.post(f"{LIST}{theirs.pk}/change/", {"reason": "lost"}).status_code == 302
    theirs.refresh_from_db()
    assert (theirs.state, theirs.reason) == ("set_aside", "lost")
    # It stands in the trail of whose row it is.
    assert AuditLog.objects.get(event_type="letter.set_aside").organization_id == cast.elsewhere.pk


def test_an_operator_hands_a_row_of_another_house_back(office: Client, cast: Cast) -> None:
    voice = makers.make_voice(cast.stranger, received_at=clock())
    VoiceSession.objects.filter(pk=voice.pk).update(extraction_error="DecryptError")
    letter = actions.bury_row(
        actor=SYSTEM, name="patients.VoiceSession.voice_features", row_id=voice.pk,
        organization_id=cast.elsewhere.pk, error_code="DecryptError",
    )  # fmt: skip
    office.post(LIST, {"action": "retry", "_selected_action": [str(letter.pk)]})
    makers.scope_all()
    letter.refresh_from_db()
    assert letter.state == "retried"
    assert VoiceSession.objects.get(pk=voice.pk).extraction_error == ""


def test_one_letter_counts_what_happens_again_and_a_closed_one_is_not_reopened() -> None:
    first = dead_row()
    again = {"actor": SYSTEM, "name": first.name, "row_id": first.row_id, "error_code": "DecryptError"}
    assert actions.bury_row(**again).times == 2
    actions.set_letter_aside(actor=SYSTEM, deadletter_id=first.pk, reason="lost")
    with pytest.raises(RuleBroken):
        actions.set_letter_aside(actor=SYSTEM, deadletter_id=first.pk, reason="lost")
    assert actions.bury_row(**again).pk != first.pk


def test_what_nobody_can_try_again_stays_open_and_says_so() -> None:
    letter = dead_row()
    with pytest.raises(RuleBroken, match="set it aside"):
        actions.retry_letter(actor=SYSTEM, deadletter_id=letter.pk)
    gone = dead_slot()
    ScheduledSlot.objects.all().delete()
    with pytest.raises(RuleBroken, match="no longer on record"):
        actions.retry_letter(actor=SYSTEM, deadletter_id=gone.pk)
    assert DeadLetter.objects.open().count() == 2


def test_closed_letters_leave_by_rule_and_open_ones_stay() -> None:
    days = RetentionPolicy.objects.get(model="ops.DeadLetter").days
    old, waiting = dead_row(), dead_row()
    actions.set_letter_aside(actor=SYSTEM, deadletter_id=old.pk, reason="lost")
    DeadLetter.objects.update(created_at=clock() - timedelta(days=days + 9))
    DeadLetter.objects.filter(pk=old.pk).update(decided_at=clock() - timedelta(days=days + 1))
    assert drop_old_slots() == 1
    assert DeadLetter.objects.get() == waiting


# Rows that don't open


def spoil(column: str, table: str, key: str, row: Any, byte: int = 30) -> None:
    """Change one byte of a sealed value, past the application."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET {column} = set_byte({column}, {byte}, 255 - get_byte({column}, {byte})) "  # noqa: S608
            f"WHERE {key} = %s",
            [row],
        )


def test_a_session_that_cannot_be_read_is_a_letter_and_is_read_again_when_mended(as_system: None) -> None:
    patient = makers.make_patient()
    spoilt, good = (makers.make_voice(patient, received_at=clock()) for _ in range(2))
    spoil("voice_features", "patients_voicesession", "session_id", spoilt.pk)
    assert extract_voice() == 2
    letter = DeadLetter.objects.get()
    assert (letter.kind, letter.name) == ("row", "patients.VoiceSession.voice_features")
    assert (letter.row_id, letter.organization_id) == (spoilt.pk, patient.organization_id)
    assert VoiceSession.objects.get(pk=good.pk).patterns_extracted
    assert extract_voice() == 0
    spoil("voice_features", "patients_voicesession", "session_id", spoilt.pk)
    actions.retry_letter(actor=SYSTEM, deadletter_id=letter.pk)
    assert extract_voice() == 1
    assert VoiceSession.objects.get(pk=spoilt.pk).patterns_extracted
    assert not DeadLetter.objects.open().exists()


def banded(*people: Patient) -> list[str]:
    """The bands of these people after a night's run."""
    refresh_age_bands()
    rows = Patient.objects.in_bulk([one.pk for one in people])
    return [rows[one.pk].age_band for one in people]


def test_a_birthday_that_cannot_be_read_is_a_letter_and_costs_nobody_their_band(as_system: None) -> None:
    born = date(1980, 1, 1)
    home = makers.make_patient(date_of_birth=born)
    people = [home, *(makers.make_patient(home.organization, date_of_birth=born) for _ in range(2))]
    Patient.objects.update(age_band="unknown")
    spoil("date_of_birth", "patients_patient", "id", people[1].pk)
    assert banded(*people) == ["45_54", "unknown", "45_54"]
    letter = DeadLetter.objects.get()
    assert (letter.name, letter.row_id) == ("patients.Patient.date_of_birth", people[1].pk)
    assert (letter.organization_id, letter.error_code) == (home.organization_id, "DecryptError")
    run = AuditLog.objects.get(event_type="patient.age_bands_updated")
    assert (run.outcome, run.codes["changed"]) == ("data_loss", 2)
    assert run.codes["unreadable"] == [str(people[1].pk)]
    banded(*people)
    assert DeadLetter.objects.get().times == 2, "each night that it is still so"
    actions.retry_letter(actor=SYSTEM, deadletter_id=letter.pk)
    spoil("date_of_birth", "patients_patient", "id", people[1].pk)
    assert banded(*people) == ["45_54"] * 3
    assert not DeadLetter.objects.open().exists()


def test_a_birthday_that_a_person_called_lost_is_told_no_second_time(as_system: None) -> None:
    patient = makers.make_patient(date_of_birth=date(1980, 1, 1))
    spoil("date_of_birth", "patients_patient", "id", patient.pk)
    refresh_age_bands()
    letter = DeadLetter.objects.get()
    actions.set_letter_aside(actor=SYSTEM, deadletter_id=letter.pk, reason="lost")
    refresh_age_bands()
    assert DeadLetter.objects.get() == letter


def test_a_page_that_meets_a_value_that_does_not_open_leaves_a_letter(cast: Cast) -> None:
    client = Client(raise_request_exception=False)
    sign_in(client, cast.ada.email, makers.PASSWORD)
    address = f"/admin/patients/patient/{cast.patient.pk}/change/"
    assert client.get(address).status_code == 200
    spoil("given_name", "patients_patient", "id", cast.patient.pk)
    answer = client.get(address)
    assert answer.status_code == 500
    letter = DeadLetter.objects.get()
    assert (letter.name, letter.row_id) == ("patients.Patient.given_name", cast.patient.pk)
    assert letter.organization_id == cast.home.pk
    assert Patient.objects.filter(pk=cast.patient.pk).exists()
    (row,) = AuditLog.objects.filter(event_type="letter.buried")
    assert row.organization_id == cast.home.pk
    # The others are read as ever.
    other = makers.make_patient(cast.home)
    assert client.get(f"/admin/patients/patient/{other.pk}/change/").status_code == 200


def test_a_page_that_meets_a_person_without_a_key_leaves_a_letter_too(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client(raise_request_exception=False)
    sign_in(client, cast.ada.email, makers.PASSWORD)
    cache.forget()
    monkeypatch.setattr(keys, "data_keys", lambda subjects: {})
    assert client.get(f"/admin/patients/patient/{cast.patient.pk}/change/").status_code == 500
    letter = DeadLetter.objects.get()
    assert (letter.error_code, letter.row_id) == ("KeyMissing", cast.patient.pk)
    assert letter.name.startswith("patients.Patient.")
