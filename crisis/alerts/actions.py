"""Raising alerts: raise or join, rise, fire the chain's next step, confirm that somebody saw or was told."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError

from cortex.audit import Actor, Unchanged, action, quiet, record
from cortex.clock import clock
from crisis.alerts import moves, queries
from crisis.alerts.models import RANK, AlertEvent, Kind, Level, RiskAlert, Source
from crisis.alerts.states import Move, Status
from crisis.alerts.timeline import append_event, seal_note
from crisis.escalation import actions as escalation
from crisis.escalation.models import AttemptState, NotificationAttempt
from crisis.escalation.policy import clocks
from crisis.escalation.queries import policy_for
from crisis.reviews import actions as reviews
from crisis.reviews.models import PLAN_REVIEW
from patients.registry.queries import lock_person

# An alert keeps this many pieces of evidence; what came first stays behind what counts most now.
MOST_FACTORS = 60
# Domain 3.3: a safety plan is looked at after every critical event, as is the treatment plan (6.1).
PLAN_WITHIN = timedelta(hours=72)


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

    `facts` are the coded columns of an evaluation (rules_fired, factors, evidence, missing_inputs, score,
    assessment_id, third_party). `renotify` tells people again although the level did not rise.
    """
    if patient_id is not None:
        patient_id = lock_person(patient_id)
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
        **clocks(policy, at),
        **(facts or {}),
    )
    alert.last_notified_score = alert.score
    codes = {"kind": kind, "level": level, "reason": reason_code, "source": source, "waiting": waiting}
    if hand_note and not seal_note(actor, alert, "hand_note", hand_note):
        alert.note_lost = codes["note_lost"] = True
    alert.save(force_insert=True)
    event = append_event(actor, alert, "raised", at, codes=codes)
    record(actor, "alert.raised", alert, codes=codes)
    if level == Level.CRITICAL:
        _ask_for_plan(actor, alert, at)
    _fire(actor, alert, at, event)
    return alert


def _ask_for_plan(actor: Actor, alert: RiskAlert, at: datetime) -> None:
    """Make it a task to go through the person's safety plan when the worst is over, or to make one."""
    if alert.patient is None:
        return
    reviews.make_item(
        actor=actor,
        organization_id=alert.organization_id,
        patient=alert.patient,
        reason_code=PLAN_REVIEW,
        source_type="alert",
        source_id=alert.pk,
        due_at=at + PLAN_WITHIN,
        at=at,
    )


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
        append_event(actor, alert, "note", at, note=hand_note)
    if rises:
        return _rise(actor, alert, level=level, waiting=waiting, fields=fields, at=at)
    # A question that was asked before this came must not end the alert now.
    withdraw_question(actor=actor, alert=alert, why="new_evidence", at=at)
    kind = "renotified" if renotify else "evidence_added"
    if renotify:
        alert.last_notified_score = alert.score
        fields.append("last_notified_score")
    alert.save(update_fields=[*fields, "updated_at"])
    codes = {"rules": list(alert.rules_fired), "score": str(alert.score), "reason": reason_code}
    event = append_event(actor, alert, kind, at, codes=codes)
    record(actor, f"alert.{kind}", alert, fields=fields, codes=codes)
    if renotify and not escalation.tell(
        actor=actor, alert=alert, who="on_duty", event=event, step=None, at=at, owner=True
    ):
        # Nobody at the desk, and no owner who is there: somebody has to hear it all the same.
        fire_next(actor=actor, alert=alert, at=at)
    return alert


def _take_facts(alert: RiskAlert, facts: dict[str, Any]) -> list[str]:
    for name, value in facts.items():
        if name == "rules_fired":
            value = list(dict.fromkeys([*alert.rules_fired, *value]))
        if name == "factors":
            value = _with_earlier(value, alert.factors)
        if name == "evidence":
            value = list(dict.fromkeys([*alert.evidence, *value]))
        if name == "third_party":
            value = value or alert.third_party
        setattr(alert, name, value)
    return list(facts)


