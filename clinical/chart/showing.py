"""What a chart's queries found, in the words and shapes of its page; no query, nothing opened."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse

from clinical.assessments.drawing import Mark as CourseMark
from clinical.assessments.drawing import spark
from clinical.assessments.queries import Course
from clinical.assessments.schedule import HIGH, SCREENER
from clinical.assessments.showing import course_row, marks_of
from clinical.assessments.wording import band_label, change_words, direction, signed
from clinical.chart import banner, trajectory
from clinical.chart.news import showing as news
from clinical.chart.parts import Line, Mark
from clinical.chart.queries import DAYS, RANGES, Chart, by_day, mood_span
from clinical.sessions.told import helped, helped_as, place_words, status_words
from clinical.timeline.wording import capital, level_confidence, level_detail
from cortex.ui.templatetags.ui import ends_day
from cortex.ui.zone import zone_of
from crisis.alerts.wording import follow_up_words, reason_sentence, review_words
from crisis.casework.evidence_words import DOMAINS, SOURCES, age_words
from crisis.reviews.models import FollowUp
from crisis.risk.labels import FACTORS, label
from crisis.risk.protected import without_protected
from patients.labels.rules import opens_part2
from patients.registry.queries import local_day

DAILY = (
    ("mood", "Mood", "higher is better"),
    ("sleep_quality", "Sleep", "higher is better"),
    ("stress_level", "Stress", "higher is worse"),
    ("focus_score", "Focus", "higher is better"),
)
# The measures whose courses share the axis; others have their own picture below.
ON_AXIS = ("phq9", "gad7")
# So many lines answer a question on the first screen; the rest are folded.
SHORT = 4
# A mean of fewer days is no mood of a time.
LEAST_DAYS = 3


def shown(found: Chart, at: datetime) -> dict[str, Any]:
    """Return the five answers of a chart's first screen, and what stands below them."""
    axis = axis_of(found)
    changed = changes(found)
    agreed, due = agreed_lines(found), due_lines(found, at)
    courses = sorted((one for one in found.courses.values() if one.points), key=_first_on_axis)
    marks = _course_marks(found)
    head = banner.laid_out(found.look, found.person, found.assessment, found.team, found.decided)
    return head | {
        "tab": "overview",
        "risk": _risk(found),
        "since": found.since,
        "since_session": found.look.met_at,
        "changes": changed[:SHORT],
        "more_changes": changed[SHORT:],
        "agreed": agreed[:SHORT],
        "more_agreed": agreed[SHORT:],
        "next_at": found.next_at,
        "due": due[:SHORT],
        "more_due": due[SHORT:],
        "working": [_working(one) for one in courses],
        "picture": trajectory.drawn(axis, _told(found, axis)),
        "axis_table": trajectory.table(axis),
        "axis_titles": [title for title, _, _ in axis.measures],
        "mark_kinds": {mark.kind for _, mark in axis.marks},
        "ranges": [(days, days == axis.days) for days in RANGES],
        "courses": [course_row(one, found.patient.pk, marks, at=at) for one in courses],
        "daily": [_daily(found, *one) for one in DAILY],
        "check_ins": sum(value is not None for value in _answered(found)),
        "days": DAYS,
        "progress": found.progress,
        "sessions": [_session(one) for one in found.sessions],
        "sessions_withheld": found.sessions_withheld,
        "team": [_place(one) for one in found.team],
        "consents": banner.consent_list(found.decided, at),
        "preference": _preference(found),
        "signals": _signals(found, at),
        "cards": [card for part in found.added for card in part.cards],
    }


def _course_marks(found: Chart) -> list[CourseMark]:
    """Return what was read of alerts and of the plan in force as the marks of each course."""
    alerts = [(one.raised_at, one.level) for one in found.alerts]
    changed = [mark for part in found.added for mark in part.marks if mark.kind == "change"]
    return marks_of(alerts, [(mark.at, mark.words.lower()) for mark in changed])


def _first_on_axis(one: Course) -> tuple[int, str]:
    key = one.definition.key
    return (ON_AXIS.index(key) if key in ON_AXIS else len(ON_AXIS), key)


