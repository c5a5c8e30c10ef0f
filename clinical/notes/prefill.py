"""The lines of times and measures that may be pulled into a note: coded facts, never what anybody thinks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from clinical.assessments.definitions import Definition
from clinical.assessments.models import Assessment
from clinical.assessments.queries import Course, band_words
from clinical.assessments.wording import band_label, change_words, item9_words
from clinical.sessions.told import place_words
from cortex.ui.zone import zone_of
from patients.codes import SessionKind, SessionStatus

# A measure of the two weeks before the contact is about it.
RECENT = timedelta(days=14)
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


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
    place = place_words(session)
    return f"{words}, {place.lower()}." if place else f"{words}."


def measure_lines(courses: Iterable[Course], occurred_at: datetime, zone: str) -> list[str]:
    """Return one line per measure that was taken in the two weeks up to the contact, or on its day.

    The newest of that time: a note that is written late says nothing of what was taken since. Days are those
    of the person's own zone. A PHQ-9 says its answer to item 9; the change since the baseline stands beside
    where it is reliable.
    """
    lines, (start, end) = [], about(occurred_at)
    for whole in courses:
        course = replace(whole, points=[one for one in whole.points if one.at <= end])
        latest = course.latest
        if latest is None or latest.at < start:
            continue
        change = "; ".join(filter(None, (change_words(course.since_last()), _since_baseline(course, zone))))
        band = band_label(course, latest.band)
        said = _said(course.definition, latest.total, band, _day(latest.at, zone), change)
        lines.append(" ".join(filter(None, (said, _item9(course)))))
    return lines


def _since_baseline(course: Course, zone: str) -> str:
    """Say a reliable change since the baseline; "" where the baseline is the point before."""
    change, baseline = course.since_baseline(), course.baseline
    if change is None or baseline is None or change.reliable == "no" or course.points[-2] is baseline:
        return ""
    return f"since the baseline ({baseline.total} on {_day(baseline.at, zone)}) {change_words(change)}"


def _item9(course: Course) -> str:
    latest = course.latest
    if latest is None or course.definition.key != "phq9":
        return ""
    said = item9_words(latest.item9)
    return f"Item 9: {said.partition(': ')[2]}." if said else "Item 9 was left out."


def about(occurred_at: datetime) -> tuple[datetime, datetime]:
    """Return between which times a measure is about a contact."""
    start, end = FIRST + 2 * RECENT, LAST - 2 * RECENT
    near = min(max(occurred_at, start), end)  # a draft of before may say a year that has no day after it
    return near - RECENT, near + timedelta(days=1)


def _said(definition: Definition, total: int, band: str, day: str, change: str) -> str:
    words = _total(definition, total) + (f" ({band.lower()})" if band else "")
    return f"{words}, {day}{f': {change}' if change else ''}."


def _total(definition: Definition, total: int) -> str:
    return f"{definition.title} {total} of {definition.highest}"


def _day(at: datetime, zone: str) -> str:
    return f"{at.astimezone(zone_of(zone)):%-d %b %Y}"


def of_visit(rows: Iterable[Assessment], session: Any, text: str, zone: str) -> list[Assessment]:
    """Return the measures that were taken within a session (or None), or whose line stands in a text."""
    lines = text.splitlines()
    return [one for one in rows if _is_within(session, one) or _stands(one, lines, zone)]


def _is_within(session: Any, one: Assessment) -> bool:
    if session is None:
        return False
    if one.session_id == session.pk:
        return True
    # What a clinician still runs lasts until now; what an app never ended has no length.
    is_running = session.kind == SessionKind.THERAPY and session.status == SessionStatus.IN_PROGRESS
    end = session.ended_at or (one.administered_at if is_running else session.started_at)
    return session.started_at <= one.administered_at <= end


def _stands(one: Assessment, lines: Iterable[str], zone: str) -> bool:
    """Whether a line says this total of this day, as `measure_lines` says it; older ones say UTC's day."""
    if one.total is None:
        return False
    total = _total(one.instrument.read(), one.total)
    days = {f", {_day(one.administered_at, name)}" for name in (zone, "UTC")}
    return any(total in line and any(day in line for day in days) for line in lines)


def taken_words(one: Assessment, zone: str) -> str:
    """Say what one measure came to, and on which day of a zone it was taken."""
    definition, day = one.instrument.read(), _day(one.administered_at, zone)
    if one.total is None:
        return f"{definition.title}, no total, {day}"
    return _said(definition, one.total, band_words(one), day, "").rstrip(".")
