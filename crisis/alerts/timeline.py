"""How an alert's change enters its timeline and the feed: one event, numbered last."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cortex.audit import Actor, emit
from cortex.crypto.fields import seal_now
from crisis.alerts.models import AlertEvent, RiskAlert


def append_event(
    actor: Actor,
    alert: RiskAlert,
    kind: str,
    at: datetime,
    *,
    codes: dict[str, Any] | None = None,
    note: str | None = None,
) -> AlertEvent:
    """Add one event to the alert's timeline and its organization's feed; `note` needs an open context."""
    event = AlertEvent(
        organization_id=alert.organization_id,
        alert=alert,
        kind=kind,
        occurred_at=at,
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_label=actor.label,
        status=alert.status,
        level=alert.level,
        codes=codes or {},
        sealed_for=alert.sealed_for,
        note=note,
    )
    if note:
        seal_now(event)
    emit(alert.organization_id, event)
    return event
