"""Working a claimed alert: attempts, contact, the end of a contact, and signs of life."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from cortex.audit import Actor, action
from cortex.clock import clock
from crisis.alerts import moves
from crisis.alerts.models import RiskAlert
from crisis.alerts.states import Move


@action
def log_attempt(
    *, actor: Actor, alert_id: UUID, note: str = "", channel: str = "phone", at: datetime | None = None
) -> RiskAlert:
    """Log an attempt to reach the person that nobody answered; it keeps the claim alive."""
    alert = moves.owned_for(actor, alert_id, Move.ATTEMPT)
    at = clock(at)
    first = alert.first_response_at is None
    alert.first_response_at = alert.first_response_at or at
    return _entry(
        actor, alert, "contact_attempt", at, note, ["first_response_at"], {"channel": channel, "first": first}
    )


@action
def log_contact(
    *, actor: Actor, alert_id: UUID, note: str = "", channel: str = "phone", at: datetime | None = None
) -> RiskAlert:
    """Log that the person was reached: from here on no timer ever releases the claim."""
    alert = moves.owned_for(actor, alert_id, Move.CONTACT)
    at = clock(at)
    alert.status = moves.next_state(actor, alert, Move.CONTACT)
    alert.first_response_at = alert.first_response_at or at
    alert.contact_at = alert.contact_at or at
    # Reached: a button pressed from now on is a new call for a person.
    alert.waiting_person = False
    return _entry(
        actor,
        alert,
        "contact_made",
        at,
        note,
        ["status", "first_response_at", "contact_at", "waiting_person"],
        {"channel": channel},
    )


@action
def end_contact(*, actor: Actor, alert_id: UUID, note: str = "", at: datetime | None = None) -> RiskAlert:
    """Log that the contact ended and the owner keeps watching."""
    alert = moves.owned_for(actor, alert_id, Move.CONTACT_END)
    at = clock(at)
    alert.status = moves.next_state(actor, alert, Move.CONTACT_END)
    return _entry(actor, alert, "contact_ended", at, note, ["status"])


@action
def still_with_them(*, actor: Actor, alert_id: UUID, note: str = "", at: datetime | None = None) -> RiskAlert:
    """Say in one key that the owner is still with the person; the 20 minutes start again."""
    alert = moves.owned_for(actor, alert_id, Move.STILL_WITH)
    return _entry(actor, alert, "still_with", clock(at), note, [])


def _entry(
    actor: Actor,
    alert: RiskAlert,
    event: str,
    at: datetime,
    note: str,
    fields: list[str],
    codes: dict[str, Any] | None = None,
) -> RiskAlert:
    return moves.apply(
        actor,
        alert,
        event=event,
        verb=f"alert.{event}",
        at=at,
        fields=fields,
        codes=codes,
        note=note.strip() or None,
    )
