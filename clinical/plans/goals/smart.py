"""What a goal still lacks to be SMART (domain 6.1), all of it at once. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import SequenceMatcher
from typing import Any

from clinical.plans.wording import CONCERNS

MOST_STEPS = 12
# Two lines that are so like are one milestone with its words corrected [P].
ALIKE = 0.7
FIGURES = re.compile(r"[0-9]+")


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


def same_steps(before: Sequence[str], after: Sequence[str]) -> dict[str, str]:
    """Return which milestones of a goal that is saved anew are which of before, by their words.

    The same words are the same milestone, wherever they stand; of the rest each new one is the old one that
    it is most like, as words are corrected. What is like none is another milestone.
    """
    found = {title: title for title in after if title in before}
    old = [title for title in before if title not in found]
    pairs = [(_likeness(was, now), now, was) for now in after if now not in found for was in old]
    for likeness, now, was in sorted(pairs, key=lambda one: -one[0]):
        if likeness >= ALIKE and now not in found and was not in found.values():
            found[now] = was
    return found


def _likeness(one: str, other: str) -> float:
    """Return how like two lines are, 0 to 1; one that goes on with the words of the other is it.

    Another figure is another thing: week 2 is not week 1 with its words corrected.
    """
    if FIGURES.findall(one) != FIGURES.findall(other):
        return 0.0
    few, many = sorted((one.casefold().split(), other.casefold().split()), key=len)
    if few and many[: len(few)] == few:
        return 1.0
    return SequenceMatcher(None, " ".join(few), " ".join(many)).ratio()
