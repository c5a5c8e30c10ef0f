"""Raising alerts and owning them: raise, rise, notify, claim, release, take over, escalate."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError

from cortex.access.context import opening
from cortex.audit import Actor, Unchanged, action, quiet, record
from cortex.clock import clock
from crisis.alerts import moves, queries
from crisis.alerts.models import AlertEvent, Kind, Level, RiskAlert, Source
from crisis.alerts.moves import refuse_empty
from crisis.alerts.states import OWNED, WAITING, Move, Status
from crisis.alerts.timeline import append_event
from crisis.escalation import actions as escalation
from crisis.escalation.policy import clocks
from crisis.escalation.queries import policy_for
from crisis.reviews import actions as reviews
from patients.registry.queries import locked as lock_patients

RANK = {Level.HIGH: 0, Level.CRITICAL: 1}


@action
def raise_alert(
    *,
    actor: Actor,
    organization_id: UUID,
    patient_id: UUID | None,
    kind: str,
    level: str,
    reason_code: str,
    source: str = Source.ENGINE,
    facts: dict[str, Any] | None = None,
    waiting: bool = False,
    hand_note: str | None = None,
    renotify: bool = False,
    at: datetime | None = None,
) -> RiskAlert:
    """Open an alert, or join the open one of this person and kind; severity only ever rises here.

    `facts` are the coded columns of an evaluation (rules_fired, factors, missing_inputs, score,
    assessment_id, third_party). `renotify` tells people again although the level did not rise.
    """
    if patient_id is not None:
        lock_patients([patient_id])
    at = clock(at)
    existing = queries.open_of_kind(organization_id, patient_id, kind)
    if existing is not None:
        return _join(
            actor,
            existing,
            level=level,
            waiting=waiting,
            facts=facts or {},
            renotify=renotify,
            reason_code=reason_code,
            hand_note=hand_note,
            at=at,
        )
    policy = policy_for(organization_id, level, waiting=waiting)
    alert = RiskAlert(
        organization_id=organization_id,
        patient_id=patient_id,
        kind=kind,
        level=level,
        source=source,
        reason_code=reason_code,
        waiting_person=waiting,
        policy=policy,
        raised_at=at,
        level_since=at,
        epoch=1,
        hand_note=hand_note,
        **clocks(policy, at),
        **(facts or {}),
    )
    alert.last_notified_score = alert.score
    _save_new(actor, alert)
    codes = {"kind": kind, "level": level, "reason": reason_code, "source": source, "waiting": waiting}
    event = append_event(actor, alert, "raised", at, codes=codes)
    record(actor, "alert.raised", alert, codes=codes)
    _fire(actor, alert, at, event)
    return alert


def _save_new(actor: Actor, alert: RiskAlert) -> None:
    if alert.hand_note is None:
        alert.save(force_insert=True)
        return
    with opening(actor, purpose="alert_raise") as context:
        context.load_keys([alert.sealed_for], create=True)
        alert.save(force_insert=True)


def _fire(actor: Actor, alert: RiskAlert, at: datetime, event: AlertEvent | None = None) -> None:
    step = escalation.first_step(actor=actor, alert=alert, at=at)
    outcome = escalation.advance_chain(actor=actor, alert=alert, step=step, at=at, event=event)
    if outcome == "no_cover" and alert.kind != Kind.NO_COVER:
        report_no_cover(actor=actor, organization_id=alert.organization_id, at=at)


@quiet("the step that fires is recorded by its own action, and so is the incident that nobody is on shift")
def fire_next(*, actor: Actor, alert: RiskAlert, at: datetime, event: AlertEvent | None = None) -> RiskAlert:
    """Fire the chain's next step now; a new epoch fences off the one that was waiting for its own time.

    The owner's own timers, if there is an owner, are written again under the new epoch.
    """
    alert.epoch += 1
    alert.save(update_fields=["epoch", "updated_at"])
    escalation.reschedule(actor=actor, alert=alert, at=at, chain=False)
    _fire(actor, alert, at, event)
    return alert


@action
def report_no_cover(*, actor: Actor, organization_id: UUID, at: datetime | None = None) -> RiskAlert:
    """Open the incident that nobody is on shift; one stands open per organization."""
    at = clock(at)
    existing = queries.open_of_kind(organization_id, None, Kind.NO_COVER)
    if existing is not None:
        return Unchanged(existing)  # type: ignore[return-value]
    try:
        incident = raise_alert(
            actor=actor,
            organization_id=organization_id,
            patient_id=None,
            kind=Kind.NO_COVER,
            level=Level.HIGH,
            reason_code="no_cover",
            source=Source.SYSTEM,
            at=at,
        )
    except IntegrityError:
        # Nobody's row is locked for nobody's alert: another transaction opened it just now, and its one
        # stands for both. The alert that found no cover must not fall with the second.
        return Unchanged(queries.open_of_kind(organization_id, None, Kind.NO_COVER))  # type: ignore[return-value]
    record(actor, "cover.missing", incident)
    return incident


def _join(
    actor: Actor,
    alert: RiskAlert,
    *,
    level: str,
    waiting: bool,
    facts: dict[str, Any],
    renotify: bool,
    reason_code: str,
    hand_note: str | None,
    at: datetime,
) -> RiskAlert:
    rises = RANK[Level(level)] > RANK[Level(alert.level)] or (waiting and not alert.waiting_person)
    fields = _take_facts(alert, facts)
    if rises or renotify:
        alert.reason_code = reason_code
        fields.append("reason_code")
    if hand_note:
        with opening(actor, purpose="alert_raise") as context:
            context.load_keys([alert.sealed_for], create=True)
            append_event(actor, alert, "note", at, note=hand_note)
    if rises:
        return _rise(actor, alert, level=level, waiting=waiting, fields=fields, at=at)
    kind = "renotified" if renotify else "evidence_added"
    if renotify:
        alert.last_notified_score = alert.score
        fields.append("last_notified_score")
    alert.save(update_fields=[*fields, "updated_at"])
    codes = {"rules": list(alert.rules_fired), "score": str(alert.score), "reason": reason_code}
    event = append_event(actor, alert, kind, at, codes=codes)
    record(actor, f"alert.{kind}", alert, fields=fields, codes=codes)
    if renotify:
        escalation.tell(actor=actor, alert=alert, who="on_duty", event=event, step=None, at=at)
    return alert


def _take_facts(alert: RiskAlert, facts: dict[str, Any]) -> list[str]:
    for name, value in facts.items():
        if name == "rules_fired":
            value = list(dict.fromkeys([*alert.rules_fired, *value]))
        setattr(alert, name, value)
    return list(facts)


def _rise(
    actor: Actor, alert: RiskAlert, *, level: str, waiting: bool, fields: list[str], at: datetime
) -> RiskAlert:
    """Raise the level on the same alert: clocks and chain start again at the new level, the owner stays."""
    higher = max(level, alert.level, key=lambda value: RANK[Level(value)])
    alert.level = higher
    alert.waiting_person = alert.waiting_person or waiting
    alert.policy = policy_for(alert.organization_id, higher, waiting=alert.waiting_person)
    alert.level_since = at
    alert.chain_position = 0
    alert.last_notified_score = alert.score
    for name, due in clocks(alert.policy, at).items():
        setattr(alert, name, due)
    fields += [
        "level",
        "waiting_person",
        "policy",
        "level_since",
        "chain_position",
        "last_notified_score",
        "claim_due_at",
        "contact_due_at",
        "disposition_due_at",
    ]
    _withdraw_review(actor, alert, at, "level_raised")
    moves.apply(
        actor,
        alert,
        event="level_raised",
        verb="alert.level_raised",
        at=at,
        fields=fields,
        entry=False,
        codes={"level": alert.level, "rules": list(alert.rules_fired), "waiting": alert.waiting_person},
        chain=False,
    )
    _fire(actor, alert, at)
    return alert


def _withdraw_review(actor: Actor, alert: RiskAlert, at: datetime, why: str) -> None:
    """Take back a question to a second reader that the alert has outgrown: its answer must not end it now."""
    if reviews.withdraw_review(actor=actor, alert=alert, why=why, at=at) is not None:
        append_event(actor, alert, "second_review_withdrawn", at, codes={"why": why})


@action
def mark_notified(*, actor: Actor, alert_id: UUID, at: datetime | None = None) -> RiskAlert:
    """Move a new alert to notified: somebody's channel confirmed it."""
    alert = queries.locked_alert(alert_id)
    at = clock(at)
    if alert.status != Status.NEW:
        return Unchanged(alert)  # type: ignore[return-value]
    alert.status = moves.next_state(alert, Move.NOTIFY)
    alert.notified_at = at
    alert.has_unconfirmed_step = False
    # The timers stay as they are: being told is not being claimed, so no epoch passes.
    alert.save(update_fields=["status", "notified_at", "has_unconfirmed_step", "updated_at"])
    append_event(actor, alert, "notified", at)
    record(actor, "alert.notified", alert, fields=["status"])
    return alert


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
        raise moves.conflict(alert, _claimed_by(alert, at), "already_claimed")
    moves.next_state(alert, Move.CLAIM)
    siblings = queries.locked_open_of(alert.patient_id) if alert.patient_id else [alert]
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
    """Give a claim back before contact; the chain resumes where it stood. Refused once in contact."""
    refuse_empty(reason, "reason", "Say in a few words why you give it back: the next person reads it.")
    alert = queries.locked_alert(alert_id)
    at = clock(at)
    queries.refuse_strangers(actor, alert, at, cards=True)
    state = moves.next_state(alert, Move.RELEASE)
    moves.refuse_non_owner(actor, alert, Move.RELEASE)
    _withdraw_review(actor, alert, at, "released")
    alert.status = state
    alert.assigned_to = None
    alert.claimed_at = None
    alert.owner_gone_at = None
    alert.chain_beside = False
    with opening(actor, purpose="alert_work") as context:
        context.load_keys([alert.sealed_for], create=True)
        return moves.apply(
            actor,
            alert,
            event="released",
            verb="alert.released",
            at=at,
            entry=False,
            note=reason,
            fields=["status", "assigned_to", "claimed_at", "owner_gone_at", "chain_beside"],
            codes={"why": code},
        )


