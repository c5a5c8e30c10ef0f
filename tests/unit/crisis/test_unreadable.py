"""One value that doesn't open takes down no page of the desk: it says so in its place, and a letter lies."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse

from cortex.audit.models import AuditLog
from cortex.keys import queries as keys
from cortex.keys.cache import cache
from cortex.ops.letters.models import DeadLetter
from crisis.alerts.models import AlertEvent, RiskAlert
from crisis.casework.actions import log_attempt
from crisis.duty.actions import plan_shift
from crisis.duty.models import DutyShift
from patients.registry.person import EmergencyContact
from tests import makers
from tests.cast import Cast
from tests.unit.audit.test_trail import superuser
from tests.unit.ops.test_letters import spoil

pytestmark = pytest.mark.django_db
LOST = "can&#x27;t be read"


@pytest.fixture
def cleo(cast: Cast) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(cast.cleo)
    return client


def on_call(cast: Cast, user: Any, phone: str) -> DutyShift:
    now = makers.now()
    plan_shift(
        actor=makers.staff(cast.ada), user_id=user.pk, organization_id=cast.home.pk, role="counselor",
        planned_start=now, planned_end=now + timedelta(hours=8), phone=phone,
    )  # fmt: skip
    makers.scope_all()
    DutyShift.objects.filter(user=user).update(status="active", started_at=now, role="on_call")
    return DutyShift.objects.get(user=user)


def page(client: Client, name: str, *ids: Any) -> str:
    answer = client.get(reverse(f"crisis:{name}", args=ids))
    makers.scope_all()
    assert answer.status_code == 200, name
    return str(answer.content.decode())


def letters() -> dict[str, UUID | None]:
    return {one.name: one.row_id for one in DeadLetter.objects.open()}


def spoil_fixed(column: str, row: Any) -> None:
    """Spoil a value of a row that a trigger holds."""
    with superuser() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        value = f"set_byte({column}, 30, 255 - get_byte({column}, 30))"
        cursor.execute(f"UPDATE {row._meta.db_table} SET {column} = {value} WHERE id = %s", [row.pk])  # noqa: S608


def test_a_phone_that_cannot_be_read_takes_no_board_down(cleo: Client, cast: Cast) -> None:
    cast.on_duty()
    spoilt = on_call(cast, cast.bob, "+254700000042")
    on_call(cast, makers.make_user("counselor", cast.home), "+254700000077")
    for name in ("board", "board_shift", "duty"):
        assert "+254700000042" in page(cleo, name), name
    spoil("phone", "crisis_dutyshift", "id", spoilt.pk)
    for name in ("board", "board_shift", "duty"):
        shown = page(cleo, name)
        assert LOST in shown and "+254700000077" in shown and "+254700000042" not in shown, name
        assert 'href="tel:"' not in shown
    assert letters() == {"crisis.DutyShift.phone": spoilt.pk}
    # It is asked for every few seconds: the letter counts it once a minute at most.
    assert DeadLetter.objects.get().times == 1
    assert AuditLog.objects.get(event_type="letter.buried").organization_id == cast.home.pk


def test_without_the_house_s_key_the_board_goes_on_too(
    cleo: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    cast.on_duty()
    shift = on_call(cast, cast.bob, "+254700000042")
    cache.forget()
    monkeypatch.setattr(keys, "data_keys", lambda subjects: {})
    assert LOST in page(cleo, "board")
    letter = DeadLetter.objects.get()
    assert (letter.name, letter.row_id, letter.error_code) == (
        "crisis.DutyShift.phone", shift.pk, "KeyMissing",
    )  # fmt: skip


@pytest.fixture
def alert(cast: Cast) -> RiskAlert:
    """Cleo's, about Zawadi Planted, whose contacts may be called; nobody answered so far."""
    row = cast.claimed_alert()
    makers.consent(cast.patient, "emergency_contact")
    log_attempt(actor=makers.staff(cast.cleo), alert_id=row.pk, note="Nobody answers.")
    makers.scope_all()
    return row


def test_an_alert_s_page_says_what_of_the_person_cannot_be_read(
    cleo: Client, cast: Cast, alert: RiskAlert
) -> None:
    contact = EmergencyContact.objects.get(patient=cast.patient)
    event = next(one for one in AlertEvent.objects.filter(alert=alert) if one.__dict__["note"] is not None)
    shown = page(cleo, "alert_page", alert.pk)
    assert "Zawadi Planted" in shown and "Nobody answers." in shown and LOST not in shown
    spoil("given_name", "patients_patient", "id", cast.patient.pk)
    spoil("phone", "patients_emergencycontact", "id", contact.pk)
    spoil_fixed("note", event)
    shown = page(cleo, "alert_page", alert.pk)
    assert f"({LOST}) Planted" in shown and "Zawadi" not in shown and "Nobody answers." not in shown
    assert shown.count(LOST) >= 3
    assert letters() == {
        "patients.Patient.given_name": cast.patient.pk,
        "patients.EmergencyContact.phone": contact.pk,
        "crisis.AlertEvent.note": event.pk,
    }


def test_a_form_is_never_filled_with_what_cannot_be_read(cast: Cast) -> None:
    """What stands in it would be saved over the value, which may still be mended."""
    contact = EmergencyContact.objects.get(patient=cast.patient)
    makers.consent(cast.patient, "emergency_contact")
    client = Client(raise_request_exception=False)
    client.force_login(cast.alice)
    people = reverse("clinical:chart_people", args=[cast.patient.pk])
    form = reverse("clinical:chart_contact", args=[cast.patient.pk, contact.pk])
    assert client.get(form).status_code == 200
    makers.scope_all()
    spoil("phone", "patients_emergencycontact", "id", contact.pk)
    assert LOST in client.get(people).content.decode()
    answer = client.get(form)
    assert answer.status_code == 500 and LOST not in answer.content.decode()
    makers.scope_all()
    assert letters() == {"patients.EmergencyContact.phone": contact.pk}
