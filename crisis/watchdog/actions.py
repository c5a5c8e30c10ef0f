"""Writes of the watchdog: a canary is raised by the way of every alert, and ended by the machine alone."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from cortex.audit import Actor, Unchanged, action
from cortex.clock import clock
from crisis.alerts import moves
from crisis.alerts.actions import raise_alert
from crisis.alerts.models import Kind, Level, RiskAlert, Source
from crisis.alerts.states import Move
from crisis.watchdog import queries


@action
def raise_canary(*, actor: Actor, organization_id: UUID, at: datetime | None = None) -> RiskAlert:
    """Raise an alert about nobody in the canary's own organization: row, event, number, hint, like any other.

    One that an interrupted round left standing is ended first, so that this is a new row.
    """
    end_canaries(actor=actor, organization_id=organization_id, at=at)
    alert = raise_alert(
        actor=actor,
        organization_id=organization_id,
        patient_id=None,
        kind=Kind.CANARY,
        level=Level.HIGH,
        reason_code="canary",
        source=Source.SYSTEM,
        at=at,
    )
    return Unchanged(alert)  # type: ignore[return-value]


@action
def end_canaries(*, actor: Actor, organization_id: UUID, at: datetime | None = None) -> int:
    """End every canary that stands; return how many did. No outcome, no verdict, no contact is promised."""
    standing = queries.locked_canaries(organization_id)
    if not standing:
        return Unchanged(0)  # type: ignore[return-value]
    at = clock(at)
    for alert in standing:
        alert.status = moves.next_state(actor, alert, Move.CANARY_OVER)
        alert.resolved_at = at
        moves.apply(
            actor,
            alert,
            event="canary_over",
            verb="canary.over",
            at=at,
            fields=["status", "resolved_at"],
            entry=False,
        )
    return len(standing)
