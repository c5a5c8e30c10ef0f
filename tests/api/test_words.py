"""The person's words at the door: whatever carries them is screened, sealed and marked."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from crisis.alerts.models import RiskAlert
from crisis.ownership.actions import claim_alert
from crisis.risk.models import Evidence
from patients.sessions.messages import Message
from patients.sessions.models import Session, SessionFeature
from patients.sessions.observations import DailyCheckIn
from tests import makers
from tests.api.conftest import TIER_A, Api, item, message, results
from tests.cast import Cast

pytestmark = pytest.mark.django_db


def test_words_of_the_assistant_are_sealed_and_never_evidence(api: Api, cast: Cast) -> None:
    answer = api.send(
        message(cast.patient, TIER_A, role="assistant"), message(cast.patient, TIER_A, role="staff")
    )
    assert results(answer) == ["stored", "stored"]
    assert Evidence.objects.count() == 0
    assert RiskAlert.objects.count() == 0


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("checkin", {"date": "2026-11-20", "notes": TIER_A}),
        ("activity", {"session": "s", "activity_type": "journal", "data": {"page": [TIER_A]}}),
        ("feedback", {"session": "s", "text": TIER_A}),
        ("feedback", {"session": "s", "mental_effects": [TIER_A]}),
        ("transcript", {"session": "s", "text": TIER_A}),
        ("session_ended", {"session": "s", "metrics": {"note": TIER_A}}),
        ("session_ended", {"session": "s", "mood": "kill-myself-tonight"}),
        ("session_started", {"session": "s", "session_kind": "chat", "tags": ["kill_myself_tonight"]}),
        ("session_started", {"session": "s", "session_kind": "chat", "subtype": "kill.myself.tonight"}),
        (
            "session_started",
            {
                "session": "s",
                "session_kind": "neural_audio",
                "neural_audio": {"initial_state": "kill_myself_tonight"},
            },
        ),
        (
            "session_ended",
            {
                "session": "s",
                "neural_audio": {"side_effects": [{"code": "kill_myself_tonight", "severity": "severe"}]},
            },
        ),
        ("tool_action", {"tool_name": "search", "status": "started", "params": {"query": TIER_A}}),
        ("tool_action", {"tool_name": "search", "status": "started", "text": TIER_A}),
        ("rationale", {"message": "m-1", "text": TIER_A}),
        ("telemetry", {"event_type": "app.opened", "text": TIER_A}),
        ("message", {"role": "patient", "text": "hi", "metadata": {"kill-myself-tonight": 1}}),
        ("checkin", {"date": "2026-11-20", TIER_A: 1}),
    ],
)
def test_whatever_carries_the_persons_words_is_screened(
    api: Api, cast: Cast, kind: str, values: dict[str, Any]
) -> None:
    answer = api.send(item(kind, cast.patient, **values))
    assert results(answer) == ["stored"]
    assert "support" in answer.json()["items"][0]
    assert RiskAlert.objects.get(kind="self_harm").level == "critical"


@pytest.mark.parametrize("member", ["kind", "id", "at", "session", "language"])
def test_words_in_a_member_that_holds_none_are_screened_and_answered(
    api: Api, cast: Cast, member: str
) -> None:
    answer = api.send({**message(cast.patient, "hi"), member: TIER_A})
    assert results(answer) == ["rejected"]
    assert "support" in answer.json()["items"][0]
    assert RiskAlert.objects.get(kind="self_harm").level == "critical"


def test_whatever_is_refused_is_answered_with_support_but_plain_telemetry(api: Api, cast: Cast) -> None:
    who = cast.patient
    answer = api.send(
        item("voice_features", who, session="s", pitch_mean=-1),
        item("checkin", who, date="soon"),
        item("telemetry", who, event_type="two words"),
        item("telemetry", who),
    )
    assert results(answer) == ["rejected"] * 4
    assert ["support" in one for one in answer.json()["items"]] == [True, True, True, False]


def test_what_the_service_says_about_the_person_is_never_evidence(api: Api, cast: Cast) -> None:
    answer = api.send(
        message(cast.patient, service_context={"note": TIER_A}, safety_analysis={"seen": TIER_A}),
        item("activity", cast.patient, session="s", activity_type="x", ai_analysis={"seen": TIER_A}),
    )
    assert results(answer) == ["stored", "stored"]
    assert Evidence.objects.count() == 0


def test_a_replaced_character_is_flagged_and_the_words_are_screened(api: Api, cast: Cast) -> None:
    text = b"leo nitajiua\\u0000 nimeandaa kamba"
    body = b'{"items": [{"id": "n-1", "kind": "message", "patient": "%s", "role": "patient", "text": "%s"}]}'
    answer = api.post("intake", body % (cast.patient.anonymous_id.encode(), text))
    assert results(answer) == ["stored"]
    assert answer.json()["items"][0]["notes"] == ["characters_replaced"]
    row = Message.objects.get()
    assert row.replaced_chars == 1
    assert "\ufffd" in makers.opened(row, "content")
    assert RiskAlert.objects.filter(kind="self_harm", level="critical").exists()


def test_what_identifies_a_person_is_marked(api: Api, cast: Cast) -> None:
    answer = api.send(message(cast.patient, "nipigie 0712 345 678"), message(cast.patient))
    flags = [Message.objects.get(pk=one["record"]).pii_present for one in answer.json()["items"]]
    assert flags == [True, False]
    beside = api.send(message(cast.patient, metadata={"call": "0712 345 678"}))
    assert Message.objects.get(pk=beside.json()["items"][0]["record"]).pii_present


def test_a_third_persons_danger_makes_a_task(api: Api, cast: Cast) -> None:
    from crisis.reviews.models import ReviewItem

    answer = api.send(message(cast.patient, "rafiki yangu anataka kujiua"))
    assert results(answer) == ["stored"]
    assert ReviewItem.objects.filter(patient=cast.patient, reason_code="third_party_concern").exists()


def test_being_fine_is_courtesy_in_the_first_two_turns_and_a_deflection_later(api: Api, cast: Cast) -> None:
    def deflections() -> int:
        return Evidence.objects.filter(code="DEFLECTION").count()

    api.send(message(cast.patient, "Niko sawa"), message(cast.patient, "Niko sawa"))
    assert deflections() == 0
    api.send(message(cast.patient, "Niko sawa"))
    assert deflections() == 1
    api.send(message(cast.patient, "Niko sawa", session="another"))
    assert deflections() == 1
    session = Session.objects.get(client_ref="chat-1")
    assert SessionFeature.objects.get(session=session).deflection_codes != []


def test_whoever_has_an_alert_by_the_words_of_a_day_opens_them_the_second_of_the_day_too(
    api: Api, cast: Cast
) -> None:
    cast.on_duty()
    for words, sent in (("mbuyuni1", 1), ("mbuyuni2", 2)):
        told = item("checkin", cast.patient, date="2026-11-20", notes=f"{TIER_A} {words}")
        assert results(api.send(told)) == ["stored"]
        makers.scope_all()
        (day,) = DailyCheckIn.objects.filter(patient=cast.patient)
        sources = set(Evidence.objects.filter(source_type="check_in").values_list("source_id", flat=True))
        assert sources == {day.pk}, sent
    alert = RiskAlert.objects.get(kind="self_harm")
    claim_alert(actor=makers.staff(cast.cleo), alert_id=alert.pk)
    page = makers.client_of(cast.cleo).get(reverse("crisis:alert_source", args=[alert.pk, day.pk]))
    makers.scope_all()
    assert page.status_code == 200
    assert "mbuyuni2" in page.content.decode()
