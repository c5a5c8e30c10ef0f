"""What an app sent of a session beside words, as the lines of a page; no query, nothing is opened here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from clinical.sessions.coding import ENTRY_WORDS, code_words, deflection_words
from cortex.access.context import holds
from patients.codes import DissonanceType, EmotionSource, SessionStatus
from patients.sessions.models import Session, SessionActivity, SessionFeature, SessionFeedback
from patients.sessions.observations import EmotionObservation

# What every other scale is told on (domain K4).
COMMON_SCALE = 5
SENT = ("tags", "metrics")
EMPTY: tuple[Any, ...] = (None, "", [], {})
# Sources of emotions that a model reads, as the card of a session names them.
MODELS = {EmotionSource.VOICE: "Voice", EmotionSource.TEXT: "Words"}
UNNAMED = "model not named"
# What stands where an older row has no version.
NOT_KEPT = "of a version that was not kept"
SAID = {True: "yes", False: "no"}


def lines_of(value: Any, name: str = "") -> list[str]:
    """Return a value of whatever shape as lines: names in words, what stands behind them as it was sent.

    0 and False are said, what is empty is left out; names within names stand one behind the other.
    """
    if value in EMPTY:
        return []
    if isinstance(value, dict):
        return [line for key, one in value.items() for line in lines_of(one, _below(name, str(key)))]
    if isinstance(value, list) and any(isinstance(one, dict | list) for one in value):
        return [line for one in value for line in lines_of(one, name)]
    said = ", ".join(_said(one) for one in value) if isinstance(value, list) else _said(value)
    return [f"{name}: {said}" if name else said]


def _below(name: str, key: str) -> str:
    return f"{name}, {code_words(key)}" if name else code_words(key).capitalize()


def _said(value: Any) -> str:
    return SAID[value] if isinstance(value, bool) else str(value)


def status_words(session: Session) -> str:
    """Return where a session stands, one word in every place; `run` was read with it.

    An app that never says so leaves a session without an end: nobody is in it any more.
    """
    if session.status != SessionStatus.IN_PROGRESS:
        return str(session.get_status_display())
    run = getattr(session, "run", None)
    return "Under way" if run is not None and run.ended_at is None else "No end was sent"


def place_words(session: Session) -> str:
    """Return where a session takes place; "" where its kind says that already, and where nobody said."""
    place = str(session.get_channel_display()) if session.channel else ""
    return "" if place == session.get_kind_display() else place


def helped(row: SessionFeedback) -> str:
    """Return how a session helped as 1 to 5, whatever scale it was asked on (domain K4); "" unanswered."""
    if row.effectiveness_raw is None:
        return ""
    return f"{1 + 4 * (row.effectiveness_raw - 1) / (row.effectiveness_scale - 1):.1f}"


def helped_as(row: SessionFeedback) -> str:
    """Return the answer as it was given where it was asked on another scale than 1 to 5, else ""."""
    if row.effectiveness_raw is None or row.effectiveness_scale == COMMON_SCALE:
        return ""
    return f"{row.effectiveness_raw} of {row.effectiveness_scale}"


def with_next(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Say of each reading which one waits after it, else before it: there the focus goes from its verdict."""
    waiting = [one["id"] for one in rows if one["waits"]]
    after = dict(zip(waiting, [*waiting[1:], *waiting[-2:-1]], strict=False))
    return [one | {"next": after.get(one["id"])} for one in rows]


def has_sent(session: Session) -> bool:
    """Whether an app said how a session was: its mood, tags or figures."""
    return bool(session.mood_label) or any(holds(session, name) for name in SENT)


def sent_rows(session: Session) -> list[tuple[str, list[str]]]:
    """Return how a session was by the app, of which SENT is opened: (title, lines), empty ones left out."""
    tags = session.tags if isinstance(session.tags, list) else [session.tags]
    rows = (
        ("Mood", lines_of(code_words(session.mood_label).capitalize())),
        ("Tags", lines_of([code_words(one) for one in tags if isinstance(one, str)])),
        ("Figures", lines_of(session.metrics)),
    )
    return [(title, lines) for title, lines in rows if lines]


def model_named(name: str, version: str, otherwise: str = UNNAMED) -> str:
    """Return a model with its version, as far as the app named them."""
    return " ".join(filter(None, (name, version))) or otherwise


def model_words(one: EmotionObservation) -> str:
    """Return which model read an emotion, with its version; "" for what a person said."""
    if one.source not in MODELS:
        return ""
    return model_named(one.model_name, one.model_version)


def read_by(feature: SessionFeature, readings: Iterable[EmotionObservation], gap_by: str) -> list[str]:
    """Return what made the figures of a session: the app's models, as its readings name them, the engine."""
    named: dict[str, set[str]] = {source: set() for source in MODELS}
    for one in readings:
        if one.source in MODELS:
            named[one.source].add(model_words(one))
    has = {EmotionSource.VOICE: feature.voice_emotion, EmotionSource.TEXT: feature.text_emotion}
    lines = [
        f"{title} read by the app: {' and '.join(sorted(named[source])) or UNNAMED}."
        for source, title in MODELS.items()
        if has[source]
    ]
    if feature.dissonance_type:
        lines.append(f"Compared by risk engine {gap_by or NOT_KEPT}.")
    if feature.topic_codes or feature.coping_codes:
        lines.append("Topics and coping coded by the app.")
    return lines


def gap_confidence(feature: SessionFeature) -> float | None:
    """Return how sure the less sure of words and voice is; None where they were not compared.

    What the person said that they feel speaks before what was read in their words.
    """
    if feature.dissonance_type in ("", DissonanceType.UNKNOWN):
        return None
    pairs = (
        (feature.stated_valence, feature.stated_confidence), (feature.text_valence, feature.text_confidence)
    )  # fmt: skip
    words = next((sure for valence, sure in pairs if None not in (valence, sure)), None)
    return min(words, feature.voice_confidence) if words and feature.voice_confidence else None


def felt_rows(feature: SessionFeature) -> dict[str, Any]:
    """Return what a machine read in the words of a session: the emotion, and how a question was put aside."""
    return {
        "text": feature.get_text_emotion_display() if feature.text_emotion else "",
        "text_confidence": feature.text_confidence or 0,
        "deflections": deflection_words(feature.deflection_codes),
    }


def exercise_of(one: SessionActivity) -> tuple[str, list[str], list[str]]:
    """Return an exercise, opened, as (title, what was entered, what the app's machine made of it).

    What a session's own log says stands in the log.
    """
    entered = [] if one.activity_type in ENTRY_WORDS else lines_of(one.activity_data)
    return code_words(one.activity_type).capitalize(), entered, lines_of(one.ai_analysis)


def has_exercise(one: SessionActivity) -> bool:
    """Whether an exercise holds anything that `exercise_of` shows, without opening it."""
    entered = one.activity_type not in ENTRY_WORDS and holds(one, "activity_data")
    return entered or holds(one, "ai_analysis")
