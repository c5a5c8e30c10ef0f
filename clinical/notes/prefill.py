"""The lines of times and measures that may be pulled into a note: coded facts, never what anybody thinks."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from clinical.assessments.definitions import Definition
from clinical.assessments.models import Assessment
from clinical.assessments.queries import Course, band_words
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
    lines, (start, end) = [], about(occurred_at)
    for course in courses:
        latest = course.latest
        if latest is None or not start <= latest.at <= end:
            continue
        change = change_words(course.since_last())
        band = band_label(course, latest.band)
        lines.append(_said(course.definition, latest.total, band, latest.at, change))
    return lines


def about(occurred_at: datetime) -> tuple[datetime, datetime]:
    """Return between which times a measure is about a contact."""
    return occurred_at - RECENT, occurred_at + timedelta(days=1)


def _said(definition: Definition, total: int, band: str, at: datetime, change: str) -> str:
    words = _total(definition, total) + (f" ({band.lower()})" if band else "")
    return f"{words}, {_day(at)}{f': {change}' if change else ''}."


def _total(definition: Definition, total: int) -> str:
    return f"{definition.title} {total} of {definition.highest}"


def _day(at: datetime) -> str:
    return f"{at:%-d %b %Y}"


def of_visit(rows: Iterable[Assessment], session: Any, text: str) -> list[Assessment]:
    """Return the measures that were taken within a session (or None), or whose line stands in a text."""
    lines = text.splitlines()
    return [one for one in rows if _is_within(session, one) or _stands(one, lines)]


def _is_within(session: Any, one: Assessment) -> bool:
    if session is None:
        return False
    end = session.ended_at or session.started_at
    return one.session_id == session.pk or session.started_at <= one.administered_at <= end


def _stands(one: Assessment, lines: Iterable[str]) -> bool:
    """Whether a line says this total of this day, as `measure_lines` said it."""
    if one.total is None:
        return False
    total, day = _total(one.instrument.read(), one.total), f", {_day(one.administered_at)}"
    return any(total in line and day in line for line in lines)


def taken_words(one: Assessment) -> str:
    """Say what one measure came to, and when it was taken."""
    definition = one.instrument.read()
    if one.total is None:
        return f"{definition.title}, no total, {_day(one.administered_at)}"
    return _said(definition, one.total, band_words(one), one.administered_at, "").rstrip(".")
