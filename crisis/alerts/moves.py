"""The shared steps of every move: check it against the table, change the row, say it, set the timers."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.urls import reverse

from cortex.audit import Actor, InputRefused, RuleBroken, record
from cortex.clock import clock
from crisis.alerts import queries
from crisis.alerts.models import RiskAlert
from crisis.alerts.states import OWNERS_MOVES, Move, Status, after, offers
from crisis.alerts.timeline import append_event
from crisis.alerts.wording import event_words
from crisis.escalation.actions import reschedule

WORDS = {
    Status.NEW: "It is waiting for a counselor.",
    Status.NOTIFIED: "It is waiting for a counselor.",
    Status.ACKNOWLEDGED: "It has been claimed and nobody has reached the person yet.",
    Status.IN_CONTACT: "Its owner is in contact with the person.",
    Status.MONITORING: "Its owner keeps watching.",
    Status.RESOLVED: "It was resolved.",
    Status.FALSE_ALARM: "It was closed as a false alarm.",
    Status.MERGED: "It was merged into another alert.",
}
MOVES = {
    Move.CLAIM: "claim it",
    Move.RELEASE: "give it back",
    Move.TAKE_OVER: "take it over",
    Move.ATTEMPT: "log an attempt",
    Move.CONTACT: "log contact",
    Move.CONTACT_END: "end the contact",
    Move.STILL_WITH: "say that you are still with them",
    Move.ESCALATE: "escalate",
    Move.RESOLVE: "resolve it",
    Move.FALSE_ALARM: "close it as a false alarm",
    Move.REOPEN: "reopen it",
}


def next_state(actor: Actor, alert: RiskAlert, move: Move) -> Status:
    """Return the state after a move, or raise a conflict that says what is allowed instead."""
    state = after(alert.status, move)
    if state is None:
        raise not_now(actor, alert)
    return state


def not_now(actor: Actor, alert: RiskAlert) -> RuleBroken:
    """Return the conflict of something that the alert's state does not allow."""
    return conflict(
        actor, alert, f"That is not possible now. {WORDS[Status(alert.status)]}", "move_not_allowed"
    )


def conflict(actor: Actor, alert: RiskAlert, message: str, code: str, **extra: Any) -> RuleBroken:
    """Return the conflict that tells who has the alert, since when, and what this actor may do."""
    moves = offers(alert.status, is_owner=actor.id is not None and alert.assigned_to_id == actor.id)
    return RuleBroken(
        message,
        code,
        allowed=[str(move) for move in moves],
        allowed_words=[MOVES[move] for move in moves],
        page_url=reverse("crisis:alert_page", args=[alert.merged_into_id or alert.pk]),
        **extra,
        **queries.owner_facts(alert),
    )


def refuse_unseen(actor: Actor, alert: RiskAlert, seen: int | None) -> None:
    """Raise a conflict that names what came in since the person's form was drawn at feed number `seen`.

    `seen` in the conflict is the number of the last thing that it names: the next press knows of it.
    """
    news = queries.news_after(alert.pk, seen) if seen is not None else []
    if news:
        titles = dict.fromkeys(event_words(event.kind, event.codes)[0].lower() for event in news)
        message = f"This alert has changed since you opened the form: {', '.join(titles)}. Look again first."
        raise conflict(actor, alert, message, "changed_since", seen=news[-1].feed_number)


def refuse_non_owner(actor: Actor, alert: RiskAlert, move: Move) -> None:
    """Raise a conflict when somebody else than the owner makes an owner's move."""
    if move in OWNERS_MOVES and not actor.is_system and alert.assigned_to_id not in (None, actor.id):
        owner = alert.assigned_to.full_name if alert.assigned_to else "Somebody else"
        raise conflict(
            actor, alert, f"{owner} has this alert. Take it over first, with a reason.", "not_the_owner"
        )


def apply(
    actor: Actor,
    alert: RiskAlert,
    *,
    event: str,
    verb: str,
    at: datetime,
    fields: list[str],
    codes: dict[str, Any] | None = None,
    note: str | None = None,
    entry: bool = True,
    chain: bool = True,
) -> RiskAlert:
    """Save a changed alert, append its event, record the verb and set the timers of its new state.

    `entry` marks sign of life by the owner; `fields` are the columns that the move changed. The epoch goes
    up with every change, which fences off the timers of the state before. `chain=False` leaves the chain's
    timer to the caller, whose next step fires in the same transaction.
    """
    alert.epoch += 1
    if entry:
        alert.last_entry_at = at
    alert.save(update_fields=[*fields, "epoch", "last_entry_at", "updated_at"])
    append_event(actor, alert, event, at, codes=codes, note=note)
    record(actor, verb, alert, fields=fields, codes=codes)
    if alert.is_open:
        reschedule(actor=actor, alert=alert, at=at, chain=chain)
    return alert


def refuse_empty(text: str, field: str, message: str) -> None:
    """Raise for a reason that was left empty; `message` says what to write."""
    if not text.strip():
        raise InputRefused(message, "required", field=field)


def owned_for(actor: Actor, alert_id: UUID, move: Move) -> RiskAlert:
    """Lock an alert for an owner's move; NotFound for strangers, a conflict for others and illegal moves."""
    alert = queries.locked_alert(alert_id)
    # Whoever sees the card knows that it exists: a claim that was lost is a conflict, not a riddle.
    queries.refuse_strangers(actor, alert, clock(), cards=True)
    next_state(actor, alert, move)
    refuse_non_owner(actor, alert, move)
    return alert
