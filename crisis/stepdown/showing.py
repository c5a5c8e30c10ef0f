"""The conditions of a step down from critical as lines of a page; no query, nothing opened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse

from crisis.risk.types import Level
from crisis.stepdown.models import StepDown
from crisis.stepdown.queries import HOUR, Findings
from patients.registry.models import Patient


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition: whether it holds, in words; one that the reason makes up for is not `needed`."""

    label: str
    holds: bool
    detail: str
    needed: bool = True
    url: str = ""
    when: datetime | None = None


def conditions(found: Findings, person: Patient, at: datetime) -> list[Condition]:
    """Return the conditions of domain 3.8 in their order, each with what is missing."""
    plan_url = reverse("crisis:safety_plan", args=[person.pk])
    return [
        Condition(
            "No alert is open", not found.alert_open,
            "An alert of this person is open. It is ended first." if found.alert_open else "",
        ),
        Condition(
            "Nothing found still says critical", not found.floors,
            f"{', '.join(found.floors)}: until its alert is resolved." if found.floors else "",
        ),
        Condition("Two hours since the last words of intent", found.is_quiet(at), _since(found, at)),
        Condition(
            "C-SSRS not high", bool(found.triage) and found.triage != "high", _screened(found),
            needed=False, when=found.screened_at,
        ),
        Condition(
            "Safety plan complete", found.plan_complete,
            "" if found.plan_complete else "No complete plan is in force.", url=plan_url,
        ),
        Condition(
            "Follow-up or appointment booked", found.next_at is not None,
            "" if found.next_at else "Nothing is booked.", when=found.next_at,
        ),
    ]  # fmt: skip


def _since(found: Findings, at: datetime) -> str:
    if found.cue_at is None:
        return "No such words on record."
    hours = (at - found.cue_at).total_seconds() / HOUR
    if hours >= 48:
        return f"{int(hours // 24)} days ago."
    return f"{hours:.1f} h ago." if hours > 0 else "Just now."


def _screened(found: Findings) -> str:
    if not found.triage:
        return "None was completed: the reason says why."
    words = f"The newest says {found.triage}."
    return f"{words} The reason says why." if found.triage == "high" else words


def may_ask(found: Findings, lines: list[Condition]) -> bool:
    """Whether everything holds that a reason doesn't make up for."""
    return found.level == Level.CRITICAL and all(one.holds or not one.needed for one in lines)


def question(row: StepDown | None, reader_id: object, at: datetime) -> dict[str, Any] | None:
    """Return the question that was asked last: who, since when, and what became of it; None without one."""
    if row is None:
        return None
    return {
        "id": row.pk,
        "asked_by": row.asked_by.full_name,
        "asked_at": row.asked_at,
        "due_at": row.due_at,
        "is_late": row.is_waiting and row.due_at <= at,
        "is_mine": row.asked_by_id == reader_id,
        "is_waiting": row.is_waiting,
        "is_withdrawn": row.is_withdrawn,
        "agreed": row.agreed,
        "decided_by": row.decided_by.full_name if row.decided_by else "",
        "decided_at": row.decided_at,
    }


def waiting_row(row: StepDown) -> dict[str, Any]:
    """Return one question as a line of the list of what is to review."""
    return {
        "pseudonym": row.patient.anonymous_id,
        "asked_by": row.asked_by.full_name,
        "due_at": row.due_at,
        "url": reverse("crisis:step_down_review", args=[row.pk]),
    }
