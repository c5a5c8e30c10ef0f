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
    waiting_person: bool
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


def plan(
    alert: Clocked, at: datetime, *, reviewed: bool = False, said: Mapping[str, datetime] | None = None
) -> list[Due]:
    """Return every timer of the alert's state, each kind at most once.

    `reviewed` means that a second reader was asked: until they decide, the owner is not paged again (domain
    3.1, 3.7). `said` holds when a timer of a kind last really ran: what was said on this clock is not said
    again, but a target that passed while nobody could say it is said now.
    """
    if alert.status in WAITING:
        return [chain_step(alert, at)]
    if alert.status not in OWNED:
        return []
    timers = []
    if alert.owner_gone_at is not None and not alert.chain_beside:
        timers.append(Due(StepKind.OWNER_GONE, alert.owner_gone_at + seconds(alert, "owner_gone_seconds")))
    if alert.chain_beside:
        timers.append(chain_step(alert, at))
    if not reviewed:
        timers += _owner_timers(alert, said or {}) + _targets(alert, said or {})
    return timers


def _owner_timers(alert: Clocked, said: Mapping[str, datetime]) -> list[Due]:
    entry = _last_entry(alert)
    if entry is None:
        return []
    if alert.status != Status.ACKNOWLEDGED:
        quiet_since = max(entry, said.get(StepKind.CHECK_IN, entry))
        return [Due(StepKind.CHECK_IN, quiet_since + seconds(alert, "check_in_seconds"))]
    timers = [Due(StepKind.RELEASE_CLAIM, entry + seconds(alert, "release_claim_seconds"))]
    if not _said_since(StepKind.WARN_CLAIM, entry, said):
        timers.append(Due(StepKind.WARN_CLAIM, entry + seconds(alert, "warn_claim_seconds")))
    return timers


def _last_entry(alert: Clocked) -> datetime | None:
    """Return since when the owner has said nothing; None with nobody on it.

    The clocks run from the last rise (domain 3.1): it never finds its owner inactive already.
    """
    entry = alert.last_entry_at or alert.claimed_at
    return max(entry, alert.level_since) if entry else None


def claim_ends(alert: Clocked) -> tuple[datetime, datetime] | None:
    """Return since when a claim runs out and when the clock gives it back; None once it has been used."""
    entry = _last_entry(alert)
    if alert.status != Status.ACKNOWLEDGED or entry is None:
        return None
    return entry, entry + seconds(alert, "release_claim_seconds")


def _targets(alert: Clocked, said: Mapping[str, datetime]) -> list[Due]:
    timers = [Due(StepKind.DISPOSITION_OVERDUE, alert.disposition_due_at)]
    if _owes_contact(alert):
        timers.append(Due(StepKind.CONTACT_OVERDUE, alert.contact_due_at))
    return [timer for timer in timers if not _said_since(timer.kind, alert.level_since, said)]


def _owes_contact(alert: Clocked) -> bool:
    """Whether nobody tried the person since the last rise; whoever talks to them owes it to a new press."""
    if alert.status == Status.IN_CONTACT and not alert.waiting_person:
        return False
    return alert.first_response_at is None or alert.first_response_at < alert.level_since


def _said_since(kind: StepKind, since: datetime, said: Mapping[str, datetime]) -> bool:
    return kind in said and said[kind] >= since


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
