"""What the queries of sessions found, in the words and shapes of their pages; no query, nothing opened."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.urls import reverse

from clinical.notes.wording import label_words
from clinical.sessions import drawing, told
from clinical.sessions.actions import UNDO_WITHIN
from clinical.sessions.baseline import VERSION, Comparison, Feature
from clinical.sessions.coding import (
    ENTRY_WORDS,
    INTERVENTIONS,
    RISK,
    TOLD_CODES,
    code_words,
)
from clinical.sessions.emotions.actions import UNDO_WITHIN as REVIEW_UNDO
from clinical.sessions.queries import Review
from clinical.sessions.words.showing import said_words
from crisis.risk.reasons import set_words
from patients.codes import VOICE_EMOTIONS, DissonanceType, Emotion, EmotionSource, ReviewStatus, SessionKind
from patients.sessions.models import (
    HARD_CAP,
    Session,
    SessionActivity,
    SessionFeature,
    SessionFeedback,
    VoiceSession,
)
from patients.sessions.observations import EmotionObservation

# Where each emotion lies when a reading names no valence of its own (domain 1.5).
VALENCES = {
    "happy": 0.8, "trust": 0.5, "anticipation": 0.2, "surprise": 0.1, "neutral": 0.0, "disgust": -0.5,
    "angry": -0.6, "fear": -0.6, "sad": -0.7, "numb": -0.7, "resigned": -0.8, "hopeless": -1.0,
}  # fmt: skip
# Title, unit, and what less and more of it means.
FEATURES = {
    "pitch_mean": ("Pitch", "Hz", "lower", "higher"),
    "pitch_std": ("Pitch, variation", "Hz", "steadier", "more varied"),
    "pitch_range": ("Pitch, range", "Hz", "narrower", "wider"),
    "energy_mean": ("Loudness", "dB", "quieter", "louder"),
    "energy_std": ("Loudness, variation", "dB", "steadier", "more varied"),
    "speech_rate": ("Speech rate", "syllables/s", "slower", "faster"),
    "pause_ratio": ("Pauses", "share", "fewer", "more"),
    "prosody_variance": ("Melody", "", "flatter", "livelier"),
}
DISSONANCE = {
    DissonanceType.CONCEALMENT: "The voice is heavier than the words.",
    DissonanceType.AMPLIFICATION: "The words are heavier than the voice.",
    DissonanceType.CONGRUENT: "Words and voice agree.",
    DissonanceType.UNKNOWN: "Too uncertain to compare words and voice.",
}
# What stands after the end of a session, as (title, URL name, fields): features above add their doors here.
AFTER_END = (("Write the note", "clinical:note_begin", {"note_type": "soap"}),)


def confidence_words(confidence: float) -> str:
    """Return how sure a machine was, in words (domain K28)."""
    if confidence < 0.40:
        return "too uncertain to count"
    return "likely" if confidence < 0.70 else "clear"


def line_of(session: Session, flags: int) -> dict[str, Any]:
    """Return one session as a line of the list."""
    feature, voice, run = (getattr(session, name, None) for name in ("feature", "voice", "run"))
    if session.is_private:
        feature = voice = None
    return {
        "id": session.pk,
        "kind": session.get_kind_display(),
        "channel": told.place_words(session),
        "status": told.status_words(session),
        "is_open": run is not None and run.ended_at is None,
        "at": session.started_at,
        "minutes": minutes_of(session),
        "by": run.clinician.full_name if run else "",
        "emotion": feature.get_voice_emotion_display() if feature and feature.voice_emotion else "",
        "sure": confidence_words(feature.voice_confidence or 0) if feature and feature.voice_emotion else "",
        "dissonance": gap_band(feature.dissonance_score if feature else None),
        "flags": 0 if session.is_private else flags,
        "words": words_state(voice) if voice else "",
        "rating": _mean(session, "effectiveness"),
        "satisfaction": _mean(session, "satisfaction"),
        "labels": label_words(session.sensitivity_labels),
    }


def _mean(session: Session, name: str) -> str:
    value = None if session.is_private else getattr(session, name, None)
    return f"{value:.1f}" if value is not None else ""


def minutes_of(session: Session) -> int | None:
    """Return how long a session took."""
    return round(session.duration_seconds / 60) if session.duration_seconds else None


def gap_band(score: float | None) -> str:
    """Return the band of a dissonance that is worth a mark; "" for none (domain 5.7)."""
    if score is None or score < 0.30:
        return ""
    return "moderate" if score < 0.60 else "high"


def words_state(voice: VoiceSession) -> str:
    """Return in a word whether a transcript is still there."""
    return "words deleted" if voice.purged_at else "words kept for now"


def words_of(found: Review, at: datetime) -> dict[str, Any]:
    """Return whether words can be opened, until when, or what was deleted and when."""
    voice = found.voice
    until = voice.delete_after if voice and not voice.purged_at and found.has_words else None
    return {
        "can_open": found.has_words,
        "until": until,
        "is_over": until is not None and until <= at,
        "deleted_at": voice.purged_at if voice else None,
        "cap_days": HARD_CAP.days,
        "extracted_at": voice.extracted_at if voice else None,
        "messages": found.said.count,
        "told": said_words(found.said),
        "withheld": found.said.withheld,
    }


def thinned_words(found: Review) -> str:
    """Return what a curve leaves out; nothing of a curve that shows every reading."""
    one = found.emotions
    if not one.is_thinned:
        return ""
    return (
        f"The curve shows {len(one.drawn):,} of {one.total:,} readings, spread evenly over the whole session."
        " The list below holds all of them."
    )


def emotion_row(one: EmotionObservation, reader_id: Any, at: datetime) -> dict[str, Any]:
    """Return one reading with its review, and whether this reader may still take that back."""
    corrected = Emotion(one.corrected_label).label if one.corrected_label else ""
    since = at - one.reviewed_at if one.reviewed_at and one.reviewed_by_id == reader_id else None
    labels = VOICE_EMOTIONS if one.source == EmotionSource.VOICE else Emotion.values
    return {
        "id": one.pk,
        "patient_id": one.patient_id,
        "at": one.observed_at,
        "source": one.get_source_display(),
        "label": one.get_label_display() if one.label else "No label",
        "valence": valence_of(one),
        "confidence": one.confidence,
        "sure": confidence_words(one.confidence),
        "severity": one.clinical_severity,
        "engine": told.model_words(one),
        "flagged": one.is_flagged,
        "status": one.review_status,
        "status_words": one.get_review_status_display(),
        "waits": one.review_status == ReviewStatus.UNREVIEWED,
        "corrected": corrected,
        "reviewed_at": one.reviewed_at,
        "may_undo": since is not None and since <= REVIEW_UNDO,
        "choices": [(value, Emotion(value).label) for value in labels if value != one.label],
    }


def valence_of(one: EmotionObservation) -> float | None:
    """Return where a reading lies between distress and pleasant: as it said, else as its label means."""
    return one.valence if one.valence is not None else VALENCES.get(one.label)


def picture_of(found: Review) -> Any:
    """Draw a session's emotions along its time; what has no valence can't be drawn."""
    start = found.session.started_at
    readings = []
    for one in found.emotions.drawn:
        valence = valence_of(one)
        if valence is None:
            continue
        label = one.get_label_display() if one.label else "no label"
        words = f"{label}, {one.get_source_display().lower()}, {confidence_words(one.confidence)}"
        seconds = (one.observed_at - start).total_seconds()
        readings.append(drawing.Reading(seconds, valence, one.confidence, one.source, words, one.is_flagged))
    said = ". ".join(one.words for one in readings[:12])
    return drawing.emotions(readings, said)


def voice_rows(comparison: Comparison | None) -> dict[str, Any] | None:
    """Return a voice beside the person's usual, or how many sessions are missing for that."""
    if comparison is None:
        return None
    return {
        "rows": [_feature(one) for one in comparison.features],
        "sessions": comparison.sessions,
        "days": comparison.days,
        "missing": comparison.missing,
        "established": comparison.is_established,
        "deviation": f"{comparison.deviation:.1f}" if comparison.deviation is not None else "",
        "meaning": _deviation_words(comparison.deviation),
        "engine": f"Voice comparison {VERSION}",
    }


