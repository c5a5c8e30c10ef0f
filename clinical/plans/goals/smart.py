"""What a goal still lacks to be SMART (domain 6.1), all of it at once. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from clinical.plans.wording import CONCERNS

MOST_STEPS = 12


@dataclass(frozen=True, slots=True)
class Gap:
    """One thing that is missing or doesn't fit: at which field, in a sentence, with its code."""

    field: str
    words: str
    code: str = "required"


@dataclass(frozen=True, slots=True)
class Scale:
    """A measure that a goal may be measured by: what it is called and how far it goes."""

    title: str
    highest: float


def gaps(
    given: Mapping[str, Any], steps: Sequence[tuple[str, int]], scale: Scale | None, after: date
) -> list[Gap]:
    """Return what a goal lacks, in the order of its form; `after` is the day on which it begins.

    `scale` is that of the chosen measure. What `given` lacks could not be read and is told elsewhere.
    """
    kind = given.get("measure_type")
    found: list[Gap] = []
    if kind == "numeric":
        found += _number(given, scale)
    elif kind == "frequency":
        found += _frequency(given)
    elif kind == "milestone" and "steps" in given:
        found += _steps(steps)
    concerns = given.get("concerns") or []
    if "concerns" in given and not concerns and not given.get("diagnosis"):
        found.append(Gap("concerns", "Say what the goal serves: a diagnosis or a concern.", "serves_nothing"))
    if not set(concerns) <= set(CONCERNS):
        found.append(Gap("concerns", "This concern is not on the list.", "concern_unknown"))
    due = given.get("due_date")
    if due is not None and due <= after:
        found.append(Gap("due_date", "The date lies after the goal's beginning.", "due_too_early"))
    return found


def _number(given: Mapping[str, Any], scale: Scale | None) -> list[Gap]:
    found = []
    baseline, target = given.get("baseline"), given.get("target")
    if scale is None and "metric" in given and not given["metric"]:
        found.append(Gap("metric", "Choose a measure, or say what is counted."))
    if "baseline" in given and baseline is None:
        found.append(Gap("baseline", "Say where it stands today."))
    if "target" in given and target is None:
        found.append(Gap("target", "Say where it should get to."))
    if target is not None and target == baseline:
        found.append(Gap("target", "The target must differ from today.", "target_is_baseline"))
    if scale is not None:
        words = f"The {scale.title} goes from 0 to {scale.highest:g}."
        found += [
            Gap(name, words, "out_of_range") for name, value in (("baseline", baseline), ("target", target))
            if value is not None and not 0 <= value <= scale.highest
        ]  # fmt: skip
    return found


def _frequency(given: Mapping[str, Any]) -> list[Gap]:
    found = []
    if "metric" in given and not given["metric"]:
        found.append(Gap("metric", "Say what is counted."))
    if "target" in given and (given["target"] is None or given["target"] <= 0):
        found.append(Gap("target", "Say how many times."))
    if "window_days" in given and not given["window_days"]:
        found.append(Gap("window_days", "Say in how many days."))
    return found


def _steps(steps: Sequence[tuple[str, int]]) -> list[Gap]:
    if not steps:
        return [Gap("steps", "Name at least one milestone.", "no_steps")]
    if len(steps) > MOST_STEPS:
        return [Gap("steps", f"{MOST_STEPS} milestones at most.", "many_steps")]
    return []
