"""A patient's own device: its own requests, its person behind a merged row, its end with the organization."""

from __future__ import annotations

from typing import Any

import pytest

from cortex.accounts.models import Organization
from cortex.api import throttle, tokens
from crisis.alerts.models import RiskAlert
from crisis.intake.models import IntakeRequest
from crisis.risk.models import Evidence
from patients.registry.models import Patient
from patients.sessions.messages import Message
from tests import makers
from tests.api.conftest import TIER_A, Api, issue_key, message, results
from tests.api.test_people import token_for
from tests.cast import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def merged(cast: Cast) -> Patient:
    """A row of the cast's patient that was opened by hand and linked since."""
    row = makers.make_patient(cast.home)
    Patient.objects.filter(pk=row.pk).update(merged_into=cast.patient)
    return row


def own(text: str = "Habari", **values: Any) -> dict[str, Any]:
    return {"id": "1", "kind": "message", "role": "patient", "session": "chat-1", "text": text, **values}


def test_two_devices_that_count_from_one_do_not_meet(api: Api, cast: Cast) -> None:
    other = makers.make_patient(cast.home)
    first, second = token_for(api, cast.patient), token_for(api, other)
    assert results(first.post("me/intake", {"items": [own()]}, key="1")) == ["stored"]
    assert results(second.post("me/intake", {"items": [own(TIER_A)]}, key="1")) == ["stored"]
    senders = set(IntakeRequest.objects.values_list("sender", flat=True))
    assert senders == {f"patient:{cast.patient.pk}", f"patient:{other.pk}"}
    assert RiskAlert.objects.filter(patient=other, kind="self_harm").exists()


def test_one_device_does_not_use_up_anothers_rate(api: Api, cast: Cast, settings: Any) -> None:
    settings.CORTEX_API_ITEMS_PER_MINUTE = 2
    throttle.client().flushdb()
    other = makers.make_patient(cast.home)
    many = [own(id=str(number)) for number in range(5)]
    assert results(token_for(api, cast.patient).post("me/intake", {"items": many}))[-1] == "limited"
    assert results(token_for(api, other).post("me/intake", {"items": [own()]})) == ["stored"]


def test_a_merged_rows_button_and_words_land_with_the_person(api: Api, cast: Cast, merged: Patient) -> None:
    key = issue_key(cast.home)[0]
    old = tokens.mint(merged.pk, cast.home.pk, key.pk, makers.now())
    device = Api(f"Bearer {old}")
    assert device.post("me/sos", b"").status_code == 200
    said = device.post("me/intake", {"items": [own(TIER_A, patient=merged.anonymous_id)]})
    assert results(said) == ["stored"]
    assert set(Evidence.objects.values_list("patient_id", flat=True)) == {cast.patient.pk}
    alert = RiskAlert.objects.get(kind="self_harm")
    assert (alert.patient_id, alert.level, alert.waiting_person) == (cast.patient.pk, "critical", True)
    assert Message.objects.get().patient_id == cast.patient.pk
    assert device.get("me/support").json()["support"]["state"] == "nobody_on_duty"


def test_a_token_of_a_merged_row_is_the_persons_and_answers_to_both_names(
    api: Api, cast: Cast, merged: Patient
) -> None:
    device = token_for(api, merged)
    claims = tokens.read(device.header.removeprefix("Bearer "), makers.now())
    assert claims.patient_id == cast.patient.pk
    named = [own(id=name, patient=name) for name in (merged.anonymous_id, cast.patient.anonymous_id)]
    stranger = makers.make_patient(cast.home)
    answer = device.post("me/intake", {"items": [*named, own(id="x", patient=stranger.anonymous_id)]})
    assert results(answer) == ["stored", "stored", "rejected"]
    assert answer.json()["items"][2]["reason"] == "wrong_patient"
    assert set(Message.objects.values_list("patient_id", flat=True)) == {cast.patient.pk}


def test_a_device_of_an_organization_that_was_closed_opens_nothing(api: Api, cast: Cast) -> None:
    device = token_for(api, cast.patient)
    Organization.objects.filter(pk=cast.home.pk).update(is_active=False)
    for answer in (device.get("me/support"), device.post("me/intake", {"items": [message(cast.patient)]})):
        assert answer.status_code == 401
        assert answer.json()["support"]["emergency_number"]


def test_a_token_is_good_in_its_own_organization_only(cast: Cast) -> None:
    foreign = issue_key(cast.elsewhere)[0]
    token = tokens.mint(cast.patient.pk, cast.home.pk, foreign.pk, makers.now())
    assert Api(f"Bearer {token}").get("me/support").status_code == 401


def test_a_device_of_an_erased_person_reaches_nobodys_record(api: Api, cast: Cast, merged: Patient) -> None:
    device = token_for(api, merged)
    Patient.objects.filter(pk=cast.patient.pk).update(status="deleted")
    assert device.post("me/intake", {"items": [own()]}).status_code == 404
    assert device.post("me/sos", b"").status_code == 422
    assert Message.objects.count() == RiskAlert.objects.count() == 0
