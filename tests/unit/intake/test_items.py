"""Reading items: each stands alone, a refusal names its place, refused items still give up their words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crisis.intake.items import Item, read_items
from crisis.intake.kinds import KINDS
from crisis.intake.screening import spoken

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
WHOLE: dict[str, dict[str, Any]] = {
    "session_started": {
        "session": "s",
        "session_kind": "chat",
        "channel": "chat",
        "mood": "sad",
        "tags": ["evening"],
    },
    "session_ended": {"session": "s", "status": "completed", "duration_seconds": 60},
    "message": {
        "session": "s",
        "role": "patient",
        "text": "Habari",
        "language": "sw",
        "metadata": {"client": "ios"},
    },
    "transcript": {"session": "s", "text": "Leo nimechoka", "language": "sw"},
    "emotion": {
        "session": "s",
        "source": "voice",
        "label": "sad",
        "confidence": 0.7,
        "plutchik": {"sadness": 0.4},
    },
    "voice_features": {"session": "s", "pitch_mean": 180.5, "pause_ratio": 0.2, "topic_codes": ["exams"]},
    "activity": {"session": "s", "activity_type": "breathing", "outcome_score": 0.6, "text": "It helped"},
    "feedback": {"session": "s", "satisfaction": 4, "effectiveness": 7, "text": "Nice"},
    "checkin": {"date": "2026-11-20", "mood": 6, "notes": "Slept well"},
    "consent": {"consent_type": "treatment", "granted": True, "expires_at": "2027-01-01T00:00:00Z"},
    "tool_action": {"tool_name": "breathing_timer", "status": "succeeded", "params": {"minutes": 3}},
    "rationale": {"message": "m-1", "policy_selected": "listen", "selected_tools": ["timer"]},
    "telemetry": {"event_type": "app.opened", "event_data": {"cold": True}, "app_version": "2.1.0"},
    "sos": {"button": "talk"},
}


def read(raw: Any, **more: Any) -> Item:
    return read_items([raw], NOW, **more)[0]


def whole(kind: str, /, **values: Any) -> dict[str, Any]:
    return {
        "id": "i-1",
        "kind": kind,
        "patient": "CX-1",
        "at": "2026-11-21T02:59:00Z",
        **WHOLE[kind],
        **values,
    }


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_an_item_of_each_kind_is_read(kind: str) -> None:
    item = read(whole(kind))
    assert item.refusal is None
    assert (item.id, item.kind, item.pseudonym) == ("i-1", kind, "CX-1")
    assert item.ignored == ()


def test_every_kind_has_an_example_here() -> None:
    assert set(WHOLE) == set(KINDS)


REFUSED = [
    ("message", {"id": None}, "missing", "/id"),
    ("message", {"id": "a b"}, "not_a_name", "/id"),
    ("message", {"id": 7}, "wrong_type", "/id"),
    ("message", {"kind": "mesage"}, "unknown_kind", "/kind"),
    ("message", {"kind": None}, "missing", "/kind"),
    ("message", {"kind": ["message"]}, "unknown_kind", "/kind"),
    ("message", {"patient": {"name": "x"}}, "wrong_type", "/patient"),
    ("message", {"at": "yesterday"}, "not_a_time", "/at"),
    ("message", {"at": 1763690000}, "wrong_type", "/at"),
    ("message", {"at": "0001-01-01T00:00:00+14:00"}, "not_a_time", "/at"),
    ("message", {"at": "2026-13-01T00:00:00Z"}, "not_a_time", "/at"),
    ("message", {"role": "user"}, "not_a_choice", "/role"),
    ("message", {"text": ""}, "empty", "/text"),
    ("message", {"text": "x" * 20_001}, "too_long", "/text"),
    ("message", {"text": ["a"]}, "wrong_type", "/text"),
    ("message", {"session": "a session"}, "not_a_name", "/session"),
    ("message", {"performance": {"note": "two words"}}, "words_not_allowed", "/performance/note"),
    ("message", {"language": "abcdefgh-abcdefgh"}, "not_a_language", "/language"),
    ("consent", {"language": "en-abcdefgh-12345"}, "not_a_language", "/language"),
    ("voice_features", {"pitch_mean": "high"}, "wrong_type", "/pitch_mean"),
    ("voice_features", {"pitch_mean": True}, "wrong_type", "/pitch_mean"),
    ("voice_features", {"pause_ratio": 1.5}, "out_of_range", "/pause_ratio"),
    ("voice_features", {"topic_codes": ["ok", "not a code"]}, "not_a_code", "/topic_codes/1"),
    ("emotion", {"label": "joyful"}, "not_a_choice", "/label"),
    ("emotion", {"label": "trust"}, "not_a_choice", "/label"),
    ("emotion", {"message": "m-1"}, "one_of_session_and_message", "/session"),
    ("emotion", {"confidence": 2}, "out_of_range", "/confidence"),
    ("emotion", {"plutchik": {"joy": 3}}, "out_of_range", "/plutchik/joy"),
    ("emotion", {"plutchik": {"bliss": 1}}, "unknown_key", "/plutchik"),
    ("feedback", {"satisfaction": 6}, "out_of_range", "/satisfaction"),
    ("feedback", {"effectiveness": 7, "effectiveness_scale": "1-5"}, "out_of_range", "/effectiveness"),
    ("checkin", {"date": "2026-02-30"}, "not_a_day", "/date"),
    ("checkin", {"mood": 0}, "out_of_range", "/mood"),
    ("checkin", {"mood": 5.5}, "wrong_type", "/mood"),
    ("session_started", {"neural_audio": {"volume_level": 40}}, "wrong_session_kind", "/neural_audio"),
    ("session_ended", {"neural_audio": 14}, "wrong_type", "/neural_audio"),
    ("session_ended", {"neural_audio": [{"volume_level": 40}]}, "wrong_type", "/neural_audio"),
    ("session_ended", {"neural_audio": {"loudness": 40}}, "unknown_key", "/neural_audio/loudness"),
    ("session_ended", {"neural_audio": {"volume_level": 101}}, "out_of_range", "/neural_audio/volume_level"),
    ("session_ended", {"neural_audio": {"volume_level": -1}}, "out_of_range", "/neural_audio/volume_level"),
    ("session_ended", {"neural_audio": {"volume_level": 4.5}}, "wrong_type", "/neural_audio/volume_level"),
    ("session_ended", {"neural_audio": {"volume_level": True}}, "wrong_type", "/neural_audio/volume_level"),
    (
        "session_ended",
        {"neural_audio": {"base_frequency_hz": -0.1}},
        "out_of_range",
        "/neural_audio/base_frequency_hz",
    ),
    (
        "session_ended",
        {"neural_audio": {"target_frequency_hz": 1000.5}},
        "out_of_range",
        "/neural_audio/target_frequency_hz",
    ),
    (
        "session_ended",
        {"neural_audio": {"target_frequency_hz": float("nan")}},
        "out_of_range",
        "/neural_audio/target_frequency_hz",
    ),
    (
        "session_ended",
        {"neural_audio": {"target_frequency_hz": "10 Hz"}},
        "wrong_type",
        "/neural_audio/target_frequency_hz",
    ),
    (
        "session_ended",
        {"neural_audio": {"target_state": "quite calm"}},
        "not_a_code",
        "/neural_audio/target_state",
    ),
    (
        "session_ended",
        {"neural_audio": {"initial_state": "x" * 65}},
        "not_a_code",
        "/neural_audio/initial_state",
    ),
    (
        "session_ended",
        {"neural_audio": {"side_effects": {"headache": "mild"}}},
        "wrong_type",
        "/neural_audio/side_effects",
    ),
    (
        "session_ended",
        {"neural_audio": {"side_effects": [{"code": "headache"}]}},
        "missing",
        "/neural_audio/side_effects/0/severity",
    ),
    (
        "session_ended",
        {"neural_audio": {"side_effects": [{"severity": "mild", "code": "headache"}, {"severity": "mild"}]}},
        "missing",
        "/neural_audio/side_effects/1/code",
    ),
    (
        "session_ended",
        {"neural_audio": {"side_effects": [{"code": "headache", "severity": "bad"}]}},
        "not_a_choice",
        "/neural_audio/side_effects/0/severity",
    ),
    (
        "session_ended",
        {"neural_audio": {"side_effects": [{"code": "headache", "severity": "mild", "since": 3}]}},
        "unknown_key",
        "/neural_audio/side_effects/0/since",
    ),
    (
        "session_ended",
        {"neural_audio": {"side_effects": [{"code": "headache", "severity": "mild"}] * 21}},
        "too_many",
        "/neural_audio/side_effects",
    ),
    ("consent", {"consent_type": "everything"}, "not_a_choice", "/consent_type"),
    ("consent", {"granted": "yes"}, "wrong_type", "/granted"),
    ("consent", {"expires_at": "2026-11-21T02:58:00Z"}, "before_start", "/expires_at"),
    ("activity", {"completed_at": "2026-11-21T02:00:00Z"}, "before_start", "/completed_at"),
    ("telemetry", {"event_data": {"screen": "I feel bad"}}, "words_not_allowed", "/event_data/screen"),
    (
        "telemetry",
        {"event_data": {"a": {"b": {"c": {"d": {"e": 1}}}}}},
        "too_many_members",
        "/event_data/a/b/c/d",
    ),
]


@pytest.mark.parametrize(
    ("kind", "values", "reason", "place"), REFUSED, ids=[f"{r[0]}-{r[2]}-{n}" for n, r in enumerate(REFUSED)]
)
def test_a_wrong_member_is_refused_with_its_place(
    kind: str, values: dict[str, Any], reason: str, place: str
) -> None:
    refusal = read(whole(kind, **values)).refusal
    assert refusal is not None
    assert (refusal.reason, refusal.field) == (reason, place)


@pytest.mark.parametrize(
    "values", [row[1] for row in REFUSED if row[0] == "message" and "text" not in row[1]]
)
def test_a_refused_message_still_gives_up_its_words(values: dict[str, Any]) -> None:
    assert "nitajiua leo" in read(whole("message", **({"text": "nitajiua leo"} | values))).words


@pytest.mark.parametrize(
    "raw", ["nitajiua leo", ["x", {"y": "nitajiua leo"}], {"text": {"a": ["nitajiua leo"]}}]
)
def test_words_are_found_wherever_they_stand_in_a_refused_item(raw: Any) -> None:
    item = read(raw)
    assert item.refusal is not None
    assert "nitajiua leo" in item.words


def test_words_of_the_assistant_and_of_staff_are_never_evidence() -> None:
    for role in ("assistant", "staff"):
        assert read(whole("message", role=role, at="broken", text="nitajiua leo")).words == ()
        assert read(whole("message", role=role, text="nitajiua leo")).words == ()


def test_every_text_of_the_person_is_to_be_screened_whatever_carries_it() -> None:
    assert read(whole("activity", text=None, data={"entries": [{"line": "one two"}]})).words == ("one two",)
    assert set(read(whole("feedback", physical_effects=["head hurts"])).words) == {"Nice", "head hurts"}
    assert "odd place" in read(whole("message", txet="odd place")).words
    assert "client ios" in read(whole("message", metadata={"x": "client ios"})).words


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("session_started", {"mood": "want-to-die"}),
        ("session_started", {"subtype": "want-to-die"}),
        ("session_started", {"tags": ["want-to-die"]}),
        ("session_ended", {"mood": "want-to-die"}),
        ("session_ended", {"neural_audio": {"initial_state": "want-to-die"}}),
        ("session_ended", {"neural_audio": {"side_effects": [{"code": "want_to_die", "severity": "mild"}]}}),
        ("session_ended", {"neural_audio": {"loudness": "want-to-die"}}),
        ("tool_action", {"params": {"query": "want-to-die"}}),
        ("telemetry", {"text": "want-to-die"}),
        ("rationale", {"text": "want-to-die"}),
        ("message", {"metadata": {"want-to-die": True}}),
        ("sos", {"id": "want to die"}),
        ("sos", {"note": "want to die", "id": "a b"}),
    ],
)
def test_even_a_code_or_a_name_can_be_a_cry_for_help(kind: str, values: dict[str, Any]) -> None:
    assert "want to die" in {spoken(text) for text in read(whole(kind, **values)).words}


@pytest.mark.parametrize("member", ["id", "kind", "patient", "at"])
def test_words_in_a_members_place_are_found(member: str) -> None:
    assert "nitajiua leo" in read(whole("message", **{member: "nitajiua leo"})).words
    assert "nitajiua leo" in read(whole("message", **{member: "nitajiua leo"}), own=("CX-1",)).words


def test_what_the_service_says_is_never_the_persons() -> None:
    theirs = {"service_context": {"x": "one two"}, "safety_analysis": {"x": "one two"}}
    assert "one two" not in read(whole("message", **theirs)).words
    assert "one two" not in read(whole("message", role="user", **theirs)).words
    assert read(whole("activity", ai_analysis={"x": "one two"})).words == ("It helped",)


def test_a_name_of_a_member_is_no_words() -> None:
    assert read(whole("session_ended", metrics={"heart_rate": 70})).carries_words is False
    assert read(whole("checkin", notes=None, metrics={"steps": 70})).carries_words is False


def test_how_neural_audio_was_set_is_read_in_one_order_and_null_says_nothing() -> None:
    given = {"side_effects": [{"severity": "mild", "code": "dizzy"}], "target_state": None, "volume_level": 0}
    read_as = read(whole("session_started", session_kind="neural_audio", neural_audio=given))
    assert read_as.refusal is None and read_as.ignored == ()
    settings = read_as.values["neural_audio"]
    assert settings == {"volume_level": 0, "side_effects": [{"code": "dizzy", "severity": "mild"}]}
    assert list(settings["side_effects"][0]) == ["code", "severity"]
    assert set(read_as.words) >= {"dizzy"}


@pytest.mark.parametrize("nothing", [None, {}, {"volume_level": None}])
def test_settings_that_say_nothing_fit_any_session(nothing: Any) -> None:
    assert read(whole("session_started", neural_audio=nothing)).refusal is None


def test_numbers_alone_are_no_words() -> None:
    assert not read(whole("session_ended", neural_audio={"base_frequency_hz": 14})).carries_words


def test_times_are_clamped_and_the_sent_time_is_kept() -> None:
    late = read(whole("message", at="2025-01-01T00:00:00Z"))
    assert late.at == NOW - timedelta(days=60)
    assert late.sent_at == datetime(2025, 1, 1, tzinfo=UTC)
    early = read(whole("message", at="2026-11-21T05:00:00Z"))
    assert early.at == NOW + timedelta(minutes=5)
    naive = read(whole("message", at="2026-11-21T02:00:00"))
    assert naive.at == datetime(2026, 11, 21, 2, tzinfo=UTC)
    assert read(whole("message", at=None)).at == NOW


@pytest.mark.parametrize(
    "values", [{"button": None}, {"button": 7}, {"button": "help!"}, {"id": None}, {"at": "x"}, {"z": {}}]
)
def test_a_button_is_always_read_and_unreadable_means_danger(values: dict[str, Any]) -> None:
    item = read(whole("sos", **values))
    assert item.refusal is None
    assert item.button == ("in_danger" if "button" in values else "talk")


def test_a_patients_own_device_names_nobody_else() -> None:
    own = ("CX-1", "CX-9")
    assert read(whole("message"), own=own).refusal is None
    assert read({**whole("message"), "patient": None}, own=own).pseudonym == "CX-1"
    assert read(whole("message", patient="CX-9"), own=own).pseudonym == "CX-1"
    refused = read(whole("message", patient="CX-2", text="nitajiua leo"), own=own)
    assert refused.refusal is not None and refused.refusal.reason == "wrong_patient"
    assert refused.pseudonym == "CX-1" and "nitajiua leo" in refused.words


def test_repaired_characters_are_counted_per_item() -> None:
    items = read_items(
        [whole("message"), whole("message")], NOW, {"/items/1/text", "/items/1/metadata/x", "/other"}
    )
    assert [item.replaced for item in items] == [0, 2]


def test_unknown_members_are_noted_not_refused() -> None:
    assert read(whole("message", client_build="77")).ignored == ("client_build",)