def _deviation_words(deviation: float | None) -> str:
    if deviation is None:
        return ""
    if deviation < 1.5:
        return "close to their usual"
    return "some way from their usual" if deviation < 2.5 else "far from their usual"


def _feature(one: Feature) -> dict[str, Any]:
    title, unit, less, more = FEATURES[one.name]
    far = abs(one.z) >= 2
    word = less if one.z < 0 else more
    return {
        "title": title,
        "unit": unit,
        "value": f"{one.value:.2f}" if abs(one.value) < 10 else f"{one.value:.0f}",
        "usual": f"{one.usual:.2f}" if abs(one.usual) < 10 else f"{one.usual:.0f}",
        "z": f"{one.z:+.1f}",
        "far": far,
        "meaning": f"{word} than usual" if far else "within usual",
        "picture": drawing.strip(one.z),
    }


def activity_rows(rows: Iterable[SessionActivity]) -> list[dict[str, Any]]:
    """Return what the person did, with its outcome."""
    return [
        {
            "title": code_words(one.activity_type).capitalize(),
            "at": one.started_at,
            "done": one.completed_at,
            "minutes": round(one.duration_seconds / 60) if one.duration_seconds else None,
            "outcome": round(one.outcome_score * 100) if one.outcome_score is not None else None,
        }
        for one in rows
    ]