def _with_earlier(factors: list[dict[str, Any]], earlier: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Keep the evidence that the alert stood on before: without a share, but it is part of what raised it."""
    known = {(one.get("code"), one.get("source_id")) for one in factors}
    kept = [one | {"share": None} for one in earlier if (one.get("code"), one.get("source_id")) not in known]
    return [*factors, *kept][:MOST_FACTORS]


def _rise(
    actor: Actor, alert: RiskAlert, *, level: str, waiting: bool, fields: list[str], at: datetime
) -> RiskAlert:
    """Raise the level on the same alert: clocks and chain start again at the new level, the owner stays."""
    higher = max(level, alert.level, key=lambda value: RANK[Level(value)])
    if higher == Level.CRITICAL and alert.level != Level.CRITICAL:
        _ask_for_plan(actor, alert, at)
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
    withdraw_question(actor=actor, alert=alert, why="level_raised", at=at)
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


@action
def withdraw_question(*, actor: Actor, alert: RiskAlert, why: str, at: datetime) -> None:
    """Take back a question to a second reader that the alert has outgrown: its answer must not end it now.

    The owner's timers rested while it waited. They run again from here, as they do after a refusal.
    """
    if reviews.withdraw_review(actor=actor, alert=alert, why=why, at=at) is None:
        return Unchanged(None)  # type: ignore[return-value]
    moves.apply(
        actor,
        alert,
        event="second_review_withdrawn",
        verb="alert.question_withdrawn",
        at=at,
        fields=[],
        codes={"why": why},
    )
    return None


@action
def confirm_seen(
    *, actor: Actor, alert_id: UUID, user_id: UUID, number: int, at: datetime | None = None
) -> RiskAlert:
    """Confirm a person's board notifications of one alert up to a feed number, and with it that it was seen.

    One transaction: an alert whose call-out is confirmed is never left as if nobody had heard of it.
    """
    alert = queries.locked_alert(alert_id)
    at = clock(at)
    seen = escalation.confirm_on_board(
        actor=actor,
        user_id=user_id,
        organization_id=alert.organization_id,
        number=number,
        alert_ids=[alert_id],
        at=at,
    )
    if seen:
        alert = mark_notified(actor=actor, alert_id=alert_id, at=at)
    return Unchanged(alert)  # type: ignore[return-value]


@action
def confirm_delivery(
    *, actor: Actor, attempt: NotificationAttempt, at: datetime | None = None
) -> NotificationAttempt:
    """Note that a channel confirmed a notification, and with it that the alert was seen; one transaction."""
    if attempt.alert_id is not None:
        mark_notified(actor=actor, alert_id=attempt.alert_id, at=at)
    return Unchanged(  # type: ignore[return-value]
        escalation.note_delivery(actor=actor, attempt=attempt, state=AttemptState.CONFIRMED)
    )


@action
def mark_notified(*, actor: Actor, alert_id: UUID, at: datetime | None = None) -> RiskAlert:
    """Move a new alert to notified: somebody's channel confirmed it."""
    alert = queries.locked_alert(alert_id)
    at = clock(at)
    if alert.status != Status.NEW:
        return _confirmed_late(actor, alert, at)
    alert.status = moves.next_state(actor, alert, Move.NOTIFY)
    alert.notified_at = at
    alert.has_unconfirmed_step = False
    # The timers stay as they are: being told is not being claimed, so no epoch passes.
    alert.save(update_fields=["status", "notified_at", "has_unconfirmed_step", "updated_at"])
    append_event(actor, alert, "notified", at)
    record(actor, "alert.notified", alert, fields=["status"])
    return alert


def _confirmed_late(actor: Actor, alert: RiskAlert, at: datetime) -> RiskAlert:
    """Take the mark "nobody confirmed" off an alert that somebody has seen by now."""
    if not alert.has_unconfirmed_step:
        return Unchanged(alert)  # type: ignore[return-value]
    alert.has_unconfirmed_step = False
    alert.save(update_fields=["has_unconfirmed_step", "updated_at"])
    append_event(actor, alert, "confirmed_late", at)
    record(actor, "alert.confirmed_late", alert, fields=["has_unconfirmed_step"])
    return alert