def _risk(found: Chart) -> dict[str, Any]:
    one = found.assessment
    alert = found.open_alerts[0] if found.open_alerts else None
    return banner.stated_beside(found.stated, one, opens_part2(*found.look.standing)) | {
        "level": found.level,
        "said": banner.reason(one),
        "detail": level_detail(one.level_source, one.missing_inputs) if one else "",
        "confidence": level_confidence(one.level_source, one.missing_inputs) if one else "",
        "since": one.entered_level_at if one else None,
        "computed_at": one.computed_at if one else None,
        "engine": one.engine_version if one else "",
        "alert_url": reverse("crisis:alert_page", args=[alert.pk]) if alert else "",
        "alert_reason": reason_sentence(alert.reason_code) if alert else "",
        "owner": alert.assigned_to.full_name if alert and alert.assigned_to else "",
        "alert_level": alert.level if alert else "",
    }


def changes(found: Chart) -> list[dict[str, Any]]:
    """Return what came since the last session (else the reader's last look), newest first."""
    lines = [*_alert_changes(found), *_level_changes(found), *_measure_changes(found)]
    for item in found.items:
        lines.append(
            Line(f"Task: {review_words(item.reason_code)[0]}", item.created_at, icon="clipboard-check")
        )
    if told := _mood_change(found):
        lines.append(told)
    lines += _news(found)
    lines += [line for part in found.added for line in part.changes]
    seen, since = found.seen_before, found.since
    timed = [(line.at, number, line) for number, line in enumerate(lines) if line.at is not None]
    kept = [line for at, _, line in sorted(timed, reverse=True) if since is None or at > since]
    return [
        {"at": line.at, "words": line.words, "icon": line.icon, "url": line.url, "detail": line.detail,
         "is_new": bool(seen and line.at and line.at > seen)}
        for line in kept
    ]  # fmt: skip


def _news(found: Chart) -> list[Line]:
    """Return what was agreed to, missed or cancelled, and who came and left; without a moment nothing."""
    if found.since is None:
        return []
    reader = found.look.context.actor.person
    return [
        *news.consent_lines(found.decided, found.look.at), *news.appointment_lines(found.off),
        *news.team_lines(found.team, found.left, reader.pk),
    ]  # fmt: skip


def _alert_changes(found: Chart) -> Iterable[Line]:
    # Marks go back for years; without a session or a look the axis says what is new.
    since = found.since or found.look.at - timedelta(days=(found.last - found.first).days + 1)
    for one in found.alerts:
        if max(one.raised_at, one.resolved_at or one.raised_at) <= since:
            continue
        url = reverse("crisis:alert_page", args=[one.pk])
        yield Line(f"Alert, {one.level}: {reason_sentence(one.reason_code)}", one.raised_at, url, "urgent")
        if one.resolved_at is not None:
            by = f" by {one.resolved_by.full_name}" if one.resolved_by else ""
            yield Line(f"The alert was ended{by}", one.resolved_at, url, "check")


def _level_changes(found: Chart) -> Iterable[Line]:
    for before, one in zip([None, *found.levels], found.levels, strict=False):
        if one.entered_level_at == one.computed_at and (before is None or before.level != one.level):
            was = f", was {before.level}" if before is not None else ""
            yield Line(f"Level {one.level}{was}", one.computed_at, icon="activity")


def _measure_changes(found: Chart) -> Iterable[Line]:
    for course in found.courses.values():
        if course.latest is None:
            continue
        change = course.since_last()
        words = f"{course.definition.title} {course.latest.total}"
        words += f", {change_words(change)}" if change else ", the first one"
        url = reverse("clinical:measure_result", args=[found.patient.pk, course.latest.assessment_id])
        yield Line(words, course.latest.at, url, "clipboard-list")


def _mood_change(found: Chart) -> Line | None:
    """Return the mean mood since the last session beside that of as many days before it."""
    if found.since is None or not found.check_ins:
        return None
    span = mood_span(local_day(found.patient, found.since), found.last)
    day = found.last - timedelta(days=span)
    now = [one.mood for one in found.check_ins if one.date > day and one.mood is not None]
    then = [
        one.mood for one in found.check_ins
        if day - timedelta(days=span) < one.date <= day and one.mood is not None
    ]  # fmt: skip
    if len(now) < LEAST_DAYS:
        return None
    words = f"Mood {sum(now) / len(now):.1f} on {len(now)} days"
    if len(then) >= LEAST_DAYS:
        words += f", was {sum(then) / len(then):.1f}"
    return Line(words, found.check_ins[-1].submitted_at, icon="mood-smile")


