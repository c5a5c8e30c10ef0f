"""What a chart's queries found, in the words and shapes of its page; no query, nothing opened."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.urls import reverse

from clinical.assessments.drawing import spark
from clinical.assessments.showing import course_row
from clinical.assessments.wording import change_words
from clinical.chart.queries import Chart, by_day
from crisis.alerts.wording import review_words
from crisis.risk.reasons import reason_code, sentence

DAILY = (
    ("mood", "Mood", "higher is better"),
    ("sleep_quality", "Sleep", "higher is better"),
    ("stress_level", "Stress", "higher is worse"),
    ("focus_score", "Focus", "higher is better"),
)
CONSENT_WORDS = {
    "treatment": "Treatment",
    "voice_processing": "Voice and patterns",
    "emergency_contact": "Emergency contact",
    "care_team_sharing": "Sharing with the team",
}
SOURCES = {
    "score": "the signals together",
    "floor": "a rule",
    "held": "kept up until a person has looked",
    "clinician": "a clinician",
}


def shown(found: Chart, at: datetime) -> dict[str, Any]:
    """Return the five answers of a chart's first screen, and what stands below them."""
    return {
        "patient": found.patient,
        "person": found.person,
        "risk": _risk(found),
        "changes": changes(found),
        "seen_before": found.seen_before,
        "agreed": [{"label": f"Contact {one.label}", "due": one.due_at} for one in found.follow_ups],
        "courses": [course_row(one) for one in found.courses.values() if one.points],
        "due": due_rows(found, at),
        "daily": [_daily(found, *one) for one in DAILY],
        "check_ins": len(found.check_ins),
        "days": len(found.days),
        "table": [
            {
                "date": one.date,
                "mood": one.mood,
                "sleep": one.sleep_quality,
                "stress": one.stress_level,
                "focus": one.focus_score,
            }
            for one in reversed(found.check_ins)
        ],
        "sessions": [_session(one) for one in found.sessions],
        "team": [_place(one) for one in found.team],
        "consents": [(CONSENT_WORDS[kind], held) for kind, held in found.consents.items()],
        "reviewed_at": found.mark.reviewed_at if found.mark else None,
    }


def _risk(found: Chart) -> dict[str, Any]:
    one = found.assessment
    alert = found.alerts[0] if found.alerts else None
    told = ""
    if one is not None and (one.rules_fired or found.level not in ("", "low")):
        told = sentence(reason_code(one.rules_fired, one.level)) + "."
    return {
        "level": found.level,
        "said": told,
        "by": SOURCES.get(one.level_source, "") if one else "",
        "since": one.entered_level_at if one else None,
        "computed_at": one.computed_at if one else None,
        "engine": one.engine_version if one else "",
        "alert_url": reverse("crisis:alert_page", args=[alert.pk]) if alert else "",
        "owner": alert.assigned_to.full_name if alert and alert.assigned_to else "",
        "alert_level": alert.level if alert else "",
    }


def changes(found: Chart) -> list[dict[str, Any]]:
    """Return what came since the reader's look before this one, newest first."""
    seen = found.seen_before
    lines: list[tuple[datetime, str, str]] = []
    for alert in found.alerts:
        lines.append((alert.raised_at, f"An alert was raised, {alert.level}.", "urgent"))
    if found.assessment is not None and found.level in ("medium", "high", "critical"):
        lines.append((found.assessment.entered_level_at, f"The level became {found.level}.", "activity"))
    for course in found.courses.values():
        if course.latest is not None:
            words = f"{course.definition.title} {course.latest.total}"
            change = course.since_last()
            words += f", {change_words(change)}." if change else ", the first one."
            lines.append((course.latest.at, words, "clipboard-list"))
    if found.sessions:
        count = sum(one.started_at > seen for one in found.sessions) if seen else len(found.sessions)
        if count:
            words = f"{count} session{'s' if count != 1 else ''}."
            lines.append((found.sessions[0].started_at, words, "message-circle"))
    for item in found.items:
        lines.append((item.created_at, f"Task: {review_words(item.reason_code)[0]}.", "clipboard-check"))
    kept = [line for line in lines if seen is None or line[0] > seen]
    return [{"at": at, "words": words, "icon": icon} for at, words, icon in sorted(kept, reverse=True)]


def due_rows(found: Chart, at: datetime) -> list[dict[str, Any]]:
    """Return what is due for this person: tasks and measures, the longest overdue first."""
    rows = [
        {
            "label": review_words(item.reason_code)[0],
            "due": item.due_at,
            "late": item.due_at <= at,
            "url": reverse("crisis:review_detail", args=[item.pk]),
        }
        for item in found.items
    ]
    page = reverse("clinical:measures", args=[found.patient.pk])
    rows += [{"label": title, "due": when, "late": False, "url": page} for title, when in found.due]
    return sorted(rows, key=lambda row: row["due"])


def _daily(found: Chart, name: str, title: str, meaning: str) -> dict[str, Any]:
    values = by_day(found, name)
    known = [value for value in values if value is not None]
    mean = sum(known) / len(known) if known else None
    label = f"{title} over {len(values)} days, {len(known)} answers"
    return {
        "title": title,
        "meaning": meaning,
        "picture": spark(values, label),
        "mean": f"{mean:.1f}" if mean is not None else "",
        "latest": known[-1] if known else None,
        "count": len(known),
    }


def _session(one: Any) -> dict[str, Any]:
    return {
        "id": one.pk,
        "kind": one.get_kind_display(),
        "channel": one.get_channel_display() if one.channel else "",
        "status": one.get_status_display(),
        "at": one.started_at,
        "minutes": round(one.duration_seconds / 60) if one.duration_seconds else None,
    }


def _place(one: Any) -> dict[str, Any]:
    covered = one.cover_for.user.full_name if one.cover_for_id and one.cover_for.user else ""
    return {
        "name": one.user.full_name if one.user else "Without an account",
        "role": one.get_role_display(),
        "covers": covered,
        "until": one.ends_at,
    }
