"""How sure a machine is and who said it, in words; no query."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.utils.timezone import localtime

from clinical.sessions.told import NOT_KEPT, model_named
from crisis.casework.evidence_words import PROTECTIVE, SOURCES
from crisis.risk.labels import FACTORS, MISSING, label

# Domain K28: .70 is where a reading may be shown as a fact, .40 where it counts at all.
CONFIDENCE = (
    (0.9, "very sure"),
    (0.7, "fairly sure"),
    (0.4, "not sure: look for yourself"),
    (0.0, "a guess: below what counts as a sign"),
)
LEVEL_SOURCES = {
    "score": "the signals together",
    "floor": "a fixed rule",
    "held": "kept up until a person has looked",
    "clinician": "set by a clinician",
}


def confidence_words(confidence: float) -> str:
    """Return a confidence of 0 to 1 in words."""
    return next(words for least, words in CONFIDENCE if confidence >= least)


# Signals that the desk's own words don't name.
SIGNALS = {
    "ATTEMPT_NOW": "an attempt in the last hours", "HARM_TO_OTHERS": "words about harming somebody",
    "THIRD_PARTY_CONCERN": "somebody worries about them", "SOS_TALK": "asked for a person",
    "THIRD_PARTY_IMMINENT": "somebody says that they are in danger",
    "SOS_IN_DANGER": "pressed the button: in danger", "PHQ9_ITEM9_MISSING": "PHQ-9 item 9 left out",
    "CSSRS_DECLINED": "the C-SSRS declined", "WS_INTENT": "speaks of an intent",
    "WS_PLAN": "speaks of a plan", "WS_PREPARATION": "speaks of preparations",
    "WS_MEANS_SEEKING": "looks for means", "WS_GOODBYE_GIVING_AWAY": "says goodbye or gives things away",
    "WS_SUDDEN_CALM": "suddenly calm", "WS_RAGE": "rage", "WS_RECKLESS": "reckless",
    "WS_WITHDRAWAL_SUDDEN": "withdrew suddenly",
    "DISSONANCE_CONGRUENT": "voice and words agree", "PF_PROBLEM_SOLVING": "solves problems",
    "PF_FUTURE_PLANS": "has plans for the future",
}  # fmt: skip


# What compares numbers that came from an app.
BUILT = {"dissonance": "Risk engine", "baseline": "Voice baseline"}
NOT_NAMED = "that the app did not name"
READ_FROM = {"text": "words in the app", "self_report": "what they said that they feel"}
Reading = Mapping[str, str]

# Beside a signal about substance use where Part 2 is closed to the reader.
KEPT_BACK = "What it is stays closed to you under a sensitivity label."
TONE = "EMO_"


def capital(text: str) -> str:
    """Return a text with a capital letter in front."""
    return text[:1].upper() + text[1:]


def evidence_title(code: str) -> str:
    """Return a coded signal in words."""
    if code.startswith(TONE) and code not in FACTORS:
        return f"{code.removeprefix(TONE).capitalize()} in tone"
    return capital(SIGNALS.get(code) or PROTECTIVE.get(code) or label(FACTORS, code, "en"))


def evidence_confidence(source_type: str, confidence: float) -> str:
    """Return how sure a signal is; what a person answered or pressed is no estimate."""
    if source_type in ("instrument", "sos", "clinician"):
        return "a fixed rule, no estimate"
    return confidence_words(confidence)


def evidence_said_by(domain: str, source_type: str, version: str, read: Reading | None = None) -> str:
    """Return what read a signal, with its version; `read` is the observation that an emotion comes from."""
    if domain == "emotion" and read and read["source"] == "self_report":
        return "The person"
    if domain == "emotion":
        named = model_named(read["name"], read["version"], NOT_NAMED) if read else NOT_NAMED
        return f"Emotion model {named}"
    if domain in BUILT:
        return f"{BUILT[domain]} {version or NOT_KEPT}"
    if source_type == "text_model":
        return f"Text model {version}".strip()
    if version:
        return f"Lexicon {version}"
    return {"instrument": "Instrument scoring", "voice": "Voice analysis"}.get(source_type, "Risk engine")


def evidence_source(source_type: str, read: Reading | None = None) -> str:
    """Return what a signal was read from."""
    if read is not None and read["source"] in READ_FROM:
        return f"From {READ_FROM[read['source']]}."
    return f"From {SOURCES.get(source_type, source_type.replace('_', ' '))}."


def level_detail(level_source: str, missing: list[str]) -> str:
    """Return what a level rests on, and what the engine could not know."""
    rests = capital(LEVEL_SOURCES.get(level_source, level_source)) + "."
    unknown = ", ".join(label(MISSING, code, "en") for code in missing)
    return f"{rests} Not known: {unknown}." if unknown else rests


def level_confidence(level_source: str, missing: list[str]) -> str:
    """Return how far a level can be trusted, in words."""
    if level_source == "clinician":
        return "a person's judgement"
    if level_source == "floor":
        return "a fixed rule, no estimate"
    return "fairly sure" if not missing else "not sure: something is not known"


def joined_words(name: str, role: str, covered: str, ends_at: datetime | None) -> str:
    """Return how somebody came to a team."""
    words = f"{name} covers for {covered}" if covered else f"{name} joined, {role.lower()}"
    return f"{words}, until {localtime(ends_at):%-d %b %Y}" if ends_at and covered else words
