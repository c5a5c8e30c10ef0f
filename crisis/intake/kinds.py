"""The kinds of items that an app may send and the members of each; what happens to them is elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from crisis.intake import fields as f
from patients.codes import VOICE_EMOTIONS, ConsentMethod, ConsentType, Emotion, MessageRole, ToolStatus
from patients.sessions.neural import MOST_HZ
from patients.sessions.severity import EFFECT_SEVERITIES

SESSION_KINDS = ("self_guided", "voice_checkin", "neural_audio", "chat")
CHANNELS = ("in_person", "video", "phone", "sms", "chat", "voice_app", "app")
BUTTONS = ("in_danger", "talk")
PLUTCHIK = ("joy", "trust", "fear", "surprise", "sadness", "disgust", "anger", "anticipation")
DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind: its members, the consent that it needs beside `treatment`, and what it means."""

    name: str
    about: str
    fields: tuple[f.Field, ...]
    needs_voice: bool = False
    is_anonymous: bool = False

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema of an item of this kind."""
        members = {field.name: field.schema for field in (*COMMON, *self.fields)}
        members["kind"] = {"type": "string", "enum": [self.name]}
        needed = ["id", "kind"] + ([] if self.is_anonymous else ["patient"])
        needed += [field.name for field in self.fields if field.required]
        return {"type": "object", "description": self.about, "properties": members, "required": needed}


COMMON = (
    f.ref("id").needed(),
    f.code("kind").needed(),
    f.ref("patient"),
    f.moment("at"),
)

_PROSODY = (
    f.number("pitch_mean", 0, 2000), f.number("pitch_std", 0, 2000), f.number("pitch_range", 0, 2000),
    f.number("energy_mean", -200, 200), f.number("energy_std", 0, 200), f.number("speech_rate", 0, 30),
    f.number("pause_ratio", 0, 1), f.number("prosody_variance", 0, 100_000),
)  # fmt: skip

# Its codes are the person's: a state or a side effect can be a cry for help.
_NEURAL = f.closed(
    "neural_audio",
    f.number("base_frequency_hz", 0, MOST_HZ), f.number("target_frequency_hz", 0, MOST_HZ),
    f.whole("volume_level", 0, 100), f.code("initial_state").spoken(), f.code("target_state").spoken(),
    f.closed_list("side_effects", 20, f.code("code").needed().spoken(),
                  f.choice("severity", EFFECT_SEVERITIES).needed()),
    about="How a session of kind `neural_audio` was set, and the side effects noted in it. A start of "
          "another kind, and an end whose start said another kind, are rejected with `wrong_session_kind`: "
          "leave it out. An end that comes before its start is taken; when the start then says another "
          "kind, that holds, and no page shows the settings. A start fills what is not known yet, an end "
          "has the last word. What the person says afterwards belongs into `feedback`.",
)  # fmt: skip


def _felt(source: str, labels: tuple[str, ...]) -> tuple[f.Field, ...]:
    return (
        f.choice(f"{source}_emotion", labels), f.number(f"{source}_confidence", 0, 1),
        f.number(f"{source}_valence", -1, 1),
    )  # fmt: skip


# A self-guided session is the person's own until they show it to their care team.
_SHARED = f.flag("shared")


_ALL = (
    Kind("session_started", "A session began.", (
        f.ref("session").needed(), f.choice("session_kind", SESSION_KINDS).needed(), f.choice("channel",
        CHANNELS),
        f.code("subtype").spoken(), f.code("mood", 32).spoken(), f.codes("tags", 20).spoken(),
        f.mapping("metrics", words=True), _SHARED, _NEURAL,
    )),
    Kind("session_ended", "A session ended.", (
        f.ref("session").needed(), f.choice("status", ("completed", "abandoned")),
        f.whole("duration_seconds", 0, DAY_SECONDS), f.code("mood", 32).spoken(),
        f.mapping("metrics", words=True), _SHARED, _NEURAL,
    )),
    Kind("message", "One utterance of a conversation; only the patient's own words are screened.", (
        f.ref("session"), f.choice("role", MessageRole.values).needed(), f.text("text").needed(),
        f.language("language"), f.mapping("metadata", words=True), f.mapping("service_context"),
        f.mapping("safety_analysis"), f.codes_only("performance"),
    )),
    Kind("transcript", "What the person said in a voice session, in one piece; leaves again within days. A "
         "second one of a session that has one is screened and rejected with `second_transcript`.", (
        f.ref("session").needed(), f.text("text", 60_000).needed(), f.language("language"),
    ), needs_voice=True),
    Kind("emotion", "An emotion read from voice or text, or stated by the person. What is read from the "
         "voice needs `voice_processing`.", (
        f.ref("session"), f.ref("message"), f.choice("source", ("voice", "text", "self_report")).needed(),
        f.choice("label", Emotion.values), f.number("valence", -1, 1), f.number("arousal", -1, 1),
        f.number("confidence", 0, 1).needed(), f.numbers("plutchik", 0, 1, PLUTCHIK),
        f.numbers("probabilities", 0, 1, Emotion.values), f.numbers("clinical_markers", 0, 1),
        f.numbers("prosody", -1e6, 1e6), f.code("model_name"), f.code("model_version", 32),
    )),
    Kind("voice_features", "Numbers of a voice session; never a recording and no voice print.", (
        f.ref("session").needed(), *_PROSODY, f.number("speech_seconds", 0, DAY_SECONDS), f.flag("signal_ok"),
        f.flag("is_ill"), f.flag("is_intoxicated"), *_felt("voice", VOICE_EMOTIONS),
        *_felt("text", tuple(Emotion.values)), *_felt("stated", tuple(Emotion.values)),
        f.codes("topic_codes"), f.codes("coping_codes"), f.flag("declined_help"), f.flag("named_feeling"),
        f.numbers("language_shares", 0, 1), f.whole("token_count", 0, 1_000_000), f.codes_only("features"),
    ), needs_voice=True),
    Kind("activity", "Something done inside a session: an exercise, an entry.", (
        f.ref("session").needed(), f.code("activity_type").needed(), f.moment("completed_at"),
        f.whole("duration_seconds", 0, DAY_SECONDS), f.number("outcome_score", 0, 1), f.text("text"),
        f.mapping("data", words=True), f.mapping("ai_analysis"),
    )),
    Kind("feedback", "What the person thought of a session.", (
        f.ref("session").needed(), f.whole("satisfaction", 1, 5), f.whole("effectiveness", 1, 10),
        f.choice("effectiveness_scale", ("1-5", "1-10")), f.text("text"), f.free("physical_effects",
        words=True),
        f.free("mental_effects", words=True),
    )),
    Kind("checkin", "The person's own numbers for one local day, with an optional note. A later one for the "
         "day corrects what it names; one that was said earlier fills what is empty. A `date` that has begun "
         "in no time zone yet is rejected with `out_of_range`.", (
        f.day("date").needed(), f.whole("mood", 1, 10), f.whole("sleep_quality", 1, 10),
        f.whole("stress_level", 1, 10),
        f.whole("focus_score", 1, 10), f.text("notes"), f.mapping("metrics", words=True),
    )),
    Kind("consent", "A consent given or withdrawn; a withdrawal holds from its arrival, whatever `at`. "
         "A grant for somebody under 18 names a `guardian`, that to `treatment` apart.", (
        f.choice("consent_type", ConsentType.values).needed(), f.flag("granted").needed(),
        f.codes_only("scope"),
        f.code("version", 32), f.language("language"), f.choice("method", ConsentMethod.values),
        f.moment("expires_at"),
        f.line("guardian"), f.code("evidence_ref"),
    )),
    Kind("tool_action", "A tool that the assistant used.", (
        f.ref("session"), f.code("tool_name").needed(), f.choice("status", ToolStatus.values).needed(),
        f.mapping("params", words=True), f.moment("finished_at"), f.line("error", 4000),
    )),
    Kind("rationale", "Why the assistant answered as it did.", (
        f.ref("message").needed(), f.code("policy_selected"), f.code("target_state"),
        f.codes("selected_tools"),
        f.free("citations"),
    )),
    Kind("telemetry", "How the app behaved: codes and numbers only, kept apart from the person.", (
        f.code("event_type").needed(), f.codes_only("event_data"), f.ref("session"), f.code("geo_region", 16),
        f.code("device_type", 40), f.code("app_version", 40), f.codes_only("performance_metrics"),
        f.codes_only("error_data"),
        f.codes("tags", 20),
    ), is_anonymous=True),
    Kind("sos", "The person pressed a button; always taken. A missing or unreadable button is `in_danger`.", (
        f.choice("button", BUTTONS),
    )),
)  # fmt: skip

KINDS: dict[str, Kind] = {kind.name: kind for kind in _ALL}
