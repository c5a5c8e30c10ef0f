"""Owning an alert: claim, release, take over, escalate; who may is decided under the alert's lock."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from cortex.audit import Actor, Unchanged, action, record
from cortex.clock import clock
from crisis.alerts import moves, queries
from crisis.alerts.actions import fire_next, withdraw_question
from crisis.alerts.models import RiskAlert
from crisis.alerts.moves import refuse_empty
from crisis.alerts.states import OWNED, WAITING, Move, Status
from crisis.alerts.timeline import append_event
from crisis.escalation.actions import tell_person


@action
def claim_alert(*, actor: Actor, alert_id: UUID, at: datetime | None = None) -> RiskAlert:
    """Claim an alert and every other waiting alert of that person; exactly one claimer wins.

    Raise a conflict for the second, naming who has it since when.
    """
    alert = queries.locked_alert(alert_id)
    at = clock(at)
    queries.refuse_strangers(actor, alert, at, cards=True)
    if alert.status in OWNED:
        if alert.assigned_to_id == actor.id:
            return Unchanged(alert)  # type: ignore[return-value]
        raise moves.conflict(actor, alert, _claimed_by(alert, at), "already_claimed")
    moves.next_state(actor, alert, Move.CLAIM)
    siblings = queries.locked_open_of(alert.person_id) if alert.person_id else [alert]
    for other in siblings:
        if other.status in WAITING:
            _take(actor, other, at)
            if other.pk == alert.pk:
                alert = other
    return alert


def _claimed_by(alert: RiskAlert, at: datetime) -> str:
    owner = alert.assigned_to.full_name if alert.assigned_to else "Somebody"
    ago = int((at - (alert.claimed_at or at)).total_seconds())
    return f"Claimed by {owner} {_span(ago)} ago."


def _span(seconds: int) -> str:
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"


def _take(actor: Actor, alert: RiskAlert, at: datetime) -> None:
    alert.status = Status.ACKNOWLEDGED
    alert.assigned_to = actor.user
    alert.claimed_at = at
    alert.acknowledged_at = alert.acknowledged_at or at
    alert.owner_gone_at = None
    alert.chain_beside = False
    alert.has_unconfirmed_step = False
    moves.apply(
        actor,
        alert,
        event="claimed",
        verb="alert.claimed",
        at=at,
        fields=[
            "status",
            "assigned_to",
            "claimed_at",
            "acknowledged_at",
            "owner_gone_at",
            "chain_beside",
            "has_unconfirmed_step",
        ],
    )


@action
def release_alert(
    *, actor: Actor, alert_id: UUID, reason: str, code: str = "by_hand", at: datetime | None = None
) -> RiskAlert:
    """Give a claim back before contact; the chain resumes where it stood. Refused once in contact.

    `code` says why when the clock does it: that needs no note, so it runs with the keys away too.
    """
    refuse_empty(reason, "reason", "Say in a few words why you give it back: the next person reads it.")
    alert = queries.locked_alert(alert_id)
    at = clock(at)
    queries.refuse_strangers(actor, alert, at, cards=True)
    state = moves.next_state(actor, alert, Move.RELEASE)
    moves.refuse_non_owner(actor, alert, Move.RELEASE)
    withdraw_question(actor=actor, alert=alert, why="released", at=at)
    alert.status = state
    alert.assigned_to = None
    alert.claimed_at = None
    alert.owner_gone_at = None
    alert.chain_beside = False
    moves.apply(
        actor,
        alert,
        event="released",
        verb="alert.released",
        at=at,
        entry=False,
        note=None if actor.is_system else reason,
        fields=["status", "assigned_to", "claimed_at", "owner_gone_at", "chain_beside"],
        codes={"why": code},
    )
    if alert.chain_position >= len(alert.policy["chain"]):
        # Everybody was asked before the claim: the next call must not wait for the repeat.
        fire_next(actor=actor, alert=alert, at=at)
    return alert


@action
def take_over_alert(*, actor: Actor, alert_id: UUID, reason: str, at: datetime | None = None) -> RiskAlert:
    """Become the owner of an alert that somebody else has, with a reason; its state stays."""
    refuse_empty(reason, "reason", "Say why you take it over: its owner is told.")
    alert = queries.locked_alert(alert_id)
    at = clock(at)
    queries.refuse_strangers(actor, alert, at, cards=True)
    moves.next_state(actor, alert, Move.TAKE_OVER)
    if alert.assigned_to_id == actor.id:
        return Unchanged(alert)  # type: ignore[return-value]
    withdraw_question(actor=actor, alert=alert, why="taken_over", at=at)
    before = alert.assigned_to
    alert.assigned_to = actor.user
    alert.claimed_at = at
    alert.owner_gone_at = None
    alert.chain_beside = False
    alert.has_unconfirmed_step = False
    moves.apply(
        actor,
        alert,
        event="taken_over",
        verb="alert.taken_over",
        at=at,
        note=reason,
        fields=["assigned_to", "claimed_at", "owner_gone_at", "chain_beside", "has_unconfirmed_step"],
        codes={"from": str(before.pk) if before else ""},
    )
    told = append_event(actor, alert, "owner_told", at)
    tell_person(actor=actor, alert=alert, user=before, event=told, at=at)
    return alert


@action
def escalate_alert(*, actor: Actor, alert_id: UUID, reason: str, at: datetime | None = None) -> RiskAlert:
    """Fire the chain's next step now; the owner stays the owner and the state stays."""
    refuse_empty(reason, "reason", "Say why now, in one or two sentences: they see it with the alert.")
    alert = queries.locked_alert(alert_id)
    at = clock(at)
    queries.refuse_strangers(actor, alert, at, cards=True)
    moves.next_state(actor, alert, Move.ESCALATE)
    codes = {"position": alert.chain_position}
    event = append_event(actor, alert, "escalated", at, note=reason, codes=codes)
    record(actor, "alert.escalated", alert, codes=codes)
    return fire_next(actor=actor, alert=alert, at=at, event=event)
