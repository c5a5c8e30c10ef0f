"""How far a goal and a plan have come and whether that is the pace (domain 6.1); pure computation.

Shares are 0 to 1. A goal's share is None while nothing says where it stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

AT_RISK_BELOW = -0.15
OFF_TRACK_BELOW = -0.35
COUNTING = frozenset({"active", "achieved"})
# Sums of decimals are a hair off: a drift of exactly -.15 must stay on its own side.
DIGITS = 9


@dataclass(frozen=True, slots=True)
class Aim:
    """What is known of one goal: `steps` are its milestones (weight, done), `count` what its window holds."""

    measure_type: str
    weight: int
    status: str
    start: date
    due: date
    baseline: float | None = None
    target: float | None = None
    current: float | None = None
    steps: tuple[tuple[int, bool], ...] = ()
    count: float | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where something stands: its share, that of the time, the drift between them, the pace in a word."""

    share: float | None
    elapsed: float
    drift: float | None
    pace: str


def numeric(baseline: float, target: float, current: float) -> float:
    """Return the share of the way from baseline to target; falling targets work too. They must differ."""
    if baseline == target:
        raise ValueError("a target must differ from the baseline")
    return min(max((current - baseline) / (target - baseline), 0.0), 1.0)


def milestones(steps: Sequence[tuple[int, bool]]) -> float:
    """Return the done weights' share of all; 0 without any milestone."""
    whole = sum(weight for weight, _ in steps)
    return sum(weight for weight, done in steps if done) / whole if whole else 0.0


def frequency(count: float, target: float) -> float:
    """Return how much of the target was done in the window; more than the target is the target."""
    if target <= 0:
        raise ValueError("a frequency's target is above 0")
    return min(1.0, count / target)


def share(aim: Aim) -> float | None:
    """Return a goal's share; one that somebody called achieved is whole."""
    if aim.status == "achieved":
        return 1.0
    if aim.measure_type == "milestone":
        return milestones(aim.steps)
    if aim.measure_type == "frequency":
        return frequency(aim.count or 0.0, aim.target or 1.0)
    if aim.current is None or aim.baseline is None or aim.target is None:
        return None
    return numeric(aim.baseline, aim.target, aim.current)


def elapsed(start: date, due: date, today: date) -> float:
    """Return the share of the days from start to due that have passed; a span without days is over."""
    days = (due - start).days
    return min(max((today - start).days / days, 0.0), 1.0) if days > 0 else 1.0


def pace(done: float, passed: float) -> str:
    """Return achieved, on_track, at_risk or off_track."""
    if done >= 1:
        return "achieved"
    drift = round(done - passed, DIGITS)
    if drift >= AT_RISK_BELOW:
        return "on_track"
    return "at_risk" if drift >= OFF_TRACK_BELOW else "off_track"


def standing(done: float | None, passed: float) -> Standing:
    """Return where something with this share stands; unknown without one."""
    if done is None:
        return Standing(None, passed, None, "unknown")
    return Standing(done, passed, round(done - passed, DIGITS), pace(done, passed))


def of_goal(aim: Aim, today: date) -> Standing:
    """Return where a goal stands today."""
    return standing(share(aim), elapsed(aim.start, aim.due, today))


def weighted(parts: Iterable[tuple[int, float]]) -> float | None:
    """Return the mean share by weight; None without any part."""
    rows = list(parts)
    whole = sum(weight for weight, _ in rows)
    return sum(weight * done for weight, done in rows) / whole if whole else None
