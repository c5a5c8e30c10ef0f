"""Turns prepared dataclasses into unsaved rows with their digests, bands and ends; it writes nothing."""

from __future__ import annotations

import logging
from dataclasses import fields
from datetime import timedelta
from typing import Any
from uuid import UUID

from cortex.access.context import current
from cortex.crypto.digest import keyed_digest
from cortex.crypto.errors import DecryptError, KeyMissing
from cortex.ids import time_of, uuid7
from patients.registry.person import LastLocation
from patients.sessions.messages import MESSAGE_LIFE
from patients.sessions.models import HARD_CAP, SessionFeature, VoiceSession
from patients.sessions.neural import NeuralAudioDetail
from patients.sessions.observations import DailyCheckIn
from patients.sessions.records import (
    CheckInData,
    EmotionData,
    FeatureData,
    LocationData,
    MessageData,
    NeuralData,
    VoiceData,
    clamped,
)
from patients.sessions.severity import is_flagged, severity_band

log = logging.getLogger("cortex.intake")
LOCATION_LIFE = timedelta(hours=24)
FEATURE_LISTS = ("topic_codes", "coping_codes", "deflection_codes", "risk_cue_codes")
FEATURE_FIELDS = frozenset(
    field.name
    for field in SessionFeature._meta.concrete_fields
    if field.name
    not in (
        "id",
        "created_at",
        "updated_at",
        "legacy_ids",
        "organization",
        "patient",
        "session",
        "observed_at",
    )
)

NEURAL_FIELDS = frozenset({
    "base_frequency_hz", "target_frequency_hz", "volume_level", "initial_state", "target_state",
    "side_effects",
})  # fmt: skip


def digest(patient_id: UUID, text: str) -> bytes:
    """Return the digest of a person's text under their own key, which the open context must hold."""
    return keyed_digest(current().key_for(patient_id), text)


def columns_of(data: Any) -> dict[str, Any]:
    """Return a dataclass as columns; `asdict` would copy every value deeply, which a batch can't afford."""
    return {field.name: getattr(data, field.name) for field in fields(data)}


def message_columns(items: list[MessageData]) -> dict[str, list[Any]]:
    """Return what messages have beside what was said: they expire eighteen months after their key's time."""
    return {
        "content_hash": [digest(data.patient_id, data.content) for data in items],
        "created_at": [data.received_at for data in items],
        "expires_at": [time_of(_required(data.id)) + MESSAGE_LIFE for data in items],
    }


def emotion_columns(items: list[EmotionData]) -> dict[str, list[Any]]:
    """Return the clamped times of observations, their bands, and whether a person should look at them."""
    times = [time_of(_required(data.id)) for data in items]
    return {
        "observed_at": times,
        "clinical_severity": [severity_band(data.clinical_markers) for data in items],
        "is_flagged": [is_flagged(data.clinical_markers, data.label, data.confidence) for data in items],
        "expires_at": [at + MESSAGE_LIFE for at in times],
    }


def voice_row(data: VoiceData) -> VoiceSession:
    """Return an empty voice detail whose words must be gone two weeks after its start."""
    started = clamped(data.started_at, data.received_at)
    return VoiceSession(
        session_id=data.session_id,
        organization_id=data.organization_id,
        patient_id=data.patient_id,
        received_at=data.received_at,
        delete_after=started + HARD_CAP,
    )


def put_voice(row: VoiceSession, data: VoiceData) -> list[str]:
    """Put what an item brought onto the row; return the changed fields. New content asks for extraction.

    Maps of features are joined, the later value of a key holds.
    """
    changed: list[str] = []
    if data.transcript is not None:
        row.transcript_encrypted = data.transcript
        row.transcript_hash = digest(data.patient_id, data.transcript)
        row.transcript_language = data.transcript_language or row.transcript_language
        row.pii_present, row.replaced_chars = data.pii_present, data.replaced_chars
        row.screened_at, row.lexicon_version = data.screened_at, data.lexicon_version
        changed += ["transcript_encrypted", "transcript_hash", "transcript_language", "pii_present"]
        changed += ["replaced_chars", "screened_at", "lexicon_version"]
    if data.voice_features is not None:
        row.voice_features = _kept_features(row) | data.voice_features
        changed.append("voice_features")
    if changed:
        row.processed = row.patterns_extracted = False
        row.extracted_at = row.purged_at = None
        row.extraction_error = ""
        changed += ["processed", "patterns_extracted", "extracted_at", "purged_at", "extraction_error"]
    return changed


