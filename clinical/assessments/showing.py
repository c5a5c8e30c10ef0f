"""What a measure's course and its answers are shown as; no query."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import localtime

from clinical.assessments.drawing import Mark, legend, measure, place_of, table_row
from clinical.assessments.queries import Course
from clinical.assessments.wording import (
    band_label,
    baseline_words,
    change_words,
    direction,
    item9_words,
    signed,
)
from clinical.sessions.models import SessionRun
from cortex.ui.paths import path_to
from crisis.alerts.models import RiskAlert
from crisis.alerts.wording import review_words
from crisis.reviews.models import ReviewItem
from patients.registry.models import Patient


def marks_of(alerts: Iterable[tuple[datetime, str]], changes: Iterable[tuple[datetime, str]]) -> list[Mark]:
    """Return alerts, by their level, and changes of a plan, in words, as marks on a course, oldest first."""
    found = [Mark(when, f"alert, {level}") for when, level in alerts]
    found += [Mark(when, words, is_plan=True) for when, words in changes]
    return sorted(found, key=lambda one: one.at)


def course_row(
    one: Course, patient_id: UUID | None, marks: Sequence[Mark] = (), *, at: datetime
) -> dict[str, Any]:
    """Return one measure as its card shows it; without a person nothing in its table is a link."""
    latest, track = one.latest, one.track()
    words = [f"{localtime(point.at):%-d %b %Y}: {point.total}" for point in one.points[-6:]]
    key = one.definition.key
    return {
        "key": key,
        "title": one.definition.title,
        "about": one.definition.about,
        "total": latest.total if latest else None,
        "most": one.definition.highest,
        "band": band_label(one, latest.band) if latest else "",
        "at": latest.at if latest else None,
        "change": change_words(one.since_last()),
        "since_baseline": since_baseline_words(one),
        "baseline": baseline_words(one),
        "delta": signed(change.points) if (change := one.since_last()) else "",
        "direction": direction(one),
        "track": track.state,
        "track_why": track.why,
        "picture": measure(one, f"m-{key}", ". ".join(words), marks, now=at) if one.points else "",
        "legend": legend(one, marks, now=at),
        "marks": [
            {"at": mark.at, "words": mark.words}
            for mark in marks
            if one.points and mark.at >= one.points[0].at
        ],
        "table": _table(one, patient_id, at),
    }


def _table(one: Course, patient_id: UUID | None, at: datetime) -> SafeString:
    """Return the rows of a measure's table, the newest first."""
    gaps, rows = one.gaps(), []
    for point in reversed(one.points):
        day = f"{localtime(point.at):%-d %b %Y}"
        if patient_id is not None:
            url = path_to("clinical:measure_result", patient_id, point.assessment_id)
            day = f'<a href="{url}">{day}</a>'
        said = (
            ("baseline", point is one.baseline and len(one.points) > 1),
            (item9_words(point.item9) or "item 9 not at zero", "item9_endorsed" in point.flags),
            ("prorated", point.prorated),
            ("visits are missing before it", point.at in gaps),
        )
        words = "; ".join(word for word, holds in said if holds)
        cells = (point.total, band_label(one, point.band), words)
        rows.append(table_row(day, cells, place_of(point.at, one.points, at)))
    return mark_safe("".join(rows))  # noqa: S308


def since_baseline_words(one: Course) -> str:
    """Return the change since the baseline; "" where the baseline is the point before."""
    if len(one.points) < 2 or one.points[-2] is one.baseline:
        return ""
    return change_words(one.since_baseline())


def alert_row(alert: RiskAlert, at: datetime) -> dict[str, Any]:
    """Return one open alert: its level, who has it, and whether the time to claim it is over."""
    return {
        "url": reverse("crisis:alert_page", args=[alert.pk]),
        "level": alert.level,
        "owner": alert.assigned_to.full_name if alert.assigned_to else "",
        "due": alert.claim_due_at,
        "is_over": alert.claim_due_at is not None and alert.claim_due_at <= at,
        "raised": alert.raised_at,
    }


def task_row(
    item: ReviewItem, reader_id: UUID | None, stands_in_for: Collection[UUID], at: datetime
) -> dict[str, Any]:
    """Return one open task: what it is, who has it and by when; the link is for them and who stands in."""
    owner = item.owner.full_name if item.owner else ""
    return {
        "words": review_words(item.reason_code)[0],
        "owner": f"{owner}, for whom you stand in," if item.owner_id in stands_in_for else owner,
        "due": item.due_at,
        "late": item.due_at <= at,
        "url": item.page_for(reader_id, stands_in_for),
    }


def way_to_assess(patient: Patient, runs: Iterable[SessionRun]) -> dict[str, str]:
    """Return where the reader writes down a risk assessment: in their session, else in a new one.

    `runs` are the sessions that the reader has under way.
    """
    own = next((one for one in runs if one.patient.person_id == patient.person_id), None)
    if own is not None:
        url = reverse("clinical:session_risk", args=[own.patient_id, own.session_id])
        return {"url": url, "label": "Assess risk in your session"}
    return {"url": reverse("clinical:sessions", args=[patient.pk]), "label": "Start a session to assess risk"}
