"""How an alert's change enters its timeline and the feed: one event, numbered last."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import structlog
from django.db import DatabaseError

from cortex.access.context import opening
from cortex.audit import Actor, emit
from cortex.crypto.errors import SealedError
from cortex.crypto.fields import seal_now
from crisis.alerts.models import AlertEvent, RiskAlert

log = structlog.get_logger(__name__)


def append_event(
    actor: Actor,
    alert: RiskAlert,
    kind: str,
    at: datetime,
    *,
    codes: dict[str, Any] | None = None,
    note: str | None = None,
) -> AlertEvent:
    """Add one event to the alert's timeline and its organization's feed.

    A note that can't be sealed is left out, `note_lost` stands in the codes and on the alert in hand: no move
    falls with its note, but whoever wrote it must be told to write it again.
    """
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
    )
    if note and not seal_note(actor, event, "note", note):
        event.codes = event.codes | {"note_lost": True}
        alert.note_lost = True
    emit(alert.organization_id, event)
    return event


def seal_note(actor: Actor, row: AlertEvent | RiskAlert, field: str, words: str) -> bool:
    """Seal words into an unsaved row; False, with the field empty, when their key can't be had."""
    try:
        with opening(actor, purpose="alert_note") as context:
            context.load_keys([row.sealed_for], create=True)
            setattr(row, field, words)
            seal_now(row)
    except (DatabaseError, SealedError) as error:
        log.error("note_not_sealed", row=str(row.pk), error=type(error).__name__)
        setattr(row, field, None)
        return False
    return True
