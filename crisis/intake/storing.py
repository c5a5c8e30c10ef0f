"""Turns sorted items into the prepared rows of the patients' floor; pure, writes nothing."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from cortex.ops.models import TelemetryEvent
from crisis.intake.models import ITEM_LIFE, Source, key_id
from crisis.intake.sorting import Facts, Known, Sorted, remembered, row_id
from crisis.risk.codes import text_code
from crisis.risk.pii import pii_present
from patients.codes import SessionKind
from patients.privacy.records import ConsentData
from patients.registry.queries import local_day
from patients.sessions import records

SessionKey = tuple[UUID, str]
MessageKey = tuple[UUID, str]
HAS_SESSION = frozenset({
    "session_started", "session_ended", "message", "transcript", "emotion", "voice_features", "activity",
    "feedback",
    "tool_action",
})  # fmt: skip
# Members that are kept sealed; the rows of some kinds are sealed as a whole.
SEALED_KINDS = frozenset({"message", "transcript", "voice_features"})
SEALED_MEMBERS = frozenset({
    "tags", "metrics", "data", "text", "ai_analysis", "physical_effects", "mental_effects", "notes",
    "params", "error",
    "citations", "clinical_markers", "guardian", "neural_audio",
})  # fmt: skip
# What an item lets us guess about a session whose start has not arrived; the start itself overrides it.
KIND_HINTS = {"message": "chat", "transcript": "voice_checkin", "voice_features": "voice_checkin"}
FEATURES = (
    "pitch_mean", "pitch_std", "pitch_range", "energy_mean", "energy_std", "speech_rate", "pause_ratio",
    "prosody_variance", "speech_seconds", "signal_ok", "is_ill", "is_intoxicated", "voice_emotion",
    "voice_confidence", "voice_valence", "text_emotion", "text_confidence", "text_valence", "stated_emotion",
    "stated_confidence", "stated_valence", "topic_codes", "coping_codes", "declined_help", "named_feeling",
    "language_shares", "token_count",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shelf:
    """What the rows of one batch refer to: sessions and messages by (patient, name), and when it came."""

    at: datetime
    sessions: Mapping[SessionKey, UUID]
    messages: Mapping[MessageKey, UUID]
    version: str

    def maybe_session(self, found: Sorted) -> UUID | None:
        """Return the session that an item names, or that its day stands for, if there is one."""
        key = session_key(found)
        return self.sessions[key] if key is not None else None

    def session_of(self, found: Sorted) -> UUID:
        """Return the session of an item whose kind always has one."""
        return self.sessions[_required_key(found)]


def session_key(found: Sorted) -> SessionKey | None:
    """Return (patient, session name); a message without a session belongs to its day's chat.

    The day is the person's own: a night's conversation ends at no other midnight than theirs. The name only
    groups; that nothing is stored twice rests on the ids of items.
    """
    if found.item.kind not in HAS_SESSION:
        return None
    name = found.item.values.get("session", "")
    if not name and found.item.kind == "message":
        name = f"chat:{local_day(found.person, found.item.moment()):%Y-%m-%d}"
    return (row_id(found.person), name) if name else None


def _required_key(found: Sorted) -> SessionKey:
    key = session_key(found)
    if key is None:
        raise ValueError(f"an item of kind {found.item.kind} names its session")
    return key


def sessions_of(taken: Iterable[Sorted], at: datetime) -> list[records.SessionData]:
    """Return what the items say about their sessions, in their order."""
    return [_session(found, at) for found in taken if session_key(found) is not None]


def _session(found: Sorted, at: datetime) -> records.SessionData:
    item, values = found.item, found.item.values
    data = records.SessionData(**common(found, at), client_ref=_required_key(found)[1])
    if item.kind == "session_started":
        data.kind, data.channel = values["session_kind"], values.get("channel")
        data.subtype, data.started_at = values.get("subtype"), item.moment()
        data.is_shared = values.get("shared")
        data.mood_label, data.tags, data.metrics = (
            values.get("mood"),
            values.get("tags"),
            values.get("metrics"),
        )
    elif item.kind == "session_ended":
        data.status, data.ended_at = values.get("status", "completed"), item.moment()
        data.duration_seconds, data.is_shared = values.get("duration_seconds"), values.get("shared")
        data.mood_label, data.metrics = values.get("mood"), values.get("metrics")
        # Of a session that was started as another kind it was refused before.
        data.kind = SessionKind.NEURAL_AUDIO if values.get("neural_audio") else None
    else:
        data.seen_at, data.kind = item.moment(), KIND_HINTS.get(item.kind)
    return data


def prepare(taken: Iterable[Sorted], shelf: Shelf) -> records.Batch:
    """Return the rows of the taken items."""
    batch = records.Batch()
    for found in taken:
        prepare_one = _PREPARE.get(found.item.kind)
        if prepare_one is not None:
            prepare_one(batch, found, shelf)
    return batch


def common(found: Sorted, at: datetime) -> dict[str, Any]:
    """Return what every prepared row names: whose it is, and when it came."""
    return {
        "patient_id": row_id(found.person), "organization_id": found.person.organization_id,
        "received_at": at,
    }  # fmt: skip


def _marks(found: Sorted) -> dict[str, Any]:
    return {
        "pii_present": any(pii_present(text) for text in _texts(found)),
        "replaced_chars": found.item.replaced,
    }


def _texts(found: Sorted) -> Iterable[str]:
    """Everything that was said: the person's words wherever they stand, and the text whoever said it."""
    own = found.item.values.get("text") or found.item.values.get("notes")
    return {*found.item.words, own} if own else found.item.words


