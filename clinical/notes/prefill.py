"""The lines of times and measures that may be pulled into a note: coded facts, never what anybody thinks."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from clinical.assessments.queries import Course
from clinical.assessments.wording import band_label, change_words
from cortex.ui.zone import zone_of

# A measure of the two weeks before the contact is about it.
RECENT = timedelta(days=14)


def session_line(session: Any, zone: str) -> str:
    """Return when and how a session was: its day, its times in the person's own zone, its minutes."""
    local = session.started_at.astimezone(zone_of(zone))
    words = f"{session.get_kind_display()}, {local:%-d %b %Y, %H:%M}"
    if session.ended_at is not None:
        words += f" to {session.ended_at.astimezone(zone_of(zone)):%H:%M}"
    seconds = session.duration_seconds or (
        (session.ended_at - session.started_at).total_seconds() if session.ended_at else None
    )
    if seconds:
        words += f" ({round(seconds / 60)} min)"
    if session.channel:
        words += f", {session.get_channel_display().lower()}"
    return words + "."


def measure_lines(courses: Iterable[Course], occurred_at: datetime) -> list[str]:
    """Return one line per measure that was taken in the two weeks up to the contact, or on its day."""
    lines = []
    for course in courses:
        latest = course.latest
        if latest is None or not occurred_at - RECENT <= latest.at <= occurred_at + timedelta(days=1):
            continue
        band = band_label(course, latest.band)
        words = f"{course.definition.title} {latest.total} of {course.definition.highest}"
        words += f" ({band.lower()})" if band else ""
        change = change_words(course.since_last())
        lines.append(f"{words}, {latest.at:%-d %b %Y}{f': {change}' if change else ''}.")
    return lines
