"""What people allow: without it nothing of theirs is read; a withdrawal holds from the moment it arrives."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cortex.audit.models import AuditLog
from cortex.keys.models import SubjectKey
from crisis.alerts.models import RiskAlert
from crisis.risk.models import Evidence
from patients.privacy.models import Consent
from patients.privacy.queries import has_consent
from patients.registry.models import Patient
from patients.sessions.messages import Message
from patients.sessions.models import Session, SessionFeature, VoiceSession
from patients.sessions.observations import EmotionObservation
from tests import makers
from tests.api.conftest import TIER_A, Api, ago, item, message, results
from tests.cast import Cast

pytestmark = pytest.mark.django_db


def test_order_per_patient_is_kept_for_consents(api: Api, cast: Cast) -> None:
    who = cast.patient
    answer = api.send(
        message(who),
        item("consent", who, consent_type="treatment", granted=False),
        message(who, TIER_A),
        item("consent", who, consent_type="treatment", granted=True),
        message(who),
    )
    assert results(answer) == ["stored", "stored", "rejected", "stored", "stored"]
    refused = answer.json()["items"][2]
    assert refused["reason"] == "no_consent" and "support" in refused
    assert Evidence.objects.count() == 0


def test_an_older_decision_that_arrives_late_changes_nothing(api: Api, cast: Cast) -> None:
    who = cast.patient
    assert results(
        api.send(item("consent", who, consent_type="treatment", granted=False, at=ago(minutes=5)))
    ) == ["stored"]
    assert results(
        api.send(item("consent", who, consent_type="treatment", granted=True, at=ago(minutes=30)))
    ) == ["stored"]
    assert results(api.send(message(who))) == ["rejected"]


@pytest.mark.parametrize(
    "kind", ["message", "checkin", "activity", "feedback", "transcript", "tool_action", "rationale"]
)
def test_without_treatment_consent_words_are_neither_screened_nor_stored(
    api: Api, cast: Cast, kind: str
) -> None:
    who = makers.make_patient(cast.home, consents=["voice_processing"])
    values: dict[str, Any] = {
        "message": {"role": "patient", "text": TIER_A},
        "checkin": {"date": "2026-11-20", "notes": TIER_A},
        "activity": {"session": "s", "activity_type": "x", "text": TIER_A},
        "feedback": {"session": "s", "text": TIER_A},
        "transcript": {"session": "s", "text": TIER_A},
        "tool_action": {"tool_name": "x", "status": "started"},
        "rationale": {"message": "m-1"},
    }
    answer = api.send(item(kind, who, **values[kind]))
    assert results(answer) == ["rejected"]
    assert answer.json()["items"][0]["reason"] == "no_consent"
    assert answer.json()["items"][0]["support"]["emergency_number"]
    assert Evidence.objects.count() == RiskAlert.objects.count() == Message.objects.count() == 0
    assert Session.objects.filter(patient=who).count() == 0


@pytest.mark.parametrize("kind", ["transcript", "voice_features"])
def test_without_voice_consent_the_same_holds_for_voice(api: Api, cast: Cast, kind: str) -> None:
    who = makers.make_patient(cast.home, consents=["treatment"])
    values = {"text": TIER_A} if kind == "transcript" else {"pitch_mean": 200}
    answer = api.send(item(kind, who, session="s", **values), message(who))
    assert results(answer) == ["rejected", "stored"]
    assert answer.json()["items"][0]["reason"] == "no_consent"
    assert VoiceSession.objects.count() == Evidence.objects.count() == 0


def test_a_bad_member_does_not_go_round_the_consent(api: Api, cast: Cast) -> None:
    who = makers.make_patient(cast.home, consents=["treatment"])
    answer = api.send(
        item("transcript", who, session="s", text=TIER_A, language="Kiswahili sanifu"),
        item("transcript", who, session="a session", text=TIER_A),
        item("transcript", who, session="s", text=TIER_A, at="soon"),
        item("voice_features", who, session="s", pitch_mean=TIER_A),
    )
    assert results(answer) == ["rejected"] * 4
    assert {one["reason"] for one in answer.json()["items"]} == {"no_consent"}
    assert all("support" in one for one in answer.json()["items"])
    assert Evidence.objects.count() == RiskAlert.objects.count() == VoiceSession.objects.count() == 0


@pytest.mark.parametrize("slow", [1, 10, 600])
def test_a_withdrawal_holds_at_once_whatever_its_clock_says(api: Api, cast: Cast, slow: int) -> None:
    who = makers.make_patient(cast.home, consents=["treatment", "voice_processing"], at=makers.now())
    withdrawn = item("consent", who, consent_type="treatment", granted=False, at=ago(minutes=slow))
    assert results(api.send(withdrawn, message(who, TIER_A))) == ["stored", "rejected"]
    assert results(api.send(message(who, TIER_A))) == ["rejected"]
    assert not has_consent(who.pk, "treatment", makers.now())
    assert Evidence.objects.count() == 0
    row = Consent.objects.get(patient=who, consent_type="treatment", granted=False)
    assert row.recorded_at - row.said_at >= timedelta(minutes=slow)


def test_one_clock_tells_the_order_of_its_own_decisions(api: Api, cast: Cast) -> None:
    who = makers.make_patient(cast.home, consents=[])

    def said(granted: bool, minutes: int) -> dict[str, Any]:
        return item("consent", who, consent_type="treatment", granted=granted, at=ago(minutes=minutes))

    assert results(api.send(said(False, 20), said(True, 10), message(who))) == ["stored"] * 3
    assert results(api.send(said(False, 15))) == ["stored"]
    assert results(api.send(message(who))) == ["stored"]
    assert results(api.send(said(False, 5), said(True, 7))) == ["stored"] * 2
    assert results(api.send(message(who))) == ["rejected"]


def test_an_expired_consent_counts_as_withdrawn(api: Api, cast: Cast) -> None:
    who = makers.make_patient(cast.home, consents=[])
    makers.consent(
        who,
        "treatment",
        recorded_at=makers.now() - timedelta(days=3),
        expires_at=makers.now() - timedelta(days=1),
    )
    assert results(api.send(message(who))) == ["rejected"]


def test_a_check_in_without_words_needs_no_treatment_consent(api: Api, cast: Cast) -> None:
    who = makers.make_patient(cast.home, consents=[])
    assert results(api.send(item("checkin", who, date="2026-11-20", mood=3))) == ["stored"]


def test_a_window_holds_for_the_items_after_it_and_for_later_batches(api: Api, cast: Cast) -> None:
    who = cast.patient
    late = {"from": (makers.now() + timedelta(days=2)).isoformat()}
    answer = api.send(item("consent", who, consent_type="treatment", granted=True, scope=late), message(who))
    assert results(answer) == ["stored", "rejected"]
    assert results(api.send(message(who))) == ["rejected"]
    now = {"from": ago(days=2), "to": (makers.now() + timedelta(days=1)).isoformat()}
    answer = api.send(item("consent", who, consent_type="treatment", granted=True, scope=now), message(who))
    assert results(answer) == ["stored", "stored"]


@pytest.mark.parametrize(
    ("scope", "reason", "place"),
    [
        ({"data_categories": ["everything"]}, "unknown_code", "/scope/data_categories"),
        ({"channels": ["pigeon"]}, "unknown_code", "/scope/channels"),
        ({"channels": "sms"}, "unknown_code", "/scope/channels"),
        ({"from": "soon"}, "not_a_time", "/scope/from"),
        ({"from": "2026-03-02", "to": "2026-03-01"}, "before_start", "/scope/to"),
    ],
)
def test_limits_that_nobody_knows_are_refused_with_their_place_and_hold_up_no_withdrawal(
    api: Api, cast: Cast, scope: dict[str, Any], reason: str, place: str
) -> None:
    who, before = cast.patient, Consent.objects.count()
    (answer,) = api.send(item("consent", who, consent_type="research", granted=True, scope=scope)).json()[
        "items"
    ]
    assert (answer["result"], answer["reason"]) == ("rejected", reason)
    assert place in str(answer)
    assert Consent.objects.count() == before
    taken_back = item("consent", who, consent_type="treatment", granted=False, scope=scope)
    assert results(api.send(taken_back)) == ["stored"]
    assert not has_consent(who.pk, "treatment", makers.now())


def _felt(who: Any, /, **values: Any) -> dict[str, Any]:
    read = {"session": "s", "label": "hopeless", "confidence": 0.9, "source": "voice"}
    return item("emotion", who, **read | values)


def test_a_feeling_that_is_read_from_the_voice_needs_its_consent_too(api: Api, cast: Cast) -> None:
    who = makers.make_patient(cast.home, consents=["treatment"])
    answer = api.send(
        _felt(who, prosody={"pitch_mean": 180.0}),
        _felt(who, confidence=2),
        _felt(who, source="Voice "),
        _felt(who, source="text", prosody={"pitch_mean": 180.0}),
        _felt(who, label=TIER_A),
        _felt(who, source="text"),
        _felt(who, source="self_report"),
    )
    assert results(answer) == ["rejected"] * 5 + ["stored"] * 2
    assert {one["reason"] for one in answer.json()["items"][:5]} == {"no_consent"}
    assert set(EmotionObservation.objects.values_list("source", flat=True)) == {"text", "self_report"}
    assert not Evidence.objects.filter(source_type="voice").exists()
    assert not Evidence.objects.filter(code="TEXT_A").exists()


def test_after_the_withdrawal_no_gap_is_made_of_the_voice_that_is_kept(api: Api, cast: Cast) -> None:
    who = cast.patient
    api.send(
        item("session_started", who, session="s", session_kind="chat", at=ago(minutes=5)),
        item("voice_features", who, session="s", voice_valence=-0.7, voice_confidence=0.9,
             text_valence=0.4, text_confidence=0.8),
    )  # fmt: skip
    taken_back = item("consent", who, consent_type="voice_processing", granted=False)
    courtesies = [message(who, "Niko sawa", session="s") for _ in range(3)]
    assert results(api.send(taken_back, *courtesies)) == ["stored"] * 4
    assert Evidence.objects.filter(code="DEFLECTION").exists()
    assert Evidence.objects.filter(domain="dissonance").count() == 1
    assert round(SessionFeature.objects.get(patient=who).dissonance_score or 0, 4) == 0.7778


def test_a_child_s_grant_without_a_guardian_is_refused_and_treatment_is_taken(api: Api, cast: Cast) -> None:
    Patient.objects.filter(pk=cast.patient.pk).update(age_band="under_13")
    makers.scope_all()
    who = cast.patient
    answer = api.send(
        item("consent", who, consent_type="telehealth", granted=True),
        item("consent", who, consent_type="treatment", granted=True),
        item("consent", who, consent_type="telehealth", granted=True, guardian="Her aunt"),
        item("consent", who, consent_type="telehealth", granted=False),
        message(who),
    )
    found = [(one["result"], one.get("reason"), one.get("field")) for one in answer.json()["items"]]
    assert found == [("rejected", "guardian_missing", "/guardian"), *[("stored", None, None)] * 4]
    makers.scope_all()
    assert has_consent(who.pk, "treatment", makers.now())
    child = {"language": "en", "date_of_birth": f"{makers.now().date() - timedelta(days=12 * 365)}"}
    both = [{"consent_type": kind, "granted": True} for kind in ("treatment", "telehealth")]
    # A child is put on record all the same: nobody who isn't is heard when they press the button.
    taken = api.post("patients", child | {"pseudonym": "KID-1", "consents": both}, key="c-1")
    assert taken.status_code == 201 and taken.json()["consents"] == ["treatment"]
    assert taken.json()["consents_refused"] == [{"consent_type": "telehealth", "reason": "guardian_missing"}]
    makers.scope_all()
    row = Patient.objects.get(anonymous_id=taken.json()["patient"])
    stands = [has_consent(row.pk, kind, makers.now()) for kind in ("treatment", "telehealth")]
    assert stands == [True, False] and api.send(message(row)).json()["counts"] == {"stored": 1}
    alone = api.post("patients", child | {"consents": both[:1]}, key="c-2")
    assert alone.status_code == 201 and alone.json()["consents"] == ["treatment"]
    named = api.post(
        "patients", child | {"consents": [one | {"guardian": "Her aunt"} for one in both]}, key="c-3"
    )
    assert named.status_code == 201 and named.json()["consents"] == ["telehealth", "treatment"]


def test_a_child_s_type_that_came_twice_is_named_as_recorded_and_one_key_is_made(
    api: Api, cast: Cast
) -> None:
    child: dict[str, Any] = {
        "language": "en", "date_of_birth": f"{makers.now().date() - timedelta(days=12 * 365)}",
    }  # fmt: skip
    said = {"consent_type": "telehealth", "granted": True}
    before = SubjectKey.objects.count()
    taken = api.post(
        "patients", child | {"consents": [said, said | {"guardian": "Her aunt"}]}, key="d-1"
    ).json()
    assert taken["consents"] == ["telehealth"] and "consents_refused" not in taken
    assert SubjectKey.objects.count() == before + 1
    assert "consents_refused" not in AuditLog.objects.get(event_type="patient.taken").codes
    alone = api.post("patients", child | {"consents": [said]}, key="d-2").json()
    assert alone["consents"] == [] and len(alone["consents_refused"]) == 1
    assert SubjectKey.objects.count() == before + 2, "no key of a row that never became a person"
    told = AuditLog.objects.filter(event_type="patient.taken").order_by("-pk")[0]
    assert told.codes["consents_refused"] == ["telehealth"]


@pytest.mark.parametrize("zone", ["Mars/Olympus", "Africa", "../x"])
def test_a_child_in_a_zone_that_does_not_exist_is_refused_with_its_place(
    api: Api, cast: Cast, zone: str
) -> None:
    child: dict[str, Any] = {
        "language": "en", "date_of_birth": f"{makers.now().date() - timedelta(days=12 * 365)}",
        "consents": [{"consent_type": "telehealth", "granted": True}], "timezone": zone,
    }  # fmt: skip
    before = SubjectKey.objects.count()
    answer = api.post("patients", child)
    assert (answer.status_code, answer.json()["code"]) == (422, "timezone_unknown")
    assert SubjectKey.objects.count() == before


def test_a_consent_that_would_end_in_no_year_that_can_be_read_is_refused_with_its_place(
    api: Api, cast: Cast
) -> None:
    late = item(
        "consent", cast.patient, consent_type="telehealth", granted=True, expires_at="9999-12-31T23:59:59Z"
    )
    (one,) = api.send(late).json()["items"]
    assert (one["result"], one["reason"], one["field"]) == ("rejected", "out_of_range", "/expires_at")
