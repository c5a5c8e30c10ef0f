"""What a caller tells opens an alert: who and what stay sealed, and a report is evidence (H8)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from crisis.alerts.models import AlertEvent, RiskAlert
from crisis.byhand.actions import raise_for_caller
from crisis.byhand.forms import HandForm
from crisis.ownership.actions import claim_alert
from crisis.risk.models import Evidence, RiskAssessment
from patients.registry.models import Patient
from tests.cast import Cast
from tests.makers import now, opened, scope_all, staff

pytestmark = pytest.mark.django_db


def told(cast: Cast, **extra: Any) -> RiskAlert:
    """What a caller told Cleo about somebody whom nobody knows yet."""
    values = {"level": "high", "kind": "self_harm", "note": "A neighbour rang", "pseudonym": "", **extra}
    return raise_for_caller(actor=staff(cast.cleo), **values)


@pytest.fixture
def desk(cast: Cast) -> Cast:
    """Cleo and Sam are on shift."""
    cast.on_duty()
    cast.on_duty(cast.sam)
    return cast


def test_a_caller_s_name_and_number_stand_on_the_provisional_record(desk: Cast) -> None:
    alert = told(desk, given_name="Juma", phone="+254711222333")
    person = Patient.objects.get(pk=alert.patient_id)
    scope_all()
    assert (opened(person, "given_name"), opened(person, "phone")) == ("Juma", "+254711222333")
    assert person.phone_hash


def test_what_is_typed_beside_a_number_on_record_stays_with_the_note(desk: Cast) -> None:
    alert = told(desk, pseudonym=desk.patient.anonymous_id, phone="+254711222333")
    scope_all()
    assert opened(alert, "hand_note") == "A neighbour rang\n+254711222333"
    assert opened(Patient.objects.get(pk=desk.patient.pk), "phone") != "+254711222333"


def test_who_called_and_their_number_open_with_the_alert_and_are_not_the_person_s(desk: Cast) -> None:
    client = Client()
    client.force_login(desk.cleo)
    form = {"level": "high", "kind": "medical", "note": "He took pills", "third_party": "on"}
    caller = {"caller": "Akinyi, his sister", "caller_phone": "+254711222333"}
    raised = client.post(reverse("crisis:alert_new"), form | caller)
    scope_all()
    alert = RiskAlert.objects.get(kind="medical")
    assert opened(alert, "hand_note") == "He took pills\nTold by: Akinyi, his sister, +254711222333"
    assert alert.patient is not None
    assert not opened(alert.patient, "phone")
    claim_alert(actor=staff(desk.cleo), alert_id=alert.pk)
    assert "Told by: Akinyi, his sister, +254711222333" in client.get(raised["Location"]).content.decode()


def test_neither_kind_nor_level_is_chosen_for_whoever_logs_it(desk: Cast) -> None:
    form = HandForm()
    assert (form["kind"].value(), form["level"].value()) == (None, None)
    assert [choices[0] for choices in (form.fields["kind"].choices, form.fields["level"].choices)] == [
        ("", "Choose")
    ] * 2
    client = Client()
    client.force_login(desk.cleo)
    answer = client.post(reverse("crisis:alert_new"), {"note": "He took pills", "level": "high"})
    assert answer.status_code == 422
    assert "Choose what it is about." in answer.content.decode()


def test_a_form_that_is_sent_twice_raises_one_alert(desk: Cast) -> None:
    token = uuid4()
    first = told(desk, token=token)
    assert told(desk, token=token).pk == first.pk
    assert Patient.objects.filter(is_provisional=True).count() == 1
    assert told(desk, token=uuid4()).pk != first.pk
    known = {"pseudonym": desk.patient.anonymous_id, "token": uuid4()}
    alert = told(desk, **known)
    events = AlertEvent.objects.filter(alert=alert).count()
    assert told(desk, **known).pk == alert.pk
    assert AlertEvent.objects.filter(alert=alert).count() == events


def test_every_fresh_form_has_a_token_of_its_own() -> None:
    tokens = {HandForm()["token"].value() for _ in range(3)}
    assert len(tokens) == 3


@pytest.mark.parametrize(
    ("level", "code", "rules"),
    [("critical", "THIRD_PARTY_IMMINENT", ["H8"]), ("high", "THIRD_PARTY_CONCERN", [])],
)
def test_what_a_third_party_reports_is_evidence_and_is_judged_at_once(
    desk: Cast, level: str, code: str, rules: list[str]
) -> None:
    alert = told(desk, level=level, third_party=True)
    row = Evidence.objects.get(patient=alert.patient, code=code)
    assessment = RiskAssessment.objects.get(patient=alert.patient)
    assert assessment.rules_fired == rules
    assert alert.rules_fired == rules
    assert alert.evidence == ([row.pk] if rules else [])
    assert RiskAlert.objects.filter(patient=alert.patient).count() == 1
    assert AlertEvent.objects.filter(alert=alert).values_list("kind", flat=True).count() == 1


def test_a_report_about_an_overdose_alarms_about_the_person_too(desk: Cast) -> None:
    alert = told(desk, level="critical", kind="medical", third_party=True)
    other = RiskAlert.objects.exclude(pk=alert.pk).get(patient=alert.patient)
    assert (other.kind, other.level, other.rules_fired) == ("self_harm", "critical", ["H8"])
    assert not Evidence.objects.filter(patient=told(desk, kind="harm_to_others", third_party=True).patient)


def test_the_engine_s_higher_level_is_not_hidden_by_a_lower_one_by_hand(desk: Cast) -> None:
    told(desk, level="critical", pseudonym=desk.patient.anonymous_id, third_party=True)
    RiskAlert.objects.filter(patient=desk.patient).update(status="resolved", resolved_at=now())
    again = told(desk, pseudonym=desk.patient.anonymous_id, third_party=True)
    assert again.level == "critical"
