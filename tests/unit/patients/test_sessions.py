"""What apps send is stored whole, in any order, sealed, and marked."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from cortex.crypto.errors import NoAccessContext
from patients.codes import SessionStatus
from patients.registry.models import Patient
from patients.registry.person import LastLocation
from patients.sessions.merging import apply, new_session
from patients.sessions.messages import AssistantRationale, Message
from patients.sessions.models import Session, SessionActivity, SessionFeature, SessionFeedback, VoiceSession
from patients.sessions.neural import NeuralAudioDetail
from patients.sessions.observations import DailyCheckIn, EmotionObservation
from patients.sessions.queries import PROGRESS, progress_summary
from patients.sessions.records import (
    ActivityData,
    Batch,
    CheckInData,
    EmotionData,
    FeatureData,
    FeedbackData,
    LocationData,
    MessageData,
    NeuralData,
    RationaleData,
    SessionData,
    ToolActionData,
    VoiceData,
    is_coded,
)
from tests import makers

pytestmark = pytest.mark.django_db
NOW = makers.now()
HOUR = timedelta(hours=1)


@pytest.fixture
def patient() -> Patient:
    return makers.make_patient()


def common(patient: Patient) -> dict[str, Any]:
    return {"patient_id": patient.pk, "organization_id": patient.organization_id, "received_at": NOW}


def put(patient: Patient, *sessions: SessionData, **kinds: Any) -> dict[Any, Session]:
    actor = makers.machine(patient.organization_id)
    return makers.store(actor=actor, patient=patient, sessions=list(sessions), batch=Batch(**kinds))


def told(patient: Patient, **values: Any) -> SessionData:
    return SessionData(**common(patient), client_ref="walk-1", **values)


PARTS: list[dict[str, Any]] = [
    {"kind": "voice_checkin", "channel": "voice_app", "started_at": NOW - 3 * HOUR},
    {"kind": "chat", "seen_at": NOW - 2 * HOUR},
    {"status": "completed", "ended_at": NOW - HOUR},
]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("apart", [True, False])
def test_a_session_told_in_any_order_is_the_same_session(
    patient: Patient, order: tuple[int, ...], apart: bool
) -> None:
    items = [told(patient, **PARTS[number]) for number in order]
    for batch in [[item] for item in items] if apart else [items]:
        put(patient, *batch)
    row = Session.objects.get()
    assert (row.kind, row.channel, row.status) == ("voice_checkin", "voice_app", "completed")
    assert (row.started_at, row.ended_at) == (NOW - 3 * HOUR, NOW - HOUR)
    assert not row.start_is_inferred


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("said", [None, 60, 3600])
def test_a_length_is_what_an_item_said_else_from_start_to_end_whichever_came_first(
    patient: Patient, order: tuple[int, ...], said: int | None
) -> None:
    parts = [*PARTS[:2], PARTS[2] | {"duration_seconds": said}]
    for number in order:
        put(patient, told(patient, **parts[number]))
    assert Session.objects.get().duration_seconds == (said or 2 * 3600)


def test_a_length_waits_for_the_start_and_moves_with_start_and_end(patient: Patient) -> None:
    def length(**values: Any) -> int | None:
        put(patient, told(patient, kind="chat", **values))
        return Session.objects.get().duration_seconds

    assert length(seen_at=NOW - 2 * HOUR) is None
    assert length(ended_at=NOW - HOUR) is None
    assert length(started_at=NOW - 3 * HOUR) == 2 * 3600
    assert length(ended_at=NOW) == 3 * 3600
    assert length(started_at=NOW - 4 * HOUR) == 4 * 3600
    assert length(ended_at=NOW, duration_seconds=90) == 90
    assert length(started_at=NOW - 5 * HOUR) == 90


def test_a_message_alone_makes_its_session_and_moves_an_inferred_start_back(patient: Patient) -> None:
    put(patient, told(patient, kind="chat", seen_at=NOW - HOUR))
    put(patient, told(patient, kind="chat", seen_at=NOW - 2 * HOUR))
    row = Session.objects.get()
    assert (row.started_at, row.start_is_inferred, row.status) == (NOW - 2 * HOUR, True, "in_progress")


def test_a_late_start_never_reopens_what_is_over(patient: Patient) -> None:
    put(patient, told(patient, kind="chat", ended_at=NOW - HOUR, status="abandoned"))
    put(patient, told(patient, kind="chat", started_at=NOW - 2 * HOUR, status="in_progress"))
    assert Session.objects.get().status == SessionStatus.ABANDONED


def test_an_end_before_the_start_of_a_wrong_clock_still_gives_a_row(patient: Patient) -> None:
    put(patient, told(patient, kind="chat", started_at=NOW))
    put(patient, told(patient, kind="chat", ended_at=NOW - HOUR))
    row = Session.objects.get()
    assert row.ended_at == row.started_at == NOW


def test_times_of_clients_are_clamped_before_they_count(patient: Patient) -> None:
    data = told(patient, kind="chat", started_at=datetime(2001, 1, 1, tzinfo=NOW.tzinfo))
    row = new_session(data)
    apply(row, data)
    assert row.started_at == NOW - timedelta(days=60)


def test_words_are_sealed_and_open_only_in_a_context(patient: Patient) -> None:
    row = makers.make_message(patient, "kanyaga twende, nimechoka", pii_present=True, replaced_chars=2)
    fresh = Message.objects.get(pk=row.pk)
    with pytest.raises(NoAccessContext):
        _ = fresh.content
    assert makers.opened(fresh, "content") == "kanyaga twende, nimechoka"
    assert (fresh.pii_present, fresh.replaced_chars) == (True, 2)
    with connection.cursor() as cursor:
        cursor.execute("SELECT position('nimechoka'::bytea IN content) FROM patients_message")
        assert cursor.fetchone() == (0,)


def test_digests_agree_for_one_person_and_differ_between_two(patient: Patient) -> None:
    other = makers.make_patient(patient.organization)
    texts = [makers.make_message(who, "same words").content_hash for who in (patient, patient, other)]
    first, second, third = (bytes(value) for value in texts)
    assert first == second != third


def full_batch(patient: Patient, session: Session) -> Batch:
    base = common(patient)
    message = MessageData(**base, session_id=session.pk, role="assistant", content="Habari", sent_at=NOW)
    assert message.id is not None
    of_session = base | {"session_id": session.pk}
    return Batch(
        messages=[message],
        emotions=[
            EmotionData(
                **base,
                source="text",
                label="hopeless",
                confidence=0.8,
                observed_at=NOW,
                message_id=message.id,
                clinical_markers={"hopelessness": 0.7},
                valence=-1.0,
            ),
            EmotionData(**of_session, source="voice", label="sad", confidence=0.5, observed_at=NOW),
        ],
        features=[
            FeatureData(**of_session, observed_at=NOW, values={"topic_codes": ["debt"], "pitch_mean": 180.0}),
            FeatureData(**of_session, observed_at=NOW, values={"topic_codes": ["exams"], "signal_ok": True}),
        ],
        neural=[NeuralData(**of_session, values={"volume_level": 40, "side_effects": []})],
        activities=[
            ActivityData(**of_session, activity_type="breathing", started_at=NOW, activity_data={"note": "x"})
        ],
        feedback=[FeedbackData(**of_session, given_at=NOW, satisfaction_raw=4, feedback_text="good")],
        check_ins=[CheckInData(**base, date=NOW.date(), submitted_at=NOW, mood=3, notes="tired")],
        tool_actions=[
            ToolActionData(**base, tool_name="search", status="failed", started_at=NOW, error="no")
        ],
        rationales=[RationaleData(**base, message_id=message.id, policy_selected="listen")],
        locations=[LocationData(**base, place={"text": "Market"}, seen_at=NOW)],
    )


def test_a_full_batch_lands_in_its_tables(patient: Patient) -> None:
    session = makers.make_session(patient)
    batch = full_batch(patient, session)
    put(patient, **{name: getattr(batch, name) for name in batch.__dataclass_fields__})
    emotion = EmotionObservation.objects.get(source="text")
    assert (emotion.clinical_severity, emotion.is_flagged) == ("severe", True)
    assert emotion.message_id == batch.messages[0].id
    assert not EmotionObservation.objects.get(source="voice").is_flagged
    feature = SessionFeature.objects.get()
    assert (feature.topic_codes, feature.pitch_mean, feature.signal_ok) == (["debt", "exams"], 180.0, True)
    assert SessionActivity.objects.count() == SessionFeedback.objects.count() == 1
    assert NeuralAudioDetail.objects.get().volume_level == 40
    assert makers.opened(DailyCheckIn.objects.get(), "notes") == "tired"
    place = LastLocation.objects.get()
    assert place.expires_at - place.seen_at == timedelta(hours=24)
    patient.refresh_from_db()
    assert patient.last_active_at == NOW


def test_the_statements_of_a_batch_do_not_grow_with_its_items(patient: Patient) -> None:
    from django.test.utils import CaptureQueriesContext

    session = makers.make_session(patient)
    counts = []
    for size in (2, 50):
        base = common(patient) | {"session_id": session.pk, "role": "patient", "sent_at": NOW}
        messages = [MessageData(**base, content=f"number {number}") for number in range(size)]
        with CaptureQueriesContext(connection) as captured:
            put(patient, messages=messages)
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_a_second_check_in_of_a_day_corrects_what_it_names(patient: Patient) -> None:
    first = CheckInData(**common(patient), date=NOW.date(), submitted_at=NOW - HOUR, mood=3, notes="tired")
    put(patient, check_ins=[first])
    put(patient, check_ins=[replace(first, submitted_at=NOW, mood=6, notes=None, sleep_quality=8)])
    row = DailyCheckIn.objects.get()
    assert (row.mood, row.sleep_quality, row.submitted_at) == (6, 8, NOW)
    assert makers.opened(row, "notes") == "tired"


def test_a_second_rationale_of_a_message_and_an_older_place_are_ignored(patient: Patient) -> None:
    message = makers.make_message(patient, "hello")
    first = RationaleData(**common(patient), message_id=message.pk, policy_selected="listen")
    put(patient, rationales=[first])
    put(
        patient, rationales=[RationaleData(**common(patient), message_id=message.pk, policy_selected="other")]
    )
    assert AssistantRationale.objects.get().policy_selected == "listen"
    put(patient, locations=[LocationData(**common(patient), place={"text": "new"}, seen_at=NOW)])
    put(patient, locations=[LocationData(**common(patient), place={"text": "old"}, seen_at=NOW - HOUR)])
    assert makers.opened(LastLocation.objects.get(), "place") == {"text": "new"}


def test_features_refuse_a_name_that_they_do_not_have(patient: Patient) -> None:
    session = makers.make_session(patient)
    stranger = FeatureData(
        **common(patient), session_id=session.pk, observed_at=NOW, values={"transcript": "x"}
    )
    with pytest.raises(ValueError, match="transcript"):
        put(patient, features=[stranger])


@pytest.mark.parametrize("together", [True, False])
def test_maps_of_a_voice_are_joined_and_the_later_value_holds(patient: Patient, together: bool) -> None:
    session = makers.make_session(patient, kind="voice_checkin")
    base = common(patient) | {"session_id": session.pk, "started_at": NOW}
    first = VoiceData(**base, voice_features={"jitter": 0.1, "shimmer": 0.2}, transcript="Leo nimechoka")
    second = VoiceData(**base, voice_features={"shimmer": 0.3, "hnr": 12})
    for voices in [[first, second]] if together else [[first], [second]]:
        put(patient, voices=voices)
    row = VoiceSession.objects.get()
    assert makers.opened(row, "voice_features") == {"jitter": 0.1, "shimmer": 0.3, "hnr": 12}
    assert makers.opened(row, "transcript_encrypted") == "Leo nimechoka"


def test_a_map_of_a_voice_that_can_t_be_read_makes_way_for_the_next(patient: Patient) -> None:
    session = makers.make_session(patient, kind="voice_checkin")
    base = common(patient) | {"session_id": session.pk, "started_at": NOW}
    put(patient, voices=[VoiceData(**base, voice_features={"jitter": 0.1}, transcript="Leo nimechoka")])
    with connection.cursor() as cursor:
        cursor.execute("UPDATE patients_voicesession SET voice_features = transcript_encrypted")
    put(patient, voices=[VoiceData(**base, voice_features={"hnr": 12})])
    assert makers.opened(VoiceSession.objects.get(), "voice_features") == {"hnr": 12}


def test_settings_refuse_a_name_that_they_do_not_have(patient: Patient) -> None:
    session = makers.make_session(patient, kind="neural_audio")
    stranger = NeuralData(**common(patient), session_id=session.pk, values={"patient_id": patient.pk})
    with pytest.raises(ValueError, match="patient_id"):
        put(patient, neural=[stranger])


def test_progress_counts_each_thing_once_and_never_averages_across_scales(patient: Patient) -> None:
    sessions = [makers.make_session(patient) for _ in range(3)]
    base = common(patient) | {"given_at": NOW}
    answers = [(5, 5), (1, 10), (10, 10)]
    feedback = [
        FeedbackData(**base, session_id=sessions[0].pk, effectiveness_raw=raw, effectiveness_scale=scale)
        for raw, scale in answers
    ]
    days = [NOW.date() - timedelta(days=number) for number in range(3)]
    check_ins = [
        CheckInData(**common(patient), date=day, submitted_at=NOW, sleep_quality=quality)
        for day, quality in zip(days, (4, 8, 1), strict=True)
    ]
    put(patient, feedback=feedback, check_ins=check_ins)
    found = progress_summary(patient.pk, [patient.pk], NOW - 24 * HOUR, days[1]).get()
    summary = dict(zip(PROGRESS, found, strict=True))
    assert summary.pop("avg_effectiveness") == pytest.approx((5 + 1 + 5) / 3)
    assert summary == {"total_sessions": 3, "avg_sleep_quality": 6.0, "avg_focus_score": None}


def test_what_is_said_of_a_session_of_the_person_s_own_is_in_no_mean(patient: Patient) -> None:
    own = makers.make_session(patient, kind="self_guided")
    said = FeedbackData(
        **common(patient), given_at=NOW, session_id=own.pk, effectiveness_raw=2, effectiveness_scale=5
    )
    put(patient, feedback=[said])

    def helped() -> float | None:
        row = progress_summary(patient.pk, [patient.pk], NOW - 24 * HOUR, NOW.date()).get()
        found: float | None = dict(zip(PROGRESS, row, strict=True))["avg_effectiveness"]
        return found

    assert helped() is None
    type(own).objects.filter(pk=own.pk).update(is_shared=True)
    assert helped() == 2


CODED = [{"a": 1, "b": [True, None, "en", 2.5]}, "sw", [], {"nest": {"deep": {"code": "x"}}}]
PROSE = [
    "I am here",
    {"a": "two words"},
    {"spaced key": 1},
    ["ok", "no way"],
    {"a": {"b": {"c": {"d": ["e"]}}}},
]


@pytest.mark.parametrize("value", CODED)
def test_codes_numbers_and_flags_are_coded(value: Any) -> None:
    assert is_coded(value)


@pytest.mark.parametrize("value", PROSE)
def test_prose_and_deep_nests_are_not_coded(value: Any) -> None:
    assert not is_coded(value)
