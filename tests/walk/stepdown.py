"""A step down from critical for the walk: asked of a second reader; and who may open its pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from crisis.stepdown.actions import ask_step_down
from tests import makers
from tests.walk.safety import make_safety_plan

if TYPE_CHECKING:
    from tests.walk.world import World


def ask_to_step_down(world: World) -> None:
    """Let Alice ask for somebody whose alert has ended, three hours from now."""
    alice, who = world.cast.alice, world.patients["ended"].pk
    make_safety_plan(alice, who, "stepwritten1")
    row = ask_step_down(
        actor=makers.staff(alice), patient_id=who, reason="stepwritten1, with her brother",
        at=makers.now() + timedelta(hours=3),
    )  # fmt: skip
    makers.scope_all()
    world.ways["step_down"] = str(row.pk)
    world.planted["stepwritten1"] = who


def step_down_pairs(step_down_id: str, who: str, pair: Callable[..., Any]) -> dict[str, Any]:
    """Return the pairs: whoever treats the person asks, another reader of the house decides."""
    person, one = {"patient_id": who}, {"step_down_id": step_down_id}
    no = {"agreed": "no", "note": "Her brother is away."}
    return {
        "crisis:step_down": pair(person, "alice", ("sam", "pendo"), ("GET", "POST"), {"reason": ""}),
        "crisis:step_down_withdraw": pair(person | one, "alice", (), ("POST",)),
        "crisis:step_down_review": pair(one, "sam", ("alice", "pendo"), ("GET", "POST"), no),
    }
