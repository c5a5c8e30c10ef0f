"""Which timers an alert has in its present state; pure computation over times and a policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from crisis.alerts.states import OWNED, WAITING, Status
from crisis.escalation.models import StepKind


class Clocked(Protocol):
    """The columns of an alert that its timers follow."""

    status: str
    policy: Mapping[str, Any]
    chain_position: int
    chain_beside: bool
    level_since: datetime
    claimed_at: datetime | None
    last_entry_at: datetime | None
    first_response_at: datetime | None
    owner_gone_at: datetime | None
    contact_due_at: datetime
    disposition_due_at: datetime


@dataclass(frozen=True, slots=True)
class Due:
    """One timer: what, when, and for the chain which step."""

    kind: StepKind
    at: datetime
    position: int = 0


def plan(alert: Clocked, at: datetime, *, reviewed: bool = False) -> list[Due]:
    """Return every timer of the alert's state; `reviewed` means that a second reader was asked.

    A pending second review keeps its owner from being paged again (domain 3.1, 3.7).
    """
    if alert.status in WAITING:
        return [chain_step(alert, at)]
    if alert.status not in OWNED:
        return []
    timers = [Due(StepKind.DISPOSITION_OVERDUE, alert.disposition_due_at)] if not reviewed else []
    if alert.owner_gone_at is not None and not alert.chain_beside:
        timers.append(Due(StepKind.OWNER_GONE, alert.owner_gone_at + seconds(alert, "owner_gone_seconds")))
    if alert.chain_beside:
        timers.append(chain_step(alert, at))
    if reviewed:
        return [timer for timer in timers if timer.at > at or timer.kind is not StepKind.DISPOSITION_OVERDUE]
    return [timer for timer in timers + _owner_timers(alert) if not _is_past(timer, at)]


def _owner_timers(alert: Clocked) -> list[Due]:
    entry = alert.last_entry_at or alert.claimed_at
    if entry is None:
        return []
    if alert.status != Status.ACKNOWLEDGED:
        return [Due(StepKind.CHECK_IN, entry + seconds(alert, "check_in_seconds"))]
    timers = [
        Due(StepKind.WARN_CLAIM, entry + seconds(alert, "warn_claim_seconds")),
        Due(StepKind.RELEASE_CLAIM, entry + seconds(alert, "release_claim_seconds")),
    ]
    if alert.first_response_at is None:
        timers.append(Due(StepKind.CONTACT_OVERDUE, alert.contact_due_at))
    return timers


def _is_past(timer: Due, at: datetime) -> bool:
    """A contact or outcome target that had passed before this change has already been said once."""
    said_once = (StepKind.CONTACT_OVERDUE, StepKind.DISPOSITION_OVERDUE)
    return timer.kind in said_once and timer.at < at


def chain_step(alert: Clocked, at: datetime) -> Due:
    """Return the chain's next step: at its time on the level's clock, never before `at`.

    Past the last step the chain repeats its last one until somebody claims.
    """
    chain = alert.policy["chain"]
    position = alert.chain_position
    if position < len(chain):
        due = alert.level_since + timedelta(seconds=chain[position]["after"])
    else:
        due = at + seconds(alert, "repeat_seconds")
    return Due(StepKind.CHAIN, max(due, at), position)


def who_of(alert: Clocked, position: int) -> str:
    """Return whom a step of the chain asks; past the end it is the last one again."""
    chain = alert.policy["chain"]
    return str(chain[min(position, len(chain) - 1)]["who"])


def seconds(alert: Clocked, name: str) -> timedelta:
    """Return one duration of the alert's copied policy."""
    return timedelta(seconds=int(alert.policy[name]))
