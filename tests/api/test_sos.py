"""The button: any working key and a known patient are enough, whatever else is wrong."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from crisis.alerts.models import RiskAlert
from crisis.intake.openapi import PRESS_ANSWER
from tests import makers
from tests.api.conftest import Api, issue_key, item, message, results
from tests.cast import Cast

pytestmark = pytest.mark.django_db


def bodies(name: str) -> list[tuple[bytes, str, str]]:
    """Bodies with their type and the level that they must raise."""
    return [
        (json.dumps({"patient": name, "button": "in_danger"}).encode(), "application/json", "critical"),
        (json.dumps({"patient": name, "button": "talk"}).encode(), "application/json", "high"),
        (json.dumps({"patient": name}).encode(), "application/json", "critical"),
        (json.dumps({"patient": name, "button": {"x": 1}}).encode(), "application/json", "critical"),
        (json.dumps({"patient": name, "button": "TALK!"}).encode(), "application/json", "critical"),
        (
            json.dumps({"patient": name, "button": "talk", "x": [[[1]]], "at": "never"}).encode(),
            "text/plain",
            "high",
        ),
        (b'{"patient": "%s", "button": "talk"' % name.encode(), "application/json", "high"),
        (
            b'{"patient": "%s", "patient": "%s"}' % (name.encode(), name.encode()),
            "application/json",
            "critical",
        ),
        (b'{"patient": "%s", "x": NaN}' % name.encode(), "application/json", "critical"),
        (b'{"patient": "%s", \xff\xfe\x00' % name.encode(), "application/octet-stream", "critical"),
        (b"patient=%s" % name.encode(), "application/x-www-form-urlencoded", "critical"),
        (
            json.dumps({"items": [{"patient": name, "kind": "sos", "button": "talk"}]}).encode(),
            "application/json",
            "high",
        ),
        (b"[" * 5000 + b'"patient": "%s"' % name.encode(), "application/json", "critical"),
    ]


def test_the_answer_has_the_members_that_the_reference_names(api: Api, cast: Cast) -> None:
    answer = api.post("sos", {"patient": cast.patient.anonymous_id, "button": "in_danger"}).json()
    described = PRESS_ANSWER["properties"]
    assert set(answer) == set(described) == set(PRESS_ANSWER["required"])
    assert answer["result"] in described["result"]["enum"]


@pytest.mark.parametrize("number", range(13))
def test_a_button_is_taken_whatever_was_sent(api: Api, cast: Cast, number: int) -> None:
    body, content_type, level = bodies(cast.patient.anonymous_id)[number]
    answer = api.post("sos", body, content_type=content_type)
    assert answer.status_code == 200, answer.content
    alert = RiskAlert.objects.get(kind="self_harm")
    assert (alert.level, alert.waiting_person, alert.source) == (level, True, "sos")
    assert answer.json()["support"]["person_waiting"] is True


def test_the_patient_may_stand_in_the_query_and_the_body_be_empty(api: Api, cast: Cast) -> None:
    answer = api.post(f"sos?patient={cast.patient.anonymous_id}", b"")
    assert answer.status_code == 200
    assert RiskAlert.objects.get(kind="self_harm").level == "critical"


@pytest.mark.parametrize("body", [b"", b"{}", b'{"patient": "CX-00000000"}', b"null", b'{"patient": 7}'])
def test_an_unknown_patient_is_refused_with_support(api: Api, cast: Cast, body: bytes) -> None:
    answer = api.post("sos", body)
    assert answer.status_code == 422
    assert answer.json()["code"] == "unknown_patient"
    assert answer.json()["support"]["emergency_number"]


@pytest.mark.parametrize("accept", ["text/html", "image/png", "application/xml;q=0.9", "\x7f"])
def test_a_button_does_not_fail_on_an_accept_header(api: Api, cast: Cast, accept: str) -> None:
    answer = api.post("sos?format=xml", {"patient": cast.patient.anonymous_id}, Accept=accept)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"


def test_an_unknown_patients_button_in_a_batch_is_answered_with_support(api: Api, cast: Cast) -> None:
    answer = api.send({"kind": "sos", "id": "x", "patient": "CX-00000000"}, {"kind": "sos"})
    assert results(answer) == ["rejected", "rejected"]
    assert all("support" in one for one in answer.json()["items"])


def test_a_hostile_query_is_an_unknown_patient(api: Api, cast: Cast) -> None:
    for named in ("%00", "%ED%A0%80", "a%20b", "'%3B--", "x" * 5000):
        assert api.post(f"sos?patient={named}", b"").status_code == 422


def test_a_patient_of_another_organization_is_unknown(api: Api, cast: Cast) -> None:
    assert api.post("sos", {"patient": cast.stranger.anonymous_id}).status_code == 422


def test_any_working_key_may_press_whatever_its_scopes(cast: Cast) -> None:
    api = Api(f"Api-Key {issue_key(cast.home, ['patients:write'])[1]}")
    assert api.post("sos", {"patient": cast.patient.anonymous_id}).status_code == 200
    assert api.send(message(cast.patient)).status_code == 403


def test_a_button_needs_no_consent(api: Api, cast: Cast) -> None:
    who = makers.make_patient(cast.home, consents=[])
    assert api.post("sos", {"patient": who.anonymous_id}).status_code == 200
    assert results(api.send(item("sos", who, button="talk"))) == ["stored"]
    assert RiskAlert.objects.get(patient=who, kind="self_harm").level == "critical"


def test_a_button_in_a_batch_is_never_a_duplicate_and_joins_the_open_alert(api: Api, cast: Cast) -> None:
    press = item("sos", cast.patient, button="talk")
    assert results(api.send(press)) == ["stored"]
    assert results(api.send(press)) == ["stored"]
    alert = RiskAlert.objects.get(kind="self_harm")
    assert (alert.level, alert.waiting_person) == ("high", True)
    api.send({**press, "button": "in_danger"})
    alert.refresh_from_db()
    assert alert.level == "critical"


def test_a_press_after_a_resolution_opens_a_new_alert_even_when_it_comes_late(api: Api, cast: Cast) -> None:
    api.post("sos", {"patient": cast.patient.anonymous_id})
    RiskAlert.objects.filter(kind="self_harm").update(status="resolved", resolved_at=makers.now())
    late = (makers.now() - timedelta(hours=2)).isoformat()
    assert results(api.send(item("sos", cast.patient, at=late))) == ["stored"]
    assert RiskAlert.objects.open().filter(kind="self_harm", waiting_person=True).count() == 1


def test_a_button_is_taken_when_the_engine_fails(api: Api, cast: Cast, monkeypatch: Any) -> None:
    def fail(**_: Any) -> None:
        raise RuntimeError("engine")

    monkeypatch.setattr("crisis.triage.actions.evaluate_patients", fail)
    answer = api.post("sos", {"patient": cast.patient.anonymous_id, "button": "in_danger"})
    assert answer.status_code == 200
    kinds = set(RiskAlert.objects.values_list("kind", "level"))
    assert ("self_harm", "critical") in kinds
    assert ("could_not_screen", "high") in kinds
