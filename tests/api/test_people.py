"""Registering people, minting tokens, what a token opens, and the way back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cortex.accounts.apikeys.actions import revoke_key
from cortex.accounts.models import Organization
from cortex.audit import system
from cortex.audit.models import AuditLog
from crisis.alerts.models import RiskAlert
from crisis.intake.models import IntakeRequest
from crisis.resources.models import CrisisResource
from patients.registry.models import Patient
from patients.registry.person import EmergencyContact
from patients.sessions.messages import Message
from tests import makers
from tests.api.conftest import TIER_A, Api, issue_key, item, message, results
from tests.cast import Cast

pytestmark = pytest.mark.django_db
FORM: dict[str, Any] = {
    "language": "sw",
    "timezone": "Africa/Nairobi",
    "given_name": "Asha",
    "phone": "+254 711 000 111",
    "date_of_birth": "1999-04-01",
    "consents": [{"consent_type": "treatment", "granted": True}],
    "contacts": [{"name": "Juma", "relationship": "brother", "phone": "+254 700 000 000"}],
    "preferences": {"voice_preference": "calm"},
}


def token_for(api: Api, patient: Patient, minutes: int = 15) -> Api:
    answer = api.post(f"patients/{patient.anonymous_id}/tokens", {"minutes": minutes})
    assert answer.status_code == 201, answer.content
    return Api(f"Bearer {answer.json()['token']}")


def test_a_registration_is_one_transaction_and_opens_the_door(api: Api, cast: Cast) -> None:
    answer = api.post("patients", FORM, key="p-1")
    assert answer.status_code == 201
    assert answer.json()["consents"] == ["treatment"]
    who = Patient.objects.get(anonymous_id=answer.json()["patient"])
    assert who.organization_id == cast.home.pk
    assert makers.opened(who, "given_name") == "Asha"
    assert EmergencyContact.objects.filter(patient=who).count() == 1
    assert AuditLog.objects.filter(event_type="patient.registered", subject=who.pk).exists()
    assert results(api.send(message(who))) == ["stored"]
    assert api.post("patients", FORM, key="p-1").content == answer.content
    assert "Asha" not in answer.content.decode()


WRONG = [
    ({"language": "not a language"}, "not_a_language", "/language"),
    ({"language": "abcdefgh-abcdefgh"}, "not_a_language", "/language"),
    ({"timezone": "Mars/Olympus"}, "timezone_unknown", None),
    ({"timezone": "Africa"}, "timezone_unknown", None),
    ({"date_of_birth": "2999-01-01"}, "birth_date_range", None),
    ({"consents": [{"consent_type": "all", "granted": True}]}, "not_a_choice", "/consents/0/consent_type"),
    ({"contacts": [{"name": f"Juma {place}"} for place in range(21)]}, "too_many", "/contacts"),
    ({"consents": [{"consent_type": "treatment"}]}, "missing", "/consents/0/granted"),
    ({"consents": {"treatment": True}}, "wrong_type", "/consents"),
    ({"contacts": [{"phone": "1"}]}, "missing", "/contacts/0/name"),
    ({"contacts": [{"name": "J", "wife": True}]}, "unknown_member", "/contacts/0/wife"),
    ({"is_admin": True}, "unknown_member", "/is_admin"),
    ({"organization": "x"}, "unknown_member", "/organization"),
    ({"pseudonym": "two words"}, "not_a_name", "/pseudonym"),
]


@pytest.mark.parametrize(("values", "code", "pointer"), WRONG)
def test_a_wrong_registration_is_refused_with_its_place_and_kept(
    api: Api, cast: Cast, values: dict[str, Any], code: str, pointer: str | None
) -> None:
    before = Patient.objects.count()
    answer = api.post("patients", FORM | values, key="p-1")
    assert answer.status_code == 422, answer.content
    assert answer.json()["code"] == code
    if pointer:
        assert answer.json()["pointer"] == pointer
    assert answer.json()["support"]
    assert Patient.objects.count() == before
    assert IntakeRequest.objects.get().status == 422


def test_an_e_mail_that_is_taken_is_a_conflict(api: Api, cast: Cast) -> None:
    assert api.post("patients", FORM | {"email": "asha@example.org"}).status_code == 201
    answer = api.post("patients", FORM | {"email": "ASHA@example.org"}, key="p-2")
    assert (answer.status_code, answer.json()["code"]) == (409, "email_taken")
    assert api.post("patients", FORM | {"email": "ASHA@example.org"}, key="p-2").content == answer.content


def test_scopes_are_asked(cast: Cast) -> None:
    for scope, path, body in [
        ("patients:write", "intake", {"items": [message(cast.patient)]}),
        ("intake:write", "patients", FORM),
        ("intake:write", f"patients/{cast.patient.anonymous_id}/tokens", {}),
    ]:
        api = Api(f"Api-Key {issue_key(cast.home, [scope])[1]}")
        answer = api.post(path, body)
        assert answer.status_code == 403
        assert answer["Content-Type"] == "application/problem+json"
        assert answer.json()["support"]["emergency_number"]


@pytest.mark.parametrize(
    "header", ["", "Api-Key nonsense", "Api-Key cx_" + "a" * 12 + "_" + "b" * 43, "Bearer x", "Basic eDp5"]
)
def test_without_a_working_key_nothing_opens(cast: Cast, header: str) -> None:
    answer = Api(header).send(message(cast.patient, TIER_A))
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Api-Key")
    assert answer.json()["support"]["emergency_number"] == "112"
    assert Message.objects.count() == 0


def test_the_key_may_stand_in_its_own_header(cast: Cast) -> None:
    raw = issue_key(cast.home)[1]
    answer = Api("").post("intake", {"items": [message(cast.patient)]}, **{"X-Api-Key": raw})
    assert results(answer) == ["stored"]


def test_a_revoked_key_and_its_tokens_are_dead(cast: Cast) -> None:
    key, raw = issue_key(cast.home)
    api = Api(f"Api-Key {raw}")
    device = token_for(api, cast.patient)
    assert device.get("me/support").status_code == 200
    revoke_key(actor=system("test"), key_id=key.pk)
    makers.scope_all()
    assert api.send(message(cast.patient)).status_code == 401
    assert device.get("me/support").status_code == 401
    assert device.post("me/sos", {}).status_code == 401


def test_keys_and_tokens_of_a_closed_organization_are_dead(api: Api, cast: Cast) -> None:
    device = token_for(api, cast.patient)
    Organization.objects.filter(pk=cast.home.pk).update(is_active=False)
    assert api.send(message(cast.patient)).status_code == 401
    assert device.get("me/support").status_code == 401


def test_a_token_dies_after_its_minutes(api: Api, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    device = token_for(api, cast.patient, minutes=15)
    later = makers.now() + timedelta(minutes=16)
    monkeypatch.setattr("cortex.api.authentication.steady_now", lambda: later)
    assert device.get("me/support").status_code == 401


@pytest.mark.parametrize("minutes", [0, 61, "15", True, None, 1.5])
def test_a_token_lives_one_to_sixty_minutes(api: Api, cast: Cast, minutes: Any) -> None:
    answer = api.post(f"patients/{cast.patient.anonymous_id}/tokens", {"minutes": minutes})
    assert answer.status_code == 422
    assert answer.json()["pointer"] == "/minutes"


def test_no_token_is_minted_for_a_stranger(api: Api, cast: Cast) -> None:
    for name in (cast.stranger.anonymous_id, "CX-00000000", "%00", "a b"):
        assert api.post(f"patients/{name}/tokens", {}).status_code == 404


def test_a_token_opens_only_ones_own_door(api: Api, cast: Cast) -> None:
    device = token_for(api, cast.patient)
    other = makers.make_patient(cast.home)
    assert results(device.post("me/intake", {"items": [message(cast.patient)]})) == ["stored"]
    assert results(device.post("me/intake", {"items": [{**message(cast.patient), "patient": None}]})) == [
        "stored"
    ]
    answer = device.post("me/intake", {"items": [message(other, TIER_A)]})
    assert (results(answer), answer.json()["items"][0]["reason"]) == (["rejected"], "wrong_patient")
    assert Message.objects.filter(patient=other).count() == 0
    for path, body in [
        ("intake", {"items": []}),
        ("patients", FORM),
        ("sos", {"patient": other.anonymous_id}),
    ]:
        assert device.post(path, body).status_code == 401
    assert device.get("schema").status_code == 401
    assert api.get("me/support").status_code == 401
    changed = device.header[:-2] + ("AA" if device.header[-2:] != "AA" else "BB")
    assert Api(changed).get("me/support").status_code == 401


def test_ones_own_button_needs_nothing_but_the_token(api: Api, cast: Cast) -> None:
    device = token_for(api, cast.patient)
    answer = device.post("me/sos", b"", content_type="text/plain")
    assert answer.status_code == 200
    alert = RiskAlert.objects.get(kind="self_harm")
    assert (alert.patient_id, alert.level, alert.waiting_person) == (cast.patient.pk, "critical", True)


def test_the_same_item_by_server_and_by_device_counts_once(api: Api, cast: Cast) -> None:
    one = message(cast.patient)
    assert results(api.send(one)) == ["stored"]
    assert results(token_for(api, cast.patient).post("me/intake", {"items": [one]})) == ["duplicate"]


def test_support_tells_where_one_stands(api: Api, cast: Cast) -> None:
    device = token_for(api, cast.patient)

    def state() -> str:
        return str(device.get("me/support").json()["support"]["state"])

    assert state() == "none"
    shift = cast.on_duty()
    api.send(item("sos", cast.patient))
    assert state() == "told"
    shift.delete()
    assert state() == "nobody_on_duty"
    RiskAlert.objects.filter(kind="self_harm").update(status="acknowledged", assigned_to=cast.cleo)
    body = device.get("me/support").content.decode()
    assert state() == "taken"
    assert "Cleo" not in body
    RiskAlert.objects.filter(kind="self_harm").update(status="resolved", resolved_at=makers.now())
    assert state() == "none"


def test_resources_are_of_the_place_and_unchecked_ones_stand_behind_a_warning(api: Api, cast: Cast) -> None:
    def line(name: str, **values: Any) -> None:
        CrisisResource.objects.create(
            **{"jurisdiction": "KE", "name": name, "kind": "crisis_line", "phone": "1190"} | values
        )

    line("Checked", verified_at=makers.now() - timedelta(days=10))
    line("Old", verified_at=makers.now() - timedelta(days=91))
    line("Never")
    line("Elsewhere", jurisdiction="GB", verified_at=makers.now())
    line("Not ours", organization=cast.elsewhere, verified_at=makers.now())
    line("Gone", verified_at=makers.now(), is_active=False)
    block = token_for(api, cast.patient).get("me/support").json()["support"]
    assert [one["name"] for one in block["resources"]] == ["Checked"]
    assert {one["name"] for one in block["unchecked"]["resources"]} == {"Old", "Never"}
    assert "90" in block["unchecked"]["warning"]


def test_a_person_who_speaks_swahili_is_told_in_swahili(api: Api, cast: Cast) -> None:
    who = makers.make_patient(cast.home, language="sw")
    answer = api.send(message(who, TIER_A))
    assert "zamu" in answer.json()["items"][0]["support"]["message"]


def test_an_erased_person_is_unknown(api: Api, cast: Cast) -> None:
    device = token_for(api, cast.patient)
    Patient.objects.filter(pk=cast.patient.pk).update(status="deleted")
    assert results(api.send(message(cast.patient))) == ["rejected"]
    assert device.post("me/intake", {"items": [message(cast.patient)]}).status_code == 404
