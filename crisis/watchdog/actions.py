"""Writes of the watchdog: a canary is raised by the way of every alert, ended by the machine, and dropped."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import connection

from cortex.audit import Actor, Unchanged, action, record
from cortex.audit.eraser import as_eraser
from cortex.clock import clock
from crisis.alerts import moves
from crisis.alerts.actions import raise_alert
from crisis.alerts.models import AlertEvent, Kind, Level, RiskAlert, Source
from crisis.alerts.states import Move
from crisis.watchdog import queries

# Rows of the clocks go by statements of our own: their models are closed to the watchdog.
CLOCKS = (
    "DELETE FROM crisis_notificationattempt WHERE alert_id = ANY(%s)",
    "DELETE FROM crisis_alertstep WHERE alert_id = ANY(%s)",
)


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


@action
def drop_canaries(*, actor: Actor, organization_id: UUID, before: datetime, limit: int = 500) -> int:
    """Delete up to `limit` ended canaries raised before a time, with their events, steps and notifications.

    Return how many went. What the trail says of them stays; were anything else filed under one, the database
    would refuse the whole batch.
    """
    gone = queries.locked_old_canaries(organization_id, before, limit)
    if not gone:
        return Unchanged(0)  # type: ignore[return-value]
    with connection.cursor() as cursor:
        for statement in CLOCKS:
            cursor.execute(statement, [gone])
    with as_eraser():
        AlertEvent.objects.filter(alert__in=gone).delete()
    RiskAlert.objects.filter(pk__in=gone).delete()
    codes = {"count": len(gone), "before": before.isoformat(), "first": str(gone[0]), "last": str(gone[-1])}
    record(actor, "canaries.dropped", codes=codes)
    return len(gone)
