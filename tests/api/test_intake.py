"""The batch door: per-item results, duplicates, consents, late items, and what is written."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cortex.audit.models import AuditLog
from cortex.live.models import Feed
from cortex.ops.models import TelemetryEvent
from crisis.alerts.models import AlertEvent, RiskAlert
from crisis.risk.models import Evidence, RiskAssessment
from patients.privacy.models import Consent
from patients.sessions.messages import AssistantRationale, Message, ToolAction
from patients.sessions.models import Session, SessionActivity, SessionFeature, SessionFeedback, VoiceSession
from patients.sessions.observations import DailyCheckIn, EmotionObservation
from tests import makers
from tests.api.conftest import CALM, TIER_A, Api, ago, item, message, results
from tests.cast import Cast

pytestmark = pytest.mark.django_db


def test_a_calm_message_is_sealed_and_stored_and_raises_nothing(api: Api, cast: Cast) -> None:
    answer = api.send(message(cast.patient))
    assert answer.status_code == 200
    assert results(answer) == ["stored"]
    assert "support" not in answer.json()["items"][0]
    row = Message.objects.get(pk=answer.json()["items"][0]["record"])
    assert makers.opened(row, "content") == CALM
    assert row.screened_at is not None and row.lexicon_version
    assert RiskAlert.objects.count() == 0


def test_a_tier_a_message_raises_one_critical_alert_with_row_audit_and_feed(api: Api, cast: Cast) -> None:
    cast.on_duty()
    answer = api.send(message(cast.patient, TIER_A))
    alert = RiskAlert.objects.get(kind="self_harm")
    assert (alert.level, alert.patient_id) == ("critical", cast.patient.pk)
    assert AuditLog.objects.filter(event_type="alert.raised", object_id=alert.pk).exists()
    event = AlertEvent.objects.get(alert=alert, kind="raised")
    assert Feed.objects.get(organization=cast.home).number >= event.feed_number
    assert RiskAssessment.objects.filter(patient=cast.patient).count() == 1
    assert Evidence.objects.filter(source_id=answer.json()["items"][0]["record"], code="TEXT_A").exists()
    support = answer.json()["items"][0]["support"]
    assert support["state"] == "told"
    assert support["emergency_number"] == cast.home.emergency_number


def test_without_anybody_on_duty_the_person_is_told_so(api: Api, cast: Cast) -> None:
    answer = api.send(message(cast.patient, TIER_A))
    assert answer.json()["items"][0]["support"]["state"] == "nobody_on_duty"
    assert RiskAlert.objects.filter(kind="no_cover").exists()


def test_one_record_names_the_batch(api: Api, cast: Cast) -> None:
    batch = [message(cast.patient), message(cast.patient)]
    api.send(*batch)
    row = AuditLog.objects.get(event_type="intake.taken")
    assert row.codes["items"] == [one["id"] for one in batch]
    assert row.subject == cast.patient.pk
    assert CALM not in str(row.codes)


def test_every_kind_lands_in_its_table(api: Api, cast: Cast) -> None:
    who = cast.patient
    said = message(who, session="v1", at=ago(minutes=3))
    answer = api.send(
        item(
            "session_started",
            who,
            session="v1",
            session_kind="voice_checkin",
            at=ago(minutes=5),
            tags=["night"],
        ),
        said,
        item(
            "transcript", who, session="v1", text="Leo nimechoka kidogo, piga 0712 345 678", at=ago(minutes=3)
        ),
        item("voice_features", who, session="v1", pitch_mean=180, speech_seconds=40, topic_codes=["exams"]),
        item(
            "emotion",
            who,
            session="v1",
            source="voice",
            label="sad",
            confidence=0.8,
            clinical_markers={"anxiety": 0.4},
        ),
        item("emotion", who, message=said["id"], source="text", label="neutral", confidence=0.6),
        item(
            "activity",
            who,
            session="v1",
            activity_type="breathing",
            outcome_score=0.7,
            data={"note": "nilijaribu"},
        ),
        item(
            "feedback",
            who,
            session="v1",
            satisfaction=4,
            effectiveness=4,
            effectiveness_scale="1-5",
            text="Nzuri",
        ),
        item("checkin", who, date="2026-11-20", mood=6, notes="Nimelala"),
        item("consent", who, consent_type="research", granted=True),
        item(
            "tool_action", who, session="v1", tool_name="timer", status="succeeded", params={"text": "3 min"}
        ),
        item("rationale", who, message=said["id"], policy_selected="listen", citations=[{"ref": "a b"}]),
        item("telemetry", who, event_type="app.opened", event_data={"cold": True}, tags=["beta"]),
        item("session_ended", who, session="v1", at=ago(minutes=1)),
    )
    assert answer.status_code == 200, answer.content
    assert results(answer) == ["stored"] * 14, answer.content
    session = Session.objects.get(patient=who, client_ref="v1")
    assert (session.kind, session.status) == ("voice_checkin", "completed")
    voice = VoiceSession.objects.get(session=session)
    assert voice.pii_present
    assert SessionFeature.objects.get(session=session).pitch_mean == 180
    assert EmotionObservation.objects.filter(session=session, label="sad").exists()
    assert EmotionObservation.objects.filter(message_id=answer.json()["items"][1]["record"]).exists()
    assert AssistantRationale.objects.filter(message_id=answer.json()["items"][1]["record"]).exists()
    for model in (SessionActivity, SessionFeedback, ToolAction):
        assert model.objects.filter(session=session).count() == 1
    assert DailyCheckIn.objects.get(patient=who).mood == 6
    assert Consent.objects.filter(patient=who, consent_type="research", granted=True).exists()
    event = TelemetryEvent.objects.get()
    assert who.anonymous_id not in event.user_pseudonym and str(who.pk) not in event.user_pseudonym


def test_each_item_stands_alone(api: Api, cast: Cast) -> None:
    answer = api.send(
        item("voice_features", cast.patient, session="v1", pitch_mean="high"),
        message(cast.patient, TIER_A),
        "not an item",
        message(cast.stranger),
        {"kind": "message", "role": "patient", "text": CALM},
        message(cast.patient),
    )
    assert answer.status_code == 200
    assert results(answer) == ["rejected", "stored", "rejected", "rejected", "rejected", "stored"]
    found = [(one.get("reason"), one.get("field")) for one in answer.json()["items"]]
    assert found[0] == ("wrong_type", "/pitch_mean")
    assert found[3] == ("unknown_patient", "/patient")
    assert found[4][0] == "missing"
    assert RiskAlert.objects.filter(kind="self_harm").count() == 1


def test_a_row_that_the_database_refuses_costs_no_other(api: Api, cast: Cast, monkeypatch: Any) -> None:
    from crisis.intake import actions

    real = actions.store_batch

    def choking(*, actor: Any, batch: Any) -> Any:
        if any(row.content == "choke" for row in batch.messages):
            raise ValueError("no")
        return real(actor=actor, batch=batch)

    monkeypatch.setattr(actions, "store_batch", choking)
    answer = api.send(message(cast.patient), message(cast.patient, "choke"), message(cast.patient, TIER_A))
    assert answer.status_code == 503
    assert results(answer) == ["stored", "failed", "stored"]
    failed = answer.json()["items"][1]
    assert (failed["reason"], failed["status"]) == ("could_not_store", 503)
    assert "support" in failed
    assert {alert.kind for alert in RiskAlert.objects.all()} >= {"could_not_store", "self_harm"}


def test_an_item_sent_twice_is_stored_once(api: Api, cast: Cast) -> None:
    one = message(cast.patient)
    first = api.send(one)
    second = api.send(one, one)
    assert results(second) == ["duplicate", "duplicate"]
    assert second.json()["items"][0]["record"] == first.json()["items"][0]["record"]
    both = message(cast.patient)
    assert results(api.send(both, both)) == ["stored", "duplicate"]
    assert Message.objects.count() == 2


def test_the_same_id_of_another_patient_is_another_item(api: Api, cast: Cast) -> None:
    other = makers.make_patient(cast.home)
    one = message(cast.patient)
    assert results(api.send(one, {**one, "patient": other.anonymous_id})) == ["stored", "stored"]


def test_a_rejected_item_can_be_mended_and_sent_again(api: Api, cast: Cast) -> None:
    one = message(cast.patient, role="user")
    assert results(api.send(one)) == ["rejected"]
    assert results(api.send({**one, "role": "patient"})) == ["stored"]


def test_late_and_out_of_order_items_land_right(api: Api, cast: Cast) -> None:
    who = cast.patient
    said = message(who, session="s1", at=ago(hours=2))
    assert results(
        api.send(item("emotion", who, message=said["id"], source="text", label="sad", confidence=0.9))
    ) == ["stored"]
    assert results(api.send(item("session_ended", who, session="s1", at=ago(hours=1)))) == ["stored"]
    sent = api.send(said)
    assert results(sent) == ["stored"]
    started = item("session_started", who, session="s1", session_kind="chat", at=ago(hours=3))
    assert results(api.send(started)) == ["stored"]
    session = Session.objects.get(client_ref="s1")
    assert session.status == "completed" and session.started_at < session.ended_at
    assert abs((makers.now() - session.started_at) - timedelta(hours=3)) < timedelta(minutes=1)
    record = sent.json()["items"][0]["record"]
    assert EmotionObservation.objects.get().message_id == Message.objects.get(pk=record).pk
    assert results(api.send(said)) == ["duplicate"]


def test_times_out_of_bounds_are_clamped_and_kept_beside(api: Api, cast: Cast) -> None:
    answer = api.send(
        message(cast.patient, at="2020-01-01T00:00:00Z"), message(cast.patient, TIER_A, at=ago(hours=-3))
    )
    assert results(answer) == ["stored", "stored"]
    assert answer.json()["items"][0]["notes"] == ["time_clamped"]
    first = Message.objects.get(pk=answer.json()["items"][0]["record"])
    assert first.sent_at.year == 2020
    # A clock that runs ahead must not hide the words from the engine.
    assert RiskAlert.objects.filter(kind="self_harm", level="critical").count() == 1


def test_the_batch_evaluates_each_person_once(api: Api, cast: Cast) -> None:
    other = makers.make_patient(cast.home)
    api.send(*[message(who, TIER_A) for who in (cast.patient, other) for _ in range(5)])
    assert RiskAssessment.objects.count() == 2
    assert RiskAlert.objects.filter(kind="self_harm").count() == 2