def _kept_features(row: VoiceSession) -> dict[str, Any]:
    """Return the map that the row holds, which the open context opened; nothing where it can't be read."""
    try:
        return row.voice_features or {}
    except (DecryptError, KeyMissing) as error:
        # The extraction has said so; what comes now is at least read.
        log.error("a voice's features can't be read", exc_info=error)
        return {}


def feature_row(data: FeatureData) -> SessionFeature:
    """Return an empty feature row of a session."""
    return SessionFeature(
        id=uuid7(clamped(data.observed_at, data.received_at)),
        organization_id=data.organization_id,
        patient_id=data.patient_id,
        session_id=data.session_id,
        observed_at=clamped(data.observed_at, data.received_at),
    )


def put_features(row: SessionFeature, values: dict[str, Any]) -> None:
    """Put values onto the row: later win, lists of codes are joined. Raises ValueError for a stranger."""
    strangers = set(values) - FEATURE_FIELDS
    if strangers:
        raise ValueError(f"no features: {sorted(strangers)}")
    for name, value in values.items():
        if name in FEATURE_LISTS:
            setattr(row, name, sorted({*getattr(row, name), *value}))
        elif value is not None:
            setattr(row, name, value)


def neural_row(data: NeuralData) -> NeuralAudioDetail:
    """Return an empty detail of a neural-audio session."""
    return NeuralAudioDetail(
        session_id=data.session_id,
        organization_id=data.organization_id,
        patient_id=data.patient_id,
        received_at=data.received_at,
    )


def put_neural(row: NeuralAudioDetail, data: NeuralData) -> list[str]:
    """Put what a start or an end said onto the row; return the changed fields. ValueError for a stranger."""
    strangers = set(data.values) - NEURAL_FIELDS
    if strangers:
        raise ValueError(f"no settings: {sorted(strangers)}")
    # Side effects that are sealed count as said without being opened.
    changed = [name for name in data.values if data.is_end or row.__dict__.get(name) in (None, "")]
    for name in changed:
        setattr(row, name, data.values[name])
    return changed


def check_in_row(data: CheckInData) -> DailyCheckIn:
    """Return a check-in."""
    return DailyCheckIn(**columns_of(data))


CHECK_IN_FIELDS = ("mood", "sleep_quality", "stress_level", "focus_score", "metrics", "notes")


def put_check_in(row: DailyCheckIn, data: CheckInData) -> list[str]:
    """Correct a day's check-in by what the person said later that day; return the changed fields.

    What was said earlier and comes late fills only what is still empty; sealed words count without being
    opened.
    """
    is_older = data.submitted_at < row.submitted_at
    changed = [
        name
        for name in CHECK_IN_FIELDS
        if getattr(data, name) is not None and not (is_older and row.__dict__.get(name) is not None)
    ]
    for name in changed:
        setattr(row, name, getattr(data, name))
    if "notes" in changed:
        row.pii_present, row.replaced_chars = data.pii_present, data.replaced_chars
        changed += ["pii_present", "replaced_chars"]
    row.submitted_at = max(row.submitted_at, data.submitted_at)
    return [*changed, "submitted_at", "updated_at"]


def put_location(row: LastLocation, data: LocationData) -> None:
    """Put the newest place onto the row; it expires a day after it was seen."""
    seen = clamped(data.seen_at, data.received_at)
    row.place, row.seen_at, row.expires_at = data.place, seen, seen + LOCATION_LIFE


def _required(identifier: UUID | None) -> UUID:
    if identifier is None:
        raise ValueError("a prepared row of a partitioned table has its id")
    return identifier