def _message(batch: records.Batch, found: Sorted, shelf: Shelf) -> None:
    values = found.item.values
    session = shelf.session_of(found)
    batch.messages.append(records.MessageData(
        **common(found, shelf.at), **_marks(found), session_id=session, role=values["role"],
        content=values["text"],
        sent_at=found.item.sent_at or found.item.moment(), language=values.get("language", ""),
        metadata=values.get("metadata"), service_context=values.get("service_context"),
        safety_analysis=values.get("safety_analysis"), performance_data=values.get("performance", {}),
        screened_at=shelf.at if found.outcome.was_screened else None,
        lexicon_version=shelf.version if found.outcome.was_screened else "", id=found.row_id,
    ))  # fmt: skip
    _note_cues(batch, found, shelf, session)


def _note_cues(batch: records.Batch, found: Sorted, shelf: Shelf, session: UUID) -> None:
    """Leave on the session what the words showed, as codes (K8)."""
    screening = found.screening
    if screening is None:
        return
    cues = {*screening.cues, *(text_code(tier) for tier in screening.tiers)}
    values: dict[str, Any] = {"deflection_codes": list(screening.deflections), "risk_cue_codes": sorted(cues)}
    if found.item.kind == "transcript" and screening.languages:
        values["language_shares"] = dict(screening.languages)
    values = {name: value for name, value in values.items() if value}
    if values:
        batch.features.append(records.FeatureData(
            **common(found, shelf.at), session_id=session, observed_at=found.item.moment(), values=values
        ))  # fmt: skip


def _transcript(batch: records.Batch, found: Sorted, shelf: Shelf) -> None:
    session = shelf.session_of(found)
    found.outcome.object_id = session
    batch.voices.append(records.VoiceData(
        **common(found, shelf.at), **_marks(found), session_id=session, started_at=found.item.moment(),
        transcript=found.item.values["text"], transcript_language=found.item.values.get("language"),
        screened_at=shelf.at if found.outcome.was_screened else None,
        lexicon_version=shelf.version if found.outcome.was_screened else "",
    ))  # fmt: skip
    _note_cues(batch, found, shelf, session)


def _voice(batch: records.Batch, found: Sorted, shelf: Shelf) -> None:
    session = shelf.session_of(found)
    found.outcome.object_id = session
    values, whose = found.item.values, common(found, shelf.at)
    given = {name: values[name] for name in FEATURES if name in values}
    if given:
        batch.features.append(
            records.FeatureData(**whose, session_id=session, observed_at=found.item.moment(), values=given)
        )
    full = given | values.get("features", {})
    batch.voices.append(
        records.VoiceData(**whose, session_id=session, started_at=found.item.moment(), voice_features=full)
    )


