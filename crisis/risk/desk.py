"""The alert desk: what one evaluation means for a person's alert of one kind (domain 4.5)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from .policy import POLICY, Policy
from .types import Level


class Move(StrEnum):
    """What the desk does; every one but `none` leaves a row on the alert or on the evaluation."""

    NONE = "none"
    CREATE = "create"
    APPEND = "append"
    RENOTIFY = "renotify"
    ESCALATE = "escalate"
    LOG_ONLY = "log_only"


@dataclass(frozen=True, slots=True)
class OpenAlert:
    """What the desk must know of the open alert of this kind."""

    level: Level
    notified_score: float
    rules: Collection[str]


@dataclass(frozen=True, slots=True)
class Decision:
    """The move, and the level that the alert then has (low when there is none)."""

    move: Move
    level: Level


def decide(
    *,
    level: Level,
    score: float,
    rules: Collection[str] = (),
    newest_evidence_at: datetime | None = None,
    open_alert: OpenAlert | None = None,
    resolved_at: datetime | None = None,
    held: bool = False,
    policy: Policy = POLICY,
) -> Decision:
    """Decide what one evaluation means for the alert of one kind.

    `level` is the engine's own, `score` that of this evaluation, `open_alert.notified_score` that of the
    last notification; `newest_evidence_at` is of what carries the level, not of whatever else came since;
    `resolved_at` is the last end of an alert of this kind. `held` is for a caller
    who passes a level which only the hysteresis keeps up: it never creates, and neither does old evidence.
    """
    if open_alert is not None:
        return _on_open(level, score, rules, open_alert, held, policy)
    if not level.raises_alert:
        return Decision(Move.NONE, Level.LOW)
    if held or _is_old(newest_evidence_at, resolved_at):
        return Decision(Move.LOG_ONLY, Level.LOW)
    return Decision(Move.CREATE, level)


def _on_open(
    level: Level, score: float, rules: Collection[str], alert: OpenAlert, held: bool, policy: Policy
) -> Decision:
    if level.rank > alert.level.rank and not held:
        return Decision(Move.ESCALATE, level)
    louder = score >= round(alert.notified_score + policy.renotify_step, 4)
    new_rule = bool(set(rules) - set(alert.rules))
    if level.raises_alert and not held and (louder or new_rule):
        return Decision(Move.RENOTIFY, alert.level)
    return Decision(Move.APPEND, alert.level)


def _is_old(newest_evidence_at: datetime | None, resolved_at: datetime | None) -> bool:
    if resolved_at is None:
        return False
    return newest_evidence_at is None or newest_evidence_at <= resolved_at
