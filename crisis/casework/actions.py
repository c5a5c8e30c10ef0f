"""Working a claimed alert: attempts, contact, the end of a contact, and signs of life."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from cortex.audit import Actor, RuleBroken, action, record
from cortex.clock import clock
from crisis.alerts import moves, queries
from crisis.alerts.models import RiskAlert
from crisis.alerts.states import Move, Status
from crisis.alerts.timeline import append_event
from crisis.reviews.actions import close_first_contact, note_reached

NOTHING_WRITTEN = "Write the note."
NOT_KEPT = (
    "Your note was not saved: what seals it does not answer. Your words stand below. Try again in a moment."
)


def _response(alert: RiskAlert, at: datetime) -> datetime:
    """Return when the person was first tried: since the level rose last, from which its clocks run."""
    before = alert.first_response_at
    return before if before is not None and before >= alert.level_since else at


def _talked(alert: RiskAlert, at: datetime) -> list[str]:
    """Note that the person is spoken to: a button pressed from now on is a new call for a person."""
    alert.first_response_at, alert.waiting_person = _response(alert, at), False
    return ["first_response_at", "waiting_person"]


@action
def log_attempt(
    *,
    actor: Actor,
    alert_id: UUID,
    note: str = "",
    channel: str = "phone",
    also: bool = False,
    at: datetime | None = None,
) -> RiskAlert:
    """Log an attempt to reach the person that nobody answered; it keeps the claim alive.

    Here as below, `also` writes the entry on the actor's other open alerts of the person too, where their
    state allows the move; the alert that is returned names them as `logged_beside`.
    """
    alerts = _held(actor, alert_id, Move.ATTEMPT, also)
    at = clock(at)
    close_first_contact(actor=actor, patient=alerts[0].patient, outcome="tried", at=at)
    for alert in alerts:
        alert.first_response_at = _response(alert, at)
        codes = {"channel": channel, "first": alert.first_response_at == at}
        _entry(actor, alert, "contact_attempt", at, note, ["first_response_at"], codes)
    return _with_others(alerts)


@action
def log_contact(
    *,
    actor: Actor,
    alert_id: UUID,
    note: str = "",
    channel: str = "phone",
    also: bool = False,
    at: datetime | None = None,
) -> RiskAlert:
    """Log that the person was reached: from here on no timer ever releases the claim."""
    alerts = _held(actor, alert_id, Move.CONTACT, also)
    at = clock(at)
    note_reached(actor=actor, patient=alerts[0].patient, at=at)
    for alert in alerts:
        alert.status = moves.next_state(actor, alert, Move.CONTACT)
        alert.contact_at = alert.contact_at or at
        fields = ["status", "contact_at", *_talked(alert, at)]
        _entry(actor, alert, "contact_made", at, note, fields, {"channel": channel})
    return _with_others(alerts)


@action
def end_contact(
    *, actor: Actor, alert_id: UUID, note: str = "", also: bool = False, at: datetime | None = None
) -> RiskAlert:
    """Log that the contact ended and the owner keeps watching: until now the person was spoken to."""
    alerts = _held(actor, alert_id, Move.CONTACT_END, also)
    at = clock(at)
    for alert in alerts:
        alert.status = moves.next_state(actor, alert, Move.CONTACT_END)
        _entry(actor, alert, "contact_ended", at, note, ["status", *_talked(alert, at)])
    return _with_others(alerts)


@action
def still_with_them(
    *, actor: Actor, alert_id: UUID, note: str = "", also: bool = False, at: datetime | None = None
) -> RiskAlert:
    """Say in one key that the owner is still with the person; the 20 minutes start again."""
    alerts = _held(actor, alert_id, Move.STILL_WITH, also)
    at = clock(at)
    for alert in alerts:
        talks = alert.status == Status.IN_CONTACT
        _entry(actor, alert, "still_with", at, note, _talked(alert, at) if talks else [])
    return _with_others(alerts)


@action
def add_note(*, actor: Actor, alert_id: UUID, note: str, at: datetime | None = None) -> RiskAlert:
    """Write a note on an open alert; whoever sees its card may, the owner reads it as news.

    It is no move: neither state nor timers change, and before contact it keeps no claim alive. So a note that
    can't be sealed is refused, for its writer to keep.
    """
    moves.refuse_empty(note, "note", NOTHING_WRITTEN)
    alert = queries.locked_alert(alert_id)
    at = clock(at)
    queries.refuse_strangers(actor, alert, at, cards=True)
    if not alert.is_open:
        raise moves.not_now(actor, alert)
    append_event(actor, alert, "note", at, note=note.strip())
    if alert.note_lost:
        raise RuleBroken(NOT_KEPT, "note_not_sealed", status=503)
    record(actor, "alert.noted", alert)
    return alert


def _held(actor: Actor, alert_id: UUID, move: Move, also: bool) -> list[RiskAlert]:
    """Lock the alert for an owner's move, and with `also` the others that the same entry belongs on."""
    alert = moves.owned_for(actor, alert_id, move)
    return [alert, *(queries.held_with(actor, alert, move) if also else ())]


def _with_others(alerts: list[RiskAlert]) -> RiskAlert:
    alert, *others = alerts
    alert.logged_beside = tuple(others)
    alert.note_lost = any(one.note_lost for one in alerts)
    return alert


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