def _emotion(batch: records.Batch, found: Sorted, shelf: Shelf) -> None:
    values = found.item.values
    message = shelf.messages[message_key(found)] if "message" in values else None
    batch.emotions.append(records.EmotionData(
        **common(found, shelf.at), source=values["source"], confidence=values["confidence"],
        observed_at=found.item.moment(), session_id=None if message else shelf.maybe_session(found),
        message_id=message,
        label=values.get("label", ""), valence=values.get("valence"), arousal=values.get("arousal"),
        plutchik=values.get("plutchik", {}), probabilities=values.get("probabilities", {}),
        clinical_markers=values.get("clinical_markers"), prosody_features=values.get("prosody", {}),
        model_name=values.get("model_name", ""), model_version=values.get("model_version", ""),
        id=found.row_id,
    ))  # fmt: skip


def _activity(batch: records.Batch, found: Sorted, shelf: Shelf) -> None:
    values = found.item.values
    session = shelf.session_of(found)
    completed = values.get("completed_at")
    batch.activities.append(records.ActivityData(
        **common(found, shelf.at), **_marks(found), session_id=session,
        activity_type=values["activity_type"],
        started_at=found.item.moment(), completed_at=max(completed,
        found.item.moment()) if completed else None,
        duration_seconds=values.get("duration_seconds"), outcome_score=values.get("outcome_score"),
        activity_data=values.get("data"), user_feedback=values.get("text"),
        ai_analysis=values.get("ai_analysis"),
        id=found.row_id,
    ))  # fmt: skip


def _feedback(batch: records.Batch, found: Sorted, shelf: Shelf) -> None:
    values = found.item.values
    session = shelf.session_of(found)
    batch.feedback.append(records.FeedbackData(
        **common(found, shelf.at), **_marks(found), session_id=session, given_at=found.item.moment(),
        satisfaction_raw=values.get("satisfaction"), effectiveness_raw=values.get("effectiveness"),
        effectiveness_scale=values["effectiveness_scale"], feedback_text=values.get("text"),
        physical_effects=values.get("physical_effects"), mental_effects=values.get("mental_effects"),
        id=found.row_id,
    ))  # fmt: skip


def _neural(batch: records.Batch, found: Sorted, shelf: Shelf) -> None:
    values = found.item.values.get("neural_audio")
    if values:
        batch.neural.append(records.NeuralData(
            **common(found, shelf.at), session_id=shelf.session_of(found), values=values,
            is_end=found.item.kind == "session_ended",
        ))  # fmt: skip


def _checkin(batch: records.Batch, found: Sorted, shelf: Shelf) -> None:
    values = found.item.values
    batch.check_ins.append(records.CheckInData(
        **common(found, shelf.at), **_marks(found), date=values["date"], submitted_at=found.item.moment(),
        mood=values.get("mood"), sleep_quality=values.get("sleep_quality"),
        stress_level=values.get("stress_level"),
        focus_score=values.get("focus_score"), metrics=values.get("metrics"), notes=values.get("notes"),
        id=found.row_id,
    ))  # fmt: skip


def name_check_ins(rows: Iterable[Sorted], batch: records.Batch) -> None:
    """Let stored check-ins be known by their rows: the second of a day is in the first's.

    What is read in its words names that row; by any other id nobody could open them.
    """
    sent = [one for one in rows if one.item.kind == "checkin"]
    for found, stored in zip(sent, batch.check_ins, strict=True):
        found.outcome.object_id = stored.id


def _tool(batch: records.Batch, found: Sorted, shelf: Shelf) -> None:
    values = found.item.values
    finished = values.get("finished_at")
    batch.tool_actions.append(records.ToolActionData(
        **common(found, shelf.at), tool_name=values["tool_name"], status=values["status"],
        started_at=found.item.moment(), session_id=shelf.maybe_session(found),
        finished_at=max(finished, found.item.moment()) if finished else None, params=values.get("params"),
        error=values.get("error"), id=found.row_id,
    ))  # fmt: skip


def _rationale(batch: records.Batch, found: Sorted, shelf: Shelf) -> None:
    values = found.item.values
    batch.rationales.append(records.RationaleData(
        **common(found, shelf.at), message_id=shelf.messages[message_key(found)],
        policy_selected=values.get("policy_selected", ""), target_state=values.get("target_state", ""),
        selected_tools=values.get("selected_tools", []), citations=values.get("citations"), id=found.row_id,
    ))  # fmt: skip


def message_key(found: Sorted) -> MessageKey:
    """Return (patient, message name) of an item that refers to a message."""
    return row_id(found.person), found.item.values["message"]


def telemetry_of(taken: Iterable[Sorted], organization_id: UUID) -> list[TelemetryEvent]:
    """Return the unsaved telemetry rows, under a pseudonym that changes every month."""
    return [_telemetry(found, organization_id) for found in taken if found.item.kind == "telemetry"]