def agreed_lines(found: Chart) -> list[Line]:
    """Return what was agreed: what parts add, then the contacts to come that were promised after a crisis.

    Parts add the contact that a note gives, goals, and the way to the last note, where homework stands: it
    is sealed, and opens there alone.
    """
    lines = [line for part in found.added for line in part.agreed]
    return lines + [_contact(one) for one in found.follow_ups if one.due_at > found.look.at]


def _contact(one: FollowUp, *, late: bool = False) -> Line:
    words, url = follow_up_words(one.label), reverse("crisis:followups")
    return Line(words, one.due_at, url, "phone", late=late, urgent=late)


def due_lines(found: Chart, at: datetime) -> list[Line]:
    """Return what is due for this person, the longest overdue first: tasks, measures and what parts add.

    A promised contact whose time has come stands before them, however short the others make it look.
    """
    me, lent = found.look.context.actor.id, found.stands_in_for
    lines = [
        Line(
            review_words(item.reason_code)[0], ends_day(item.due_at), item.page_for(me, lent),
            "clipboard-check", late=item.due_at <= at,
        )
        for item in found.items
    ]  # fmt: skip
    keys = {one.definition.title: key for key, one in found.courses.items()}
    due = {keys[title]: (title, when) for title, when in found.due}
    for key, (title, when) in due.items():
        if key == SCREENER and found.ask_since is not None:
            continue  # said below, as what is to be done at once
        url = reverse("clinical:measure_ask", args=[found.patient.pk, key])
        lines.append(Line(title, when, url, "clipboard-list"))
    lines += [_contact(one, late=True) for one in found.follow_ups if one.due_at <= at]
    lines += [*_direct(found, is_due=SCREENER in due), *(line for part in found.added for line in part.due)]
    return sorted(lines, key=lambda line: (not line.urgent, line.at or at))


def _direct(found: Chart, *, is_due: bool) -> list[Line]:
    """Return that the person is to be asked about suicide (domain 2.2), by the screener where it can be.

    `is_due`: its own line stands there, which says enough unless it is to be asked at once.
    """
    what = f"Ask the {found.screener}" if found.screener else "Ask directly about suicide"
    url = reverse("clinical:measure_ask", args=[found.patient.pk, SCREENER])
    if found.ask_since is not None:
        return [Line(what, found.ask_since, url, "message-circle", detail="at once", urgent=True)]
    if is_due or found.look.level not in HIGH:
        return []
    return [Line(f"{what} at the next contact", found.next_at, url, "message-circle")]


def _working(one: Any) -> dict[str, Any]:
    track, change = one.track(), one.since_last()
    return {
        "title": one.definition.title,
        "total": one.latest.total,
        "most": one.definition.highest,
        "band": band_label(one, one.latest.band),
        "at": one.latest.at,
        "delta": signed(change.points) if change else "",
        "direction": direction(one),
        "since_baseline": change_words(one.since_baseline()),
        "baseline_at": one.baseline.at,
        "track": track.state,
        "why": track.why,
    }


def axis_of(found: Chart) -> trajectory.Axis:
    """Return what stands on the one time axis."""
    zone = zone_of(found.patient.zone())

    def day(moment: datetime) -> Any:
        return moment.astimezone(zone).date()

    marks = [Mark(one.raised_at, f"Alert, {one.level}", "alert") for one in found.alerts]
    marks += [Mark(moment, "Session", "session") for moment in found.session_times]
    marks += [mark for part in found.added for mark in part.marks]
    courses = [found.courses[key] for key in ON_AXIS if key in found.courses]
    points = [
        (one.definition.title, one.definition.highest,
         [pair for pair in trajectory.days_of([(p.at, p.total) for p in one.points], zone)
          if pair[0] >= found.first])
        for one in courses
    ]  # fmt: skip
    return trajectory.Axis(
        first=found.first,
        last=found.last,
        moods={one.date: one.mood for one in found.check_ins
               if one.mood is not None and found.first <= one.date <= found.last},
        levels=[(day(one.entered_level_at), one.level) for one in found.levels],
        measures=[one for one in points if one[2]],
        gaps={one.definition.title: {day(at) for at in one.gaps()} for one in courses},
        marks=[(day(mark.at), mark) for mark in marks if found.first <= day(mark.at) <= found.last],
    )  # fmt: skip


