"""The prepared rows that a door hands to the bulk writers: dataclasses and their checks, no table, no clock.

The door has parsed, screened and clamped already; `at` fields are aware UTC. `id` of the partitioned kinds is
made here from the clamped time, so that the caller can answer with it before anything is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from cortex.ids import uuid7
from patients.codes import CODE

OLDEST = timedelta(days=60)
AHEAD = timedelta(minutes=5)
JSON_DEPTH = 4
JSON_ITEMS = 200


def clamped(sent_at: datetime, received_at: datetime) -> datetime:
    """Return the sent time within 60 days back and 5 minutes ahead of when it was received."""
    return min(max(sent_at, received_at - OLDEST), received_at + AHEAD)


def is_coded(value: Any, depth: int = 0) -> bool:
    """Whether a JSON value holds only codes, numbers, flags and small nests of them, and no prose."""
    if value is None or isinstance(value, bool | int | float):
        return True
    if isinstance(value, str):
        return value == "" or CODE.fullmatch(value) is not None
    if depth >= JSON_DEPTH:
        return False
    if isinstance(value, Mapping):
        keys_are_codes = all(isinstance(key, str) and CODE.fullmatch(key) for key in value)
        return (
            len(value) <= JSON_ITEMS
            and keys_are_codes
            and all(is_coded(v, depth + 1) for v in value.values())
        )
    if isinstance(value, list | tuple):
        return len(value) <= JSON_ITEMS and all(is_coded(v, depth + 1) for v in value)
    return False


@dataclass(slots=True)
class Common:
    """What every prepared row names."""

    patient_id: UUID
    organization_id: UUID
    received_at: datetime


@dataclass(slots=True)
class SessionData(Common):
    """A session as one item describes it; fields that the item doesn't speak of are None.

    `client_ref` is the app's own name of the session (a code of 1-64 characters). `seen_at` is the time of an
    item that only belongs to the session (a message): it makes the session when nothing else has, and moves
    an inferred start back.
    """

    client_ref: str
    kind: str | None = None
    channel: str | None = None
    subtype: str | None = None
    status: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    seen_at: datetime | None = None
    duration_seconds: int | None = None
    mood_label: str | None = None
    tags: list[str] | None = None
    metrics: dict[str, Any] | None = None
    is_shared: bool | None = None
    sensitivity_labels: list[str] | None = None


@dataclass(slots=True)
class MessageData(Common):
    """One message; `content` is the text after replacement of what can't be kept."""

    session_id: UUID | None
    role: str
    content: str
    sent_at: datetime
    language: str = ""
    pii_present: bool = False
    replaced_chars: int = 0
    metadata: dict[str, Any] | None = None
    service_context: dict[str, Any] | None = None
    safety_analysis: dict[str, Any] | None = None
    performance_data: dict[str, Any] = field(default_factory=dict)
    sensitivity_labels: list[str] = field(default_factory=list)
    screened_at: datetime | None = None
    lexicon_version: str = ""
    id: UUID | None = None

    def __post_init__(self) -> None:
        if self.id is None:
            self.id = uuid7(clamped(self.sent_at, self.received_at))


@dataclass(slots=True)
class VoiceData(Common):
    """Transcript and features of one voice session; either may come alone, in any order."""

    session_id: UUID
    started_at: datetime
    transcript: str | None = None
    transcript_language: str | None = None
    voice_features: dict[str, Any] | None = None
    pii_present: bool = False
    replaced_chars: int = 0
    screened_at: datetime | None = None
    lexicon_version: str = ""


@dataclass(slots=True)
class FeatureData(Common):
    """Coded leavings of a session; names in `values` are those of SessionFeature, unknown ones are refused.

    Screening gives topic, coping, deflection and risk cue codes, languages and `named_feeling`; the voice
    side gives the eight scalars, `speech_seconds` and `signal_ok`. Later values win, lists are joined.
    """

    session_id: UUID
    observed_at: datetime
    values: dict[str, Any]


@dataclass(slots=True)
class NeuralData(Common):
    """How a neural-audio session was set, and what was noted in it; `values` are columns of its detail.

    A start fills what is empty and an end has the last word, so that it doesn't matter which came first.
    """

    session_id: UUID
    values: dict[str, Any]
    is_end: bool = False


