"""Promised contacts and their answers in the words of pages; no query, nothing opened."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from cortex.access.context import holds
from cortex.access.unreadable import UNREADABLE, readable
from crisis.alerts.wording import follow_up_words
from crisis.followups.models import FollowUpCheck, MeansCheck, PlanCheck, ScreenerCheck, WhyNot
from crisis.reviews.models import FollowUp, FollowUpStatus

MEANS_SHORT = {"safe": "out of reach", "unsafe": "within reach"}


def row_of(row: FollowUp) -> dict[str, Any]:
    """Return one contact as a line of a list; it names nobody but by pseudonym."""
    return {
        "id": row.pk,
        "level": row.alert.level,
        "pseudonym": row.patient.anonymous_id,
        "label": follow_up_words(row.label),
        "missed": row.status == FollowUpStatus.MISSED,
        "tries": row.tries,  # type: ignore[attr-defined]
        "owner": row.owner.full_name if row.owner else "",
        "due_at": row.due_at,
        "page_url": reverse("crisis:alert_page", args=[row.alert_id]),
        "done_url": reverse("crisis:followup_done", args=[row.pk]),
    }


def checks_of(row: FollowUp) -> FollowUpCheck | None:
    """Return the answers of a contact that was read with them; None where nothing was asked."""
    return getattr(row, "checks", None)


def answers_of(row: FollowUp, *, with_words: bool) -> list[dict[str, Any]]:
    """Return the answers of a contact that was read with them as lines; none where nothing was asked."""
    found = checks_of(row)
    return lines_of(found, with_words=with_words) if found is not None else []


def lines_of(found: FollowUpCheck, *, with_words: bool) -> list[dict[str, Any]]:
    """Return the answers of a contact as lines: what was asked, what was said, and whether that is grave.

    `with_words` adds what was said of the means, which the caller has opened.
    """
    lines = []
    if found.screener:
        lines.append(_line("C-SSRS", _why(ScreenerCheck(found.screener).label, found.screener_why)))
        lines[-1]["at"] = found.screened_at
    if found.plan:
        lines.append(_line("Safety plan", _why(PlanCheck(found.plan).label, found.plan_why)))
    if found.means:
        means = _why(MeansCheck(found.means).label, found.means_why)
        lines.append(_line("Means", means, is_grave=found.means == MeansCheck.UNSAFE))
        if with_words and holds(found, "means_note"):
            lines[-1]["words"] = str(readable(found, "means_note", UNREADABLE))
    return lines


def _line(label: str, value: str, *, is_grave: bool = False) -> dict[str, Any]:
    return {"label": label, "value": value, "is_grave": is_grave, "at": None, "words": ""}


def _why(label: Any, why: str) -> str:
    if not why:
        return str(label)
    reason = str(WhyNot(why).label)
    return f"{label}: {reason[0].lower()}{reason[1:]}"


def is_unsafe(row: FollowUp) -> bool:
    """Whether it was said in a contact that the means are within reach."""
    found = checks_of(row)
    return found is not None and found.means == MeansCheck.UNSAFE


def sentence_of(found: FollowUpCheck | None) -> str:
    """Return the answers in one line of a timeline; empty without any."""
    lines = lines_of(found, with_words=False) if found is not None else []
    return " ".join(f"{one['label']}: {one['value'][:1].lower()}{one['value'][1:]}." for one in lines)
