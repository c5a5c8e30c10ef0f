"""The expected course of a measure, and who is off it.

Pure computation. The course is our policy [P]: half of what lies between the baseline and remission by the
eighth week, on a curve that flattens; who is above it by a clinically significant change is not on track.
"""

from __future__ import annotations

from dataclasses import dataclass

from clinical.assessments.definitions import Definition

HALF_BY_DAYS = 56.0


@dataclass(frozen=True, slots=True)
class Track:
    """Where a course stands, and why: `state` is on_track, not_on_track, remission or unknown."""

    state: str
    why: str
    expected: float | None


def expected_total(definition: Definition, first: int, days: float) -> float:
    """Return the total that is expected so many days after the baseline, `first`."""
    goal = definition.change.remission_below
    if goal is None or first < goal:
        return float(first)
    return goal + (first - goal) * 0.5 ** (max(days, 0.0) / HALF_BY_DAYS)


def track(definition: Definition, first: int, latest: int, days: float) -> Track:
    """Judge the latest total against the course that began with the baseline, `first`."""
    rules = definition.change
    if definition.higher_is_better or rules.remission_below is None or rules.significant is None:
        return Track("unknown", "No expected course for this measure.", None)
    if max(first, latest) < rules.remission_below:
        return Track("on_track", f"Below {rules.remission_below}, as at the baseline.", None)
    if latest < rules.remission_below:
        return Track("remission", f"Below {rules.remission_below}: in remission.", None)
    course = expected_total(definition, first, days)
    if rules.worse is not None and latest - first >= rules.worse:
        return Track("not_on_track", f"{latest - first} points above the baseline.", course)
    if latest - course >= rules.significant:
        return Track("not_on_track", f"{latest}, where our course expects about {course:.0f} by now.", course)
    return Track("on_track", f"{latest}, our course expects about {course:.0f} by now.", course)
