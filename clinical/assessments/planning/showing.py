"""Schedules of measures in the words and shapes of their pages; no query."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.urls import reverse

from clinical.assessments.planning.models import MeasureChase, MeasurePlan, PlanReason
from clinical.assessments.planning.queries import OFTEN_WITHIN, Asked, DueMeasure, Person
from clinical.assessments.queries import Course
from clinical.assessments.schedule import INTAKE, TASK_AFTER, TELL_AFTER, WHY
from clinical.assessments.wording import band_label
from patients.registry.queries import Named

GROUPS = (
    ("told", "More than three weeks late", "The clinician of the person was told."),
    ("late", "More than a week late", "Each is a task of whoever treats the person."),
    ("due", "Due", "Ask within the week."),
    ("ahead", "Due in the next 7 days", "For the next session."),
)


def plan_row(plan: MeasurePlan | None, key: str) -> dict[str, Any] | None:
    """Return a person's own schedule of a measure as its card shows it; None for one without a schedule."""
    if key not in INTAKE:
        return None
    found: dict[str, Any] = {"reasons": PlanReason.choices, "days": "", "until": "", "reason": ""}
    if plan is None:
        return found | {"words": "", "paused": False}
    words = f"every {plan.interval_days} days" if plan.interval_days else ""
    if plan.is_paused:
        until = f" until {plan.paused_until:%-d %b %Y}" if plan.paused_until else ""
        words = f"paused{until}"
    by = f", {plan.set_by.full_name}" if plan.set_by else ""
    return found | {
        "words": f"{words}: {plan.get_reason_display().lower()}{by}",
        "paused": plan.is_paused,
        "days": plan.interval_days or "",
        "until": f"{plan.paused_until:%Y-%m-%d}" if plan.paused_until else "",
        "reason": plan.reason,
    }


def overdue_groups(
    people: Iterable[Person[Any]], due: Mapping[UUID, list[DueMeasure]], names: Mapping[UUID, Named],
    chased: Mapping[tuple[UUID, str, datetime], MeasureChase], at: datetime,
) -> list[dict[str, Any]]:  # fmt: skip
    """Return what is due for a caseload in groups, the longest overdue first."""
    rows: dict[str, list[dict[str, Any]]] = {key: [] for key, _, _ in GROUPS}
    for person in people:
        for one in due[person.patient.pk]:
            chase = chased.get((person.patient.pk, one.key, one.at))
            rows[_group(one.at, at)].append(
                {
                    "patient_id": person.patient.pk,
                    **names[person.patient.pk]._asdict(),
                    "key": one.key,
                    "title": one.title,
                    "at": one.at,
                    "why": WHY[one.why],
                    "days": (at - one.at).days,
                    "told_at": chase.told_at if chase else None,
                    "tasked_at": chase.tasked_at if chase else None,
                }
            )
    return [
        {"key": key, "title": title, "about": about, "rows": sorted(rows[key], key=lambda row: row["at"])}
        for key, title, about in GROUPS
        if rows[key]
    ]


def rate_words(often: int, people: int) -> str:
    """Return how many people of a caseload were measured often enough, and their share; "" without people."""
    if not people:
        return ""
    whom = f"{often} of {people} {'person has' if people == 1 else 'people have'}"
    return f"{whom} two measures or more in {OFTEN_WITHIN.days} days ({often / people * 100:.0f} %)"


def asked_rows(asked: Iterable[Asked], patient_id: UUID) -> list[dict[str, Any]]:
    """Return the measures of an occasion: the newest of each, and where it is asked while it is missing."""
    rows = []
    for one in asked:
        latest = one.course.latest
        rows.append(
            {
                "title": one.title,
                "is_due": one.is_due,
                "said": said(one.course),
                "at": latest.at if latest else None,
                "url": reverse("clinical:measure_ask", args=[patient_id, one.key]),
            }
        )
    return rows


def said(course: Course) -> str:
    """Return what the newest administration says: total and band, of a screener its band; "" without one."""
    latest = course.latest
    if latest is None:
        return ""
    band = band_label(course, latest.band) or latest.band
    return band if course.definition.scoring == "cssrs" else f"{latest.total}, {band.lower()}"


def _group(due: datetime, at: datetime) -> str:
    if due > at:
        return "ahead"
    if at >= due + TELL_AFTER:
        return "told"
    return "late" if at >= due + TASK_AFTER else "due"
