"""Coded factors in words: label, domain, age and source; never what the person wrote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.urls import reverse

from crisis.alerts.models import RiskAlert
from crisis.alerts.wording import reason_sentence
from crisis.risk.interpretation import interpret
from crisis.risk.labels import ACTIONS, FACTORS, MISSING, label

DOMAINS = {
    "text": "Words",
    "dissonance": "Voice against words",
    "emotion": "Emotions",
    "phq": "PHQ-9",
    "cssrs": "C-SSRS",
    "trajectory": "Course",
    "baseline": "Voice",
    "history": "History",
    "stressors": "Situation",
    "disengagement": "Contact",
    "sos": "SOS button",
    "third_party": "Third party",
    "warning": "Warning sign",
    "state": "Current state",
    "others": "Other people",
    "review": "Clinician",
    "protected": "Kept back from you",
}
SOURCES = {
    "message": "a chat message",
    "transcript": "a voice check-in",
    "check_in": "a daily check-in",
    "activity": "an exercise in the app",
    "feedback": "feedback in the app",
    "voice": "the voice signal",
    "text_model": "the text model",
    "pattern": "the nightly pattern",
    "instrument": "a questionnaire",
    "clinician": "a clinician",
    "sos": "the SOS button",
    "third_party": "somebody else",
    "alert": "an alert",
    "protected": "under a sensitivity label",
}
ICONS = {
    "text": "message-circle",
    "dissonance": "microphone",
    "baseline": "wave-sine",
    "phq": "clipboard-list",
    "cssrs": "clipboard-list",
    "history": "history",
    "sos": "phone",
    "protected": "lock",
}
# Sources that hold words which somebody may open on request.
OPENABLE = frozenset({"message", "transcript", "check_in", "activity", "feedback"})


def factor_rows(
    alert: RiskAlert, factors: Sequence[dict[str, Any]], at: datetime, *, linked: bool
) -> list[dict[str, Any]]:
    """Return what somebody sees of an alert's factors as rows; `linked` adds the way to each source.

    Where a rule decided, it stands first: what it fired on, a button say, may be no factor of the score.
    """
    return [*_decided(alert, at), *(_row(factor, at, alert.pk if linked else None) for factor in factors)]


def signal_rows(factors: Sequence[dict[str, Any]], at: datetime) -> list[dict[str, Any]]:
    """Return what somebody sees of an assessment's factors as rows, without a way to any source."""
    return [_row(factor, at) for factor in factors]


def _decided(alert: RiskAlert, at: datetime) -> list[dict[str, Any]]:
    if alert.reason_code not in alert.rules_fired:
        return []
    return [
        {
            "label": reason_sentence(alert.reason_code), "domain": "", "share": None, "icon": "urgent",
            "source": "a fixed rule", "age": age_words(at - alert.level_since), "source_url": "",
        }
    ]  # fmt: skip


def _row(factor: dict[str, Any], at: datetime, opened_from: UUID | None = None) -> dict[str, Any]:
    """Return a factor as a row; `opened_from` is the alert from whose page its words may be opened."""
    code, domain = factor.get("code", ""), factor.get("domain", "")
    source = factor.get("source_type", "")
    share = factor.get("share")
    opens = opened_from is not None and source in OPENABLE and factor.get("source_id")
    return {
        "label": _capital(label(FACTORS, code, "en")),
        "domain": DOMAINS.get(domain, domain),
        "share": round(share * 100) if share is not None else None,
        "age": age_words(at - datetime.fromisoformat(factor["observed_at"]))
        if factor.get("observed_at")
        else "",
        "source": SOURCES.get(source, source),
        "icon": ICONS.get(domain, "activity"),
        "source_url": reverse("crisis:alert_source", args=[opened_from, factor["source_id"]])
        if opens
        else "",
    }


def age_words(age: Any) -> str:
    """Return "just now", "12 min ago", "3 h ago" or "5 days ago"."""
    minutes = int(age.total_seconds() // 60)
    if minutes < 2:
        return "just now"
    if minutes < 120:
        return f"{minutes} min ago"
    hours = minutes // 60
    return f"{hours} h ago" if hours < 48 else f"{hours // 24} days ago"


def missing_words(codes: list[str]) -> list[str]:
    """Return what the engine could not know, in words."""
    return [_capital(label(MISSING, code, "en")) for code in codes]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def helps(alert: RiskAlert) -> list[dict[str, str]]:
    """Return protective factors that are on the alert; what a person's own plan holds comes with the desk."""
    return [
        {"label": PROTECTIVE[factor["code"]], "source": "on record"}
        for factor in alert.factors
        if factor.get("code") in PROTECTIVE
    ]


def suggested(alert: RiskAlert) -> list[str]:
    """Return what the level asks for next, a line each; nothing once the alert has ended."""
    if not alert.is_open or alert.patient_id is None:
        return []
    return [_capital(one) for one in label(ACTIONS, alert.level, "en").split(", ")]


PROTECTIVE = {
    "PF_REASONS_LIVING": "Has named reasons for living",
    "PF_SOCIAL_SUPPORT": "Has people around",
    "PF_ENGAGED_CARE": "Is in care and keeps appointments",
    "PF_SAFETY_PLAN": "Has a safety plan made together",
    "PF_MEANS_SAFE": "Means were made safe",
    "PF_DEPENDANTS": "Cares for others",
    "PF_FAITH_CULTURE": "Faith or community matters to them",
}


@dataclass(frozen=True, slots=True)
class StoredFactor:
    """A factor as it stands on an alert."""

    code: str
    share: float
    observed_at: datetime


def interpretation(
    alert: RiskAlert, factors: Sequence[dict[str, Any]], at: datetime, locale: str = "en"
) -> str:
    """Return the templated sentence of an alert, rendered from its codes (domain 4.4).

    `factors` are what the reader sees of its own; empty for one that neither a rule nor the score raised.
    """
    if not alert.rules_fired and not factors:
        return ""
    stored = [
        StoredFactor(one["code"], one.get("share") or 0.0, datetime.fromisoformat(one["observed_at"]))
        for one in factors
        if one.get("observed_at")
    ]
    return interpret(
        level=alert.level,
        level_source="floor" if alert.rules_fired else "score",
        rules=alert.rules_fired,
        factors=stored,
        missing=alert.missing_inputs,
        at=at,
        locale=locale,
    )
