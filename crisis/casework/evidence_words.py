"""Coded factors in words: label, domain, age and source; never what the person wrote."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.urls import reverse

from crisis.alerts.models import RiskAlert

LABELS = {
    "TEXT_A": "Words that may mean immediate danger",
    "TEXT_B": "Words about wanting to die or self-harm with intent",
    "TEXT_V": "Words of goodbye",
    "TEXT_SH": "Words about hurting themselves",
    "TEXT_C": "Words of not wanting to live",
    "TEXT_D": "Words of hopelessness or being a burden",
    "TEXT_MODEL": "A text model's signal",
    "ATTEMPT_NOW": "An attempt reported within a day",
    "HARM_TO_OTHERS": "Words about harming somebody",
    "THIRD_PARTY_CONCERN": "Worry about somebody else",
    "THIRD_PARTY_IMMINENT": "Somebody reported immediate danger",
    "SOS_IN_DANGER": "Pressed the button: in danger",
    "SOS_TALK": "Pressed the button: wants to talk",
    "DISSONANCE_CONCEALMENT": "Voice heavier than words",
    "DISSONANCE_MASKED": "Hopeless voice behind fine words",
    "BASELINE_DEVIATION": "Voice far from their usual",
    "BASELINE_DEVIATION_PROVISIONAL": "Voice far from their first sessions",
    "PHQ9_ITEM9": "PHQ-9 item 9 endorsed",
    "PHQ9_TOTAL": "PHQ-9 total",
    "CSSRS_TRIAGE": "C-SSRS triage",
    "CLINICIAN_LEVEL": "Level set by a clinician",
    "RF_ATTEMPT_3M": "Suicide attempt within 3 months",
    "RF_ATTEMPT_12M": "Suicide attempt within 12 months",
    "RF_ATTEMPT_LIFETIME": "Suicide attempt on record",
    "RF_INPATIENT_30D": "Left hospital within 30 days",
    "RF_NSSI": "Self-injury on record",
    "RF_DISENGAGED": "Missed two contacts or more",
    "RF_MEANS_ACCESS": "Has access to means",
    "WS_MEANS_SEEKING": "Is looking for means",
}
DOMAINS = {
    "text": "Words", "dissonance": "Voice against words", "emotion": "Emotions", "phq": "PHQ-9",
    "cssrs": "C-SSRS", "trajectory": "Course", "baseline": "Voice", "history": "History",
    "stressors": "Situation", "disengagement": "Contact", "sos": "SOS button", "third_party": "Third party",
    "warning": "Warning sign", "state": "Current state", "others": "Other people", "review": "Clinician",
}  # fmt: skip
SOURCES = {
    "message": "a chat message", "transcript": "a voice check-in", "check_in": "a daily check-in",
    "activity": "an exercise in the app", "feedback": "feedback in the app", "voice": "the voice signal",
    "text_model": "the text model", "pattern": "the nightly pattern", "instrument": "a questionnaire",
    "clinician": "a clinician", "sos": "the SOS button", "third_party": "somebody else", "alert": "an alert",
}  # fmt: skip
ICONS = {"text": "message-circle", "dissonance": "microphone", "baseline": "wave-sine", "phq": "clipboard-list",
         "cssrs": "clipboard-list", "history": "history", "sos": "phone"}  # fmt: skip
MISSING = {
    "cssrs": "No C-SSRS in the last 30 days",
    "phq9": "No PHQ-9 in the last 42 days",
    "item9": "PHQ-9 item 9 was left out",
    "voice": "No voice check-in this week",
    "history": "No history on record",
    "protective": "Nobody has asked what protects them",
}
# Sources that hold words which somebody may open on request.
OPENABLE = frozenset({"message", "transcript", "check_in", "activity", "feedback"})


def factor_rows(alert: RiskAlert, at: datetime, *, linked: bool) -> list[dict[str, Any]]:
    """Return the factors of an alert as rows, the largest share first; `linked` adds the way to the source."""
    return [_row(alert, factor, at, linked=linked) for factor in alert.factors]


def _row(alert: RiskAlert, factor: dict[str, Any], at: datetime, *, linked: bool) -> dict[str, Any]:
    code, domain = factor.get("code", ""), factor.get("domain", "")
    source = factor.get("source_type", "")
    share = factor.get("share")
    opens = linked and source in OPENABLE and factor.get("source_id")
    return {
        "label": LABELS.get(code, DOMAINS.get(domain, "Signal")),
        "domain": DOMAINS.get(domain, domain),
        "share": round(share * 100) if share is not None else None,
        "age": age_words(at - datetime.fromisoformat(factor["observed_at"])) if factor.get("observed_at") else "",
        "source": SOURCES.get(source, source),
        "icon": ICONS.get(domain, "activity"),
        "source_url": reverse("crisis:alert_source", args=[alert.pk, factor["source_id"]]) if opens else "",
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
    return [MISSING.get(code, code.replace("_", " ")) for code in codes]


def helps(alert: RiskAlert) -> list[dict[str, str]]:
    """Return protective factors that are on the alert; what a person's own plan holds comes with the desk."""
    return [
        {"label": PROTECTIVE[factor["code"]], "source": "on record"}
        for factor in alert.factors
        if factor.get("code") in PROTECTIVE
    ]


PROTECTIVE = {
    "PF_REASONS_LIVING": "Has named reasons for living",
    "PF_SOCIAL_SUPPORT": "Has people around",
    "PF_ENGAGED_CARE": "Is in care and keeps appointments",
    "PF_SAFETY_PLAN": "Has a safety plan made together",
    "PF_MEANS_SAFE": "Means were made safe",
    "PF_DEPENDANTS": "Cares for others",
    "PF_FAITH_CULTURE": "Faith or community matters to them",
}
