"""Welfare checks for the walk: one decided, one asked anew, and answers of a contact."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from crisis.followups.actions import finish_follow_up
from crisis.reviews.models import FollowUp
from crisis.welfare.actions import Verdict, ask_welfare_check, decide_welfare_check
from tests import makers
from tests.walk.stepdown import ask_to_step_down

if TYPE_CHECKING:
    from tests.walk.world import World


def ask_questions(world: World) -> None:
    """Ask what waits for somebody else: a step down from critical, and a welfare check."""
    ask_to_step_down(world)
    ask_about_welfare(world)


def ask_about_welfare(world: World) -> None:
    """Let Sam decide once about somebody whose alert has ended, and be asked once more."""
    who, at = world.patients["ended"], makers.now()
    rows = list(FollowUp.objects.filter(alert=world.alerts["ended"]).order_by("due_at"))
    for _ in range(2):
        item = ask_welfare_check(
            actor=makers.machine(world.cast.home), patient=who, organization_id=who.organization_id,
            source=rows[0], at=at,
        )  # fmt: skip
        makers.scope_all()
        if "welfare" not in world.ways:
            verdict = Verdict("dont_send", "welfarewritten1, her aunt saw her")
            decide_welfare_check(actor=makers.staff(world.cast.sam), item_id=item.pk, verdict=verdict)
            makers.scope_all()
        world.ways["welfare"] = str(item.pk)
    finish_follow_up(
        actor=makers.staff(world.cast.cleo), follow_up_id=rows[-1].pk, outcome="declined",
        checks=replace(makers.UNASKED, means_note="welfarewritten2, a rope"),
    )  # fmt: skip
    makers.scope_all()
    for word in ("welfarewritten1", "welfarewritten2"):
        world.planted[word] = who.pk


def welfare_pairs(item_id: str, pair: Callable[..., Any]) -> dict[str, Any]:
    """Return the pairs: a supervisor of the house decides."""
    return {
        "crisis:welfare_check": pair({"item_id": item_id}, "sam", (), ("GET", "POST"), {"decision": "send"})
    }
