"""What a measure's course and its answers are shown as; no query."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.urls import reverse

from clinical.assessments.drawing import Mark, after_gaps, measure
from clinical.assessments.queries import Course
from clinical.assessments.wording import band_label, baseline_words, change_words, direction, signed
from crisis.alerts.models import RiskAlert
from crisis.alerts.wording import review_words
from crisis.reviews.models import ReviewItem


def marks_of(alerts: Iterable[tuple[datetime, str]], changes: Iterable[tuple[datetime, str]]) -> list[Mark]:
    """Return alerts, by their level, and changes of a plan, in words, as marks on a course, oldest first."""
    found = [Mark(when, f"alert, {level}") for when, level in alerts]
    found += [Mark(when, words, is_plan=True) for when, words in changes]
    return sorted(found, key=lambda one: one.at)


def course_row(one: Course, *, picture: bool = True, marks: Sequence[Mark] = ()) -> dict[str, Any]:
    """Return one measure as its card shows it."""
    latest, track = one.latest, one.track()
    words = [f"{point.at:%-d %b %Y}: {point.total}" for point in one.points[-6:]]
    key = one.definition.key
    gaps = after_gaps(one.points)
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
        "picture": measure(one, f"m-{key}", ". ".join(words), marks) if picture and one.points else "",
        "marks": [
            {"at": mark.at, "words": mark.words}
            for mark in marks
            if one.points and mark.at >= one.points[0].at
        ],
        "points": [
            {
                "id": point.assessment_id,
                "at": point.at,
                "total": point.total,
                "band": band_label(one, point.band),
                "prorated": point.prorated,
                "missed": point.at in gaps,
                "item9": "item9_endorsed" in point.flags,
                "baseline": point is one.baseline and len(one.points) > 1,
            }
            for point in reversed(one.points)
        ],
    }


def since_baseline_words(one: Course) -> str:
    """Return the change since the baseline; "" where the baseline is the point before."""
    if len(one.points) < 2 or one.points[-2] is one.baseline:
        return ""
    return change_words(one.since_baseline())


def alert_row(alert: RiskAlert) -> dict[str, Any]:
    """Return one open alert: its level, and who has it."""
    return {
        "url": reverse("crisis:alert_page", args=[alert.pk]),
        "level": alert.level,
        "owner": alert.assigned_to.full_name if alert.assigned_to else "",
        "due": alert.claim_due_at,
        "raised": alert.raised_at,
    }


def task_row(item: ReviewItem, reader_id: UUID | None, at: datetime) -> dict[str, Any]:
    """Return one open task: what it is, who has it and by when; the link is its owner's."""
    return {
        "words": review_words(item.reason_code)[0],
        "owner": item.owner.full_name if item.owner else "",
        "due": item.due_at,
        "late": item.due_at <= at,
        "url": item.page_for(reader_id),
    }