def _told(found: Chart, axis: trajectory.Axis) -> str:
    parts = [f"{len(axis.moods)} of {axis.days} days have a mood"]
    if found.level:
        parts.append(f"level {found.level} now")
    parts += [f"{title} last {points[-1][1]} of {highest}" for title, highest, points in axis.measures]
    alerts = sum(mark.kind == "alert" for _, mark in axis.marks)
    if alerts:
        parts.append(f"{alerts} alert{'s' if alerts != 1 else ''}")
    return ". ".join(capital(part) for part in parts) + "."


def _answered(found: Chart) -> list[int | None]:
    columns = [by_day(found, name) for name, _, _ in DAILY]
    return [next((value for value in day if value is not None), None) for day in zip(*columns, strict=True)]


def _daily(found: Chart, name: str, title: str, meaning: str) -> dict[str, Any]:
    values = by_day(found, name)
    known = [value for value in values if value is not None]
    mean = sum(known) / len(known) if known else None
    return {
        "title": title,
        "meaning": meaning,
        "picture": spark(values, f"{title} over {len(values)} days, {len(known)} answers"),
        "mean": f"{mean:.1f}" if mean is not None else "",
        "latest": known[-1] if known else None,
        "count": len(known),
    }


def _session(one: Any) -> dict[str, Any]:
    told = [] if one.is_private else list(one.feedback.all())
    answers = [row for row in told if row.author == "patient"] or told
    newest = max(answers, key=lambda row: row.given_at, default=None)
    return {
        "id": one.pk,
        "kind": one.get_kind_display(),
        "channel": place_words(one),
        "status": status_words(one),
        "at": one.started_at,
        "ended": one.ended_at,
        "minutes": round(one.duration_seconds / 60) if one.duration_seconds else None,
        "effect": helped(newest) if newest is not None else "",
        "answered": helped_as(newest) if newest is not None else "",
        "effects": [
            words for name in ("physical_effects", "mental_effects")
            if newest is not None and (words := effect_words(getattr(newest, name)))
        ],
    }  # fmt: skip


def effect_words(value: Any) -> str:
    """Return what an app sent as effects (a list, an object or a text) as one line."""
    if isinstance(value, dict):
        return ", ".join(f"{str(key).replace('_', ' ')} {told}" for key, told in value.items())
    if isinstance(value, list):
        return ", ".join(str(one).replace("_", " ") for one in value)
    return str(value) if value else ""


def _place(one: Any) -> dict[str, Any]:
    covered = one.cover_for.user.full_name if one.cover_for_id and one.cover_for.user else ""
    return {
        "name": one.user.full_name if one.user else "Without an account",
        "role": one.get_role_display(),
        "covers": covered,
        "until": one.ends_at,
    }


def _preference(found: Chart) -> list[tuple[str, str]]:
    one = found.preference
    if one is None:
        return []
    rows = (
        ("Voice", one.voice_preference.replace("_", " ")),
        ("Background", one.background_sound_type.replace("_", " ")),
        ("Length", f"{one.preferred_duration_minutes} min" if one.preferred_duration_minutes else ""),
        ("Morning", f"{one.morning_routine_time:%H:%M}" if one.morning_routine_time else ""),
        ("Evening", f"{one.evening_routine_time:%H:%M}" if one.evening_routine_time else ""),
    )
    return [(title, capital(words)) for title, words in rows if words]


def _signals(found: Chart, at: datetime) -> list[dict[str, Any]]:
    """Return the coded factors of the newest evaluation as the reader sees them, the largest share first."""
    rows = []
    factors = found.assessment.factors if found.assessment else []
    for factor in factors if opens_part2(*found.look.standing) else without_protected(factors):
        seen = factor.get("observed_at")
        share = factor.get("share")
        rows.append(
            {
                "label": capital(label(FACTORS, factor.get("code", ""), "en")),
                "domain": DOMAINS.get(factor.get("domain", ""), factor.get("domain", "")),
                "share": round(share * 100) if share is not None else None,
                "source": SOURCES.get(factor.get("source_type", ""), ""),
                "age": age_words(at - datetime.fromisoformat(seen)) if seen else "",
            }
        )
    return rows
