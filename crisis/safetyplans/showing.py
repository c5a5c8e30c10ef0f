"""Safety plans as their pages, cards and flags show them; no query, nothing opened.

A floor above may frame the pages (the chart's banner and sections); without it they have their own head.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, tzinfo
from typing import Any

from cortex.access.context import AccessContext
from crisis.safetyplans import rules
from crisis.safetyplans.models import SafetyPlan
from crisis.safetyplans.queries import Line, Lines
from crisis.safetyplans.wording import RETIRED, SECTIONS, missing_words, reviewed_words
from patients.registry.models import Patient

Framer = Callable[[AccessContext, Patient, datetime], "dict[str, Any] | None"]
_framers: list[Framer] = []


def register_frame(framer: Framer) -> None:
    """Let a floor above frame the pages; None of it means that this reader has no such frame."""
    _framers[:] = [framer]


def frame_of(context: AccessContext, person: Patient, at: datetime) -> dict[str, Any] | None:
    """Return what the floor above draws around a page for this reader, or None."""
    return _framers[0](context, person, at) if _framers else None


def sections(lines: Lines, *, own: bool = False) -> list[dict[str, Any]]:
    """Return the steps that hold a line, in their order; `own` says them as the person reads them."""
    return [
        {
            "key": one.key,
            "number": one.number,
            "title": one.own_title if own else one.title,
            "beside": one.beside,
            "lines": [{"text": text, "contact": contact, "dial": dials(contact)} for text, contact in rows],
        }
        for one in SECTIONS
        if (rows := lines.get(one.key))
    ]


def dials(contact: str) -> bool:
    """Whether something beside a line is a number to ring: three figures or more, and few letters."""
    figures = sum(sign.isdigit() for sign in contact)
    letters = sum(sign.isalpha() for sign in contact)
    return figures >= 3 and letters <= 4


def state(plan: SafetyPlan, lines: Lines, at: datetime, zone: tzinfo) -> dict[str, Any]:
    """Return where a version stands: who, when, how old the last look is, and what it lacks.

    `zone` is the person's: a day of theirs begins there.
    """
    counts = {key: len(rows) for key, rows in lines.items()}
    means = rules.means_at(plan.means_review_on, plan.reviewed_at, zone)
    return {
        "id": plan.pk,
        "version": plan.version,
        "status": plan.get_status_display(),
        "in_force": plan.in_force,
        "by": plan.authored_by.full_name,
        "finished_at": plan.finished_at,
        "reviewed_at": plan.reviewed_at,
        "reviewed_by": plan.reviewed_by.full_name if plan.reviewed_by else "",
        "reviewed": reviewed_words(plan.reviewed_at, at) if plan.reviewed_at else "",
        "is_old": not rules.is_fresh(plan.reviewed_at, at),
        "next_at": plan.next_review_at,
        "together": plan.created_with_patient,
        "means_on": plan.means_review_on,
        "means_due": means is not None and means <= at,
        "missing": missing_words(rules.missing(counts)) if counts else "",
        "ended_at": plan.ended_at,
        "ended_by": plan.ended_by.full_name if plan.ended_by else "",
        "why": RETIRED.get(plan.retire_reason, ""),
    }


def card(
    plan: SafetyPlan | None, lines: Lines, at: datetime, *, url: str, edit_url: str = ""
) -> dict[str, Any]:
    """Return the card of an alert's page and of a chart; without a plan it says so."""
    return {
        "url": url,
        "edit_url": edit_url,
        "plan": plan is not None,
        "reviewed": reviewed_words(plan.reviewed_at, at) if plan and plan.reviewed_at else "",
        "is_old": plan is not None and not rules.is_fresh(plan.reviewed_at, at),
        "together": plan is not None and plan.created_with_patient,
        "sections": sections(lines),
    }


def members(plan: SafetyPlan | None, lines: Lines) -> dict[str, Any]:
    """Return a plan as the person's own app reads it; nobody of the staff is named."""
    if plan is None or plan.finished_at is None or plan.reviewed_at is None:
        return {"plan": None}
    steps = [
        {
            "section": one["key"],
            "title": one["title"],
            "lines": [
                {"text": line["text"]} | ({"contact": line["contact"]} if line["contact"] else {})
                for line in one["lines"]
            ],
        }
        for one in sections(lines, own=True)
    ]
    return {
        "plan": {
            "version": plan.version,
            "finished_at": plan.finished_at.isoformat(),
            "reviewed_at": plan.reviewed_at.isoformat(),
            "steps": steps,
        }
    }


def differs(mine: Lines, theirs: Lines) -> list[dict[str, Any]]:
    """Return the sections in which two drafts differ, each as its lines: words, and what stands beside."""
    found = []
    for one in SECTIONS:
        both = [_filled(lines.get(one.key, [])) for lines in (mine, theirs)]
        if both[0] != both[1]:
            found.append({"title": one.title, "key": one.key, "mine": both[0], "theirs": both[1]})
    return found


def _filled(rows: list[Line]) -> list[Line]:
    squeezed = [(" ".join(text.split()), " ".join(contact.split())) for text, contact in rows]
    return [one for one in squeezed if any(one)]


def facts_differ(mine: tuple[bool, date | None], newest: SafetyPlan | None) -> list[dict[str, str]]:
    """Return what is said beside the lines and is other, as the form's values and in words."""
    theirs = (newest.created_with_patient, newest.means_review_on) if newest else (False, None)
    asked = [
        (
            "created_with_patient",
            "Made together with the person",
            lambda it: ("on" if it else "", "yes" if it else "no"),
        ),
        (
            "means_review_on",
            "Look at step 6 again on",
            lambda it: (f"{it}", f"{it:%-d %b %Y}") if it else ("", "no day"),
        ),
    ]
    return [
        {
            "key": key,
            "title": title,
            "mine": words(one)[1],
            "value": words(other)[0],
            "theirs": words(other)[1],
        }
        for (key, title, words), one, other in zip(asked, mine, theirs, strict=True)
        if one != other
    ]