def _telemetry(found: Sorted, organization_id: UUID) -> TelemetryEvent:
    item, values = found.item, found.item.values
    members = ("event_type", "event_data", "geo_region", "device_type", "app_version", "performance_metrics",
               "error_data", "tags")  # fmt: skip
    return TelemetryEvent(
        id=found.row_id,
        organization_id=organization_id,
        event_id=item.id,
        occurred_at=item.moment(),
        sent_at=item.sent_at,
        session_pseudonym=_pseudonym(item.moment(), values.get("session")),
        user_pseudonym=_pseudonym(item.moment(), found.person and str(row_id(found.person))),
        **{name: values[name] for name in members if name in values},
    )


def _pseudonym(at: datetime, name: str | None) -> str:
    if not name:
        return ""
    month = f"telemetry:{at:%Y-%m}:{name}"
    return hmac.new(settings.SECRET_KEY.encode(), month.encode(), hashlib.sha256).hexdigest()[:32]


def keys_of(
    rows: Iterable[Sorted], messages: Mapping[MessageKey, UUID], facts: Facts, organization_id: UUID
) -> dict[str, list[Any]]:
    """Return the ids to remember, as columns of IntakeKey; empty when there are none.

    Of what was stored, of words that became evidence, of messages to come.
    """
    names: dict[UUID, tuple[UUID | None, str]] = {}
    known = dict(facts.known)
    for (patient_id, name), object_id in messages.items():
        key = key_id(Source.ITEM, facts.client, patient_id, name)
        if key not in known:
            names[key], known[key] = (patient_id, name), Known("expected", "message", object_id)
    for row in rows:
        if row.key is None or row.item.kind == "sos" or not (row.is_taken or row.became_evidence):
            continue
        names[row.key] = row.outcome.patient_id, row.item.id
        known[row.key] = remembered(row, known.get(row.key), is_told=row.became_evidence)
    return _key_columns(names, known, facts, organization_id) if names else {}


def _key_columns(
    names: Mapping[UUID, tuple[UUID | None, str]],
    known: Mapping[UUID, Known],
    facts: Facts,
    organization_id: UUID,
) -> dict[str, list[Any]]:
    rows, count = [known[key] for key in names], len(names)
    return {
        "id": list(names), "key": [name for _, name in names.values()],
        "patient_id": [patient_id for patient_id, _ in names.values()],
        "result": [row.result for row in rows], "object_type": [row.object_type for row in rows],
        "object_id": [row.object_id for row in rows], "words": [row.words for row in rows],
        "told": [row.told for row in rows], "organization_id": [organization_id] * count,
        "source": [Source.ITEM] * count, "sender": [facts.client] * count, "created_at": [facts.at] * count,
        "expires_at": [facts.at + ITEM_LIFE] * count,
    }  # fmt: skip


def needs_seal(found: Sorted) -> bool:
    """Whether writing an item needs its patient's key."""
    return found.item.kind in SEALED_KINDS or (
        found.item.kind != "telemetry" and not SEALED_MEMBERS.isdisjoint(found.item.values)
    )


def consents_of(taken: Iterable[Sorted]) -> dict[UUID, list[ConsentData]]:
    """Return the decisions of each patient row, in the order of the batch."""
    found: dict[UUID, list[ConsentData]] = {}
    for one in taken:
        if one.item.kind != "consent":
            continue
        values = one.item.values
        found.setdefault(one.person.pk, []).append(ConsentData(
            consent_type=values["consent_type"], granted=values["granted"], scope=values.get("scope", {}),
            version=values.get("version", ""), language=values.get("language", ""),
            method=values.get("method", "app"), recorded_at=one.item.moment(),
            expires_at=values.get("expires_at"),
            guardian=values.get("guardian"), evidence_ref=values.get("evidence_ref", ""),
        ))  # fmt: skip
    return found


_PREPARE: dict[str, Callable[[records.Batch, Sorted, Shelf], None]] = {
    "message": _message, "transcript": _transcript, "voice_features": _voice, "emotion": _emotion,
    "activity": _activity, "feedback": _feedback, "checkin": _checkin, "tool_action": _tool,
    "rationale": _rationale, "session_started": _neural, "session_ended": _neural,
}  # fmt: skip