@dataclass(slots=True)
class EmotionData(Common):
    """One reading of an emotion; exactly one of `session_id` and `message_id`."""

    source: str
    confidence: float
    observed_at: datetime
    session_id: UUID | None = None
    message_id: UUID | None = None
    label: str = ""
    valence: float | None = None
    arousal: float | None = None
    plutchik: dict[str, float] = field(default_factory=dict)
    probabilities: dict[str, float] = field(default_factory=dict)
    clinical_markers: dict[str, float] | None = None
    prosody_features: dict[str, Any] = field(default_factory=dict)
    model_name: str = ""
    model_version: str = ""
    sensitivity_labels: list[str] = field(default_factory=list)
    id: UUID | None = None

    def __post_init__(self) -> None:
        if self.id is None:
            self.id = uuid7(clamped(self.observed_at, self.received_at))


@dataclass(slots=True)
class ActivityData(Common):
    """Something done inside a session."""

    session_id: UUID
    activity_type: str
    started_at: datetime
    completed_at: datetime | None = None
    duration_seconds: int | None = None
    outcome_score: float | None = None
    activity_data: Any = None
    user_feedback: str | None = None
    ai_analysis: Any = None
    pii_present: bool = False
    replaced_chars: int = 0
    id: UUID = field(default_factory=uuid7)


@dataclass(slots=True)
class FeedbackData(Common):
    """What the person thought of a session."""

    session_id: UUID
    given_at: datetime
    satisfaction_raw: int | None = None
    effectiveness_raw: int | None = None
    effectiveness_scale: int = 10
    feedback_text: str | None = None
    physical_effects: Any = None
    mental_effects: Any = None
    pii_present: bool = False
    replaced_chars: int = 0
    id: UUID = field(default_factory=uuid7)


@dataclass(slots=True)
class CheckInData(Common):
    """The person's numbers for one local day; a later one for the day corrects the fields that it names.

    One that was said earlier and comes late fills what is empty.
    `id` is the row's once it is stored: its own for the first of a day, the first's for every later one.
    """

    date: date
    submitted_at: datetime
    mood: int | None = None
    sleep_quality: int | None = None
    stress_level: int | None = None
    focus_score: int | None = None
    metrics: dict[str, Any] | None = None
    notes: str | None = None
    pii_present: bool = False
    replaced_chars: int = 0
    id: UUID = field(default_factory=uuid7)


@dataclass(slots=True)
class ToolActionData(Common):
    """A tool that the assistant used."""

    tool_name: str
    status: str
    started_at: datetime
    session_id: UUID | None = None
    finished_at: datetime | None = None
    params: Any = None
    error: str | None = None
    id: UUID = field(default_factory=uuid7)


@dataclass(slots=True)
class RationaleData(Common):
    """Why the assistant answered as it did; a second one for the same message is ignored."""

    message_id: UUID
    policy_selected: str = ""
    target_state: str = ""
    selected_tools: list[str] = field(default_factory=list)
    citations: Any = None
    id: UUID = field(default_factory=uuid7)


@dataclass(slots=True)
class LocationData(Common):
    """Where the person's app says they are; kept for 24 hours."""

    place: dict[str, Any]
    seen_at: datetime


@dataclass(slots=True)
class Batch:
    """Everything of one request that one call of `store_batch` writes; sessions are stored before it."""

    messages: list[MessageData] = field(default_factory=list)
    voices: list[VoiceData] = field(default_factory=list)
    features: list[FeatureData] = field(default_factory=list)
    neural: list[NeuralData] = field(default_factory=list)
    emotions: list[EmotionData] = field(default_factory=list)
    activities: list[ActivityData] = field(default_factory=list)
    feedback: list[FeedbackData] = field(default_factory=list)
    check_ins: list[CheckInData] = field(default_factory=list)
    tool_actions: list[ToolActionData] = field(default_factory=list)
    rationales: list[RationaleData] = field(default_factory=list)
    locations: list[LocationData] = field(default_factory=list)