def entry_rows(rows: Iterable[SessionActivity], at: datetime) -> list[dict[str, Any]]:
    """Return a session's log; its rows are opened."""
    found = []
    for one in rows:
        data = one.activity_data or {}
        kind = one.activity_type
        title = INTERVENTIONS.get(str(data.get("code", "")), "") or ENTRY_WORDS.get(kind, code_words(kind))
        asked = data.get("factors") or {}
        found.append({
            "id": one.pk,
            "kind": kind,
            "title": title,
            "at": one.started_at,
            "text": data.get("text", ""),
            "level": data.get("after", ""),
            "set": set_words(data.get("level", ""), data.get("after", ""), data.get("why") or ())
            if kind == RISK
            else "",
            "present": [TOLD_CODES.get(code, code) for code, said in asked.items() if said == "present"],
            "absent": [TOLD_CODES.get(code, code) for code, said in asked.items() if said == "absent"],
            "may_undo": kind != RISK and at - one.received_at <= UNDO_WITHIN,
        })  # fmt: skip
    return found


def feedback_rows(rows: Iterable[SessionFeedback]) -> list[dict[str, Any]]:
    """Return what the person thought, on the scale that each was asked on (K4); effects are opened."""
    return [
        {
            "at": one.given_at,
            "by": one.get_author_display(),
            "satisfaction": one.satisfaction_raw,
            "satisfaction_scale": one.satisfaction_scale,
            "effectiveness": one.effectiveness_raw,
            "effectiveness_scale": one.effectiveness_scale,
            "helped": told.helped(one),
            "physical": effects_of(one.physical_effects),
            "mental": effects_of(one.mental_effects),
        }
        for one in rows
    ]


def effects_of(effect: Any) -> list[str]:
    """Return side effects as lines, whatever shape an app sent them in."""
    if not effect:
        return []
    if isinstance(effect, dict):
        if "code" in effect:
            return [", ".join(code_words(str(value)) for value in effect.values() if value)]
        return [f"{code_words(str(key))}: {code_words(str(value))}" for key, value in effect.items()]
    if isinstance(effect, list):
        return [line for one in effect for line in effects_of(one)]
    return [str(effect)]


def citations_of(value: Any) -> list[str]:
    """Return an assistant's sources as lines."""
    if not value:
        return []
    if isinstance(value, dict):
        named = [str(value[key]) for key in ("title", "source", "id", "chunk") if value.get(key)]
        return [", ".join(named) or ", ".join(f"{key} {one}" for key, one in value.items())]
    if isinstance(value, list):
        return [line for one in value for line in citations_of(one)]
    return [str(value)]