@action
def take_over_alert(*, actor: Actor, alert_id: UUID, reason: str, at: datetime | None = None) -> RiskAlert:
    """Become the owner of an alert that somebody else has, with a reason; its state stays."""
    refuse_empty(reason, "reason", "Say why you take it over: its owner is told.")
    alert = queries.locked_alert(alert_id)
    at = clock(at)
    queries.refuse_strangers(actor, alert, at, cards=True)
    moves.next_state(alert, Move.TAKE_OVER)
    if alert.assigned_to_id == actor.id:
        return Unchanged(alert)  # type: ignore[return-value]
    _withdraw_review(actor, alert, at, "taken_over")
    before = alert.assigned_to_id
    alert.assigned_to = actor.user
    alert.claimed_at = at
    alert.owner_gone_at = None
    alert.chain_beside = False
    with opening(actor, purpose="alert_work") as context:
        context.load_keys([alert.sealed_for], create=True)
        return moves.apply(
            actor,
            alert,
            event="taken_over",
            verb="alert.taken_over",
            at=at,
            note=reason,
            fields=["assigned_to", "claimed_at", "owner_gone_at", "chain_beside"],
            codes={"from": str(before)},
        )


@action
def escalate_alert(*, actor: Actor, alert_id: UUID, reason: str, at: datetime | None = None) -> RiskAlert:
    """Fire the chain's next step now; the owner stays the owner and the state stays."""
    refuse_empty(reason, "reason", "Say why now, in one or two sentences: they see it with the alert.")
    alert = queries.locked_alert(alert_id)
    at = clock(at)
    queries.refuse_strangers(actor, alert, at, cards=True)
    moves.next_state(alert, Move.ESCALATE)
    with opening(actor, purpose="alert_work") as context:
        context.load_keys([alert.sealed_for], create=True)
        event = append_event(
            actor, alert, "escalated", at, note=reason, codes={"position": alert.chain_position}
        )
    record(actor, "alert.escalated", alert, codes={"position": alert.chain_position})
    return fire_next(actor=actor, alert=alert, at=at, event=event)
