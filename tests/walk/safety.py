"""A safety plan for the walk: in force, gone through and being changed; and who may open its pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from cortex.accounts.models import User
from crisis.safetyplans import queries
from crisis.safetyplans.actions import Written, finish_plan, review_plan, save_draft
from crisis.safetyplans.queries import Lines
from tests import makers

KEYS = ("warning_signs", "self_coping", "people_to_ask", "professionals_services", "safer_environment")


def lines_of(words: str) -> Lines:
    """One line for each step that a whole plan needs."""
    return {key: [(f"{words}, {key}", "0770 090 0318")] for key in KEYS}


def make_safety_plan(user: User, who: UUID, words: str) -> dict[str, str]:
    """Finish a plan a month ago, go through it now, and begin to change it; return its id and the token."""
    actor, at = makers.staff(user), makers.now() - timedelta(days=20)

    def seen() -> str:
        makers.scope_all()
        return queries.held([who]).token

    whole = Written(lines_of(words), created_with_patient=True)
    plan = finish_plan(actor=actor, patient_id=who, written=whole, seen=seen(), at=at)
    review_plan(actor=actor, patient_id=who, plan_id=plan.pk)
    save_draft(actor=actor, patient_id=who, written=Written(lines_of(f"{words} anew")), seen=seen())
    return {"plan_id": str(plan.pk), "seen": seen()}


def safety_pairs(safety: dict[str, str], who: str, pair: Callable[..., Any]) -> dict[str, Any]:
    """Return the pairs: whoever treats or has the alert writes, their supervisor reads."""
    one, named = {"patient_id": who}, {"patient_id": who, "plan_id": safety["plan_id"]}
    saved = {"seen": safety["seen"], "keep": "1", "self_coping_text": "More.", "self_coping_contact": ""}
    reads, writes = ("cleo", "sam"), ("cleo",)
    return {
        "crisis:safety_plan": pair(one, "alice", reads, ("GET",)),
        "crisis:safety_plan_print": pair(one, "alice", reads, ("GET",)),
        "crisis:safety_plan_version": pair(named, "alice", reads, ("GET",)),
        "crisis:safety_plan_edit": pair(one, "alice", writes, ("GET", "POST"), saved),
        "crisis:safety_plan_discard": pair(one, "alice", writes, ("POST",), {"seen": safety["seen"]}),
        "crisis:safety_plan_review": pair(named, "alice", writes, ("POST",)),
        "crisis:safety_plan_retire": pair(named, "alice", writes, ("POST",), {"reason": "declined"}),
    }