def sections_of(found: Review) -> list[str]:
    """Return which parts of a session a review shows, for the access log."""
    parts = {
        "emotions": found.emotions.total, "activities": found.activities, "feedback": found.feedback,
        "tools": found.tools, "rationale": list(found.rationales or ()), "voice": found.comparison,
        "neural_audio": found.neural, "sent": not found.is_private and told.has_sent(found.session),
    }  # fmt: skip
    return ["session", *(name for name, rows in parts.items() if rows)]


def reviewed(found: Review, reader_id: Any, at: datetime, *, with_log: bool) -> dict[str, Any]:
    """Return all that a session's review shows of it."""
    feature = found.feature
    neural = found.neural
    return {
        "is_private": found.is_private,
        "place": told.place_words(found.session),
        "status_words": told.status_words(found.session),
        "minutes": minutes_of(found.session),
        "words": words_of(found, at),
        "emotions": told.with_next([emotion_row(one, reader_id, at) for one in found.emotions.rows]),
        "readings": found.emotions,
        "thinned": thinned_words(found),
        "reasons": found.rationales,
        "picture": picture_of(found),
        "voice": voice_rows(found.comparison),
        "voice_off": found.is_voice_off,
        "feature": _feature_rows(feature, found) if feature and not found.is_private else None,
        "sent": [] if found.is_private else told.sent_rows(found.session),
        "entries": entry_rows(found.activities, at) if with_log else [],
        "activities": [] if with_log else activity_rows(found.activities),
        "feedback": feedback_rows(found.feedback),
        "tools": [
            {"name": code_words(one.tool_name), "status": one.get_status_display(), "at": one.started_at,
             "seconds": (one.finished_at - one.started_at).total_seconds() if one.finished_at else None}
            for one in found.tools
        ],
        "rationales": [
            {"policy": code_words(one.policy_selected), "target": code_words(one.target_state),
             "tools": [code_words(tool) for tool in one.selected_tools],
             "citations": citations_of(one.citations)}
            for one in found.rationales or ()
        ],
        "neural": {
            "base": neural.base_frequency_hz, "target": neural.target_frequency_hz,
            "volume": neural.volume_level, "from": code_words(neural.initial_state),
            "to": code_words(neural.target_state), "effects": effects_of(neural.side_effects),
        } if neural is not None else None,
        "measures": found.measures,
    }  # fmt: skip


def _feature_rows(feature: SessionFeature, found: Review) -> dict[str, Any]:
    kind = DissonanceType(feature.dissonance_type) if feature.dissonance_type else None
    felt = told.felt_rows(feature)
    return felt | {
        "text_sure": confidence_words(felt["text_confidence"]),
        "voice": feature.get_voice_emotion_display() if feature.voice_emotion else "",
        "voice_sure": confidence_words(feature.voice_confidence or 0),
        "stated": feature.get_stated_emotion_display() if feature.stated_emotion else "",
        "dissonance": DISSONANCE[kind] if kind else "",
        "dissonance_sure": confidence_words(sure) if (sure := told.gap_confidence(feature)) else "",
        "read_by": told.read_by(feature, found.emotions.drawn, found.gap_by),
        "dissonance_band": gap_band(feature.dissonance_score),
        "topics": [code_words(code) for code in feature.topic_codes],
        "coping": [code_words(code) for code in feature.coping_codes],
        "declined_help": feature.declined_help,
        "languages": [f"{code} {share:.0%}" for code, share in sorted(feature.language_shares.items())],
        "ill": feature.is_ill,
        "intoxicated": feature.is_intoxicated,
        "signal_ok": feature.signal_ok,
        "speech": round(feature.speech_seconds) if feature.speech_seconds else None,
    }


def after_end(found: Review) -> list[dict[str, Any]]:
    """Return what a therapy session that has ended still asks for: doors of the features that offer one."""
    session = found.session
    if session.kind != SessionKind.THERAPY or session.ended_at is None:
        return []
    return [
        {"title": title, "url": reverse(name, args=[session.patient_id]),
         "fields": fields | {"session": str(session.pk)}}
        for title, name, fields in AFTER_END
    ]  # fmt: skip
