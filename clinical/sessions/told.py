"""What an app sent of a session beside words, as the lines of a page; no query, nothing is opened here."""

from __future__ import annotations

from typing import Any

from clinical.sessions.coding import ENTRY_WORDS, code_words, deflection_words
from cortex.access.context import holds
from patients.sessions.models import Session, SessionActivity, SessionFeature

SENT = ("tags", "metrics")
EMPTY: tuple[Any, ...] = (None, "", [], {})
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
