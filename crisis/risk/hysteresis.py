"""How a level comes down: slowly, one step at a time, and never by itself from critical (domain 4.5, 3.8)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from .policy import POLICY, Policy
from .types import Level, Result, level_of


@dataclass(frozen=True, slots=True)
class Standing:
    """The level that stands for a person, since when, and since when evaluations say it may come down."""

    level: Level
    entered_at: datetime
    calm_since: datetime | None = None
    raised_at: datetime | None = None
    """When the person was last at medium or above."""
    held: bool = False


def step(
    before: Standing | None,
    *,
    at: datetime,
    score: float,
    has_floor: bool,
    level: Level | None = None,
    quiet: float | None = None,
    policy: Policy = POLICY,
) -> Standing:
    """The standing after one evaluation.

    `level` is the engine's own level where it differs from the score's (a clinician's); `quiet` is the score
    that must be low for a level to come down, where that is another.
    """
    now = level_of(score, policy) if level is None else level
    if before is None or now.rank >= before.level.rank:
        return _reached(before, now, at)
    return _raised(_held(before, now, at, score if quiet is None else quiet, has_floor, policy), at)


def after(before: Standing | None, result: Result, policy: Policy = POLICY) -> Standing:
    """The standing after one result of the engine."""
    if before is not None and _is_lowered(before, result):
        lower, at = before.level.below, result.computed_at
        held = lower.rank > result.level.rank
        return _raised(Standing(lower, at, raised_at=before.raised_at, held=held), at)
    return step(
        before,
        at=result.computed_at,
        score=result.score,
        has_floor=bool(result.floors),
        level=result.level,
        quiet=result.score_without_model,
        policy=policy,
    )


def _is_lowered(before: Standing, result: Result) -> bool:
    """Whether a human lowered by one step what stands above the engine's own level, and did so knowing it.

    The engine's level may be low already while an old one is held up: a human's word needs no waiting. What
    was entered after it was said, or stands more than a step above, they did not speak of: it waits (3.8).
    """
    if result.lowered is None or result.level.rank >= before.level.rank:
        return False
    level, said_at = result.lowered
    return level is before.level.below and level.rank >= result.level.rank and said_at > before.entered_at


def _reached(before: Standing | None, now: Level, at: datetime) -> Standing:
    if before is not None and before.level is now:
        return _raised(replace(before, calm_since=None, held=False), at)
    return _raised(Standing(now, at, raised_at=before.raised_at if before else None), at)


def _held(
    before: Standing, now: Level, at: datetime, quiet: float, has_floor: bool, policy: Policy
) -> Standing:
    calm = before.level is not Level.CRITICAL and not has_floor
    if not calm or quiet >= round(policy.cuts[before.level] - policy.down_margin, 4):
        return replace(before, calm_since=None, held=True)
    since = before.calm_since or at
    rested = at - since >= timedelta(hours=policy.down_gap_hours)
    stayed = at - before.entered_at >= timedelta(hours=policy.down_stay_hours)
    if rested and stayed:
        lower = before.level.below
        return Standing(lower, at, raised_at=before.raised_at, held=lower.rank > now.rank)
    return replace(before, calm_since=since, held=True)


def _raised(standing: Standing, at: datetime) -> Standing:
    return standing if standing.level is Level.LOW else replace(standing, raised_at=at)
