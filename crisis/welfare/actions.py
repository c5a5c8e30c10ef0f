"""Writes of welfare checks: ask the supervisors, and keep what one of them decided."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q

from cortex.access.context import opening
from cortex.audit import Actor, InputRefused, NotFound, RuleBroken, Unchanged, action, record
from cortex.clock import clock
from cortex.ops.notices.actions import notify, overtake
from crisis.alerts.actions import withdraw_question
from crisis.alerts.models import Level, RiskAlert
from crisis.alerts.queries import locked_alert
from crisis.alerts.timeline import append_event
from crisis.duty.queries import people_for
from crisis.escalation.actions import tell_desk
from crisis.reviews import queries as reviews
from crisis.reviews.actions import close_item, make_item
from crisis.reviews.models import STANDING, WELFARE, WELFARE_SENT, FollowUp, ReviewItem
from crisis.welfare import queries
from crisis.welfare.models import Decision, WelfareDecision
from patients.registry.models import Patient
from patients.registry.queries import lock_with_record, rows_of

# [P] How long a supervisor has: about somebody whom calls didn't reach, and about an alert that would end.
DECIDE_WITHIN = timedelta(hours=1)
DECIDE_ALERT_WITHIN = timedelta(minutes=30)
# [P] Trying again puts the question off by a day at most.
LONGEST_AGAIN = timedelta(hours=24)
# Domain 3.6: whoever was sent is rung back.
RING_BACK = {Level.CRITICAL: timedelta(hours=2)}
RING_BACK_LATER = timedelta(hours=24)
ASKED, DECIDED = "welfare_check_asked", "welfare_check_decided"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a supervisor writes: what to do, why, who was asked to go, and until when to try again."""

    decision: str = ""
    reason: str = ""
    reference: str = ""
    again_by: datetime | None = None


@action
def ask_welfare_check(
    *, actor: Actor, patient: Patient, organization_id: UUID, source: RiskAlert | FollowUp, at: datetime
) -> ReviewItem:
    """Make a decision on a welfare check a task of the supervisors; the person is locked.

    An open question about the person stands, and one decision answers both; an alert's end makes it its own.
    """
    is_alert = isinstance(source, RiskAlert)
    standing = queries.open_item(rows_of(patient))
    if standing is not None:
        return _joined(actor, standing, source, at) if is_alert else Unchanged(standing)  # type: ignore[return-value]
    people = people_for("supervisor", organization_id)
    item = make_item(
        actor=actor, organization_id=organization_id, patient=patient, reason_code=WELFARE,
        source_type="alert" if is_alert else "follow_up", source_id=source.pk,
        due_at=at + (DECIDE_ALERT_WITHIN if is_alert else DECIDE_WITHIN),
        owner_id=people[0].pk if people else None, at=at,
    )  # fmt: skip
    tell_desk(actor=actor, people=people, about=item, at=at)
    notify(
        actor=actor, organization_id=organization_id, user_ids=queries.supervisors(organization_id),
        code=ASKED, object_type="crisis.ReviewItem", object_id=item.pk,
    )  # fmt: skip
    record(actor, "welfare_check.asked", item, subject=patient.pk, codes={"source": item.source_type})
    return item


def _joined(actor: Actor, item: ReviewItem, alert: RiskAlert | FollowUp, at: datetime) -> ReviewItem:
    """Let an open question stand for an alert that would end: its time is shorter, and it waits for it.

    The contact that asked it comes again by itself, should the alert not end so.
    """
    if item.source_type == "follow_up" and item.source_id is not None:
        rows = FollowUp.objects.filter(pk=item.source_id, status__in=STANDING)
        rows.update(supervisor_at=item.due_at)
    item.source_type, item.source_id = "alert", alert.pk
    item.due_at = min(item.due_at, at + DECIDE_ALERT_WITHIN)
    if item.next_escalation_at is not None:
        item.next_escalation_at = min(item.next_escalation_at, item.due_at)
    item.save(update_fields=["source_type", "source_id", "due_at", "next_escalation_at", "updated_at"])
    record(actor, "welfare_check.asked", item, subject=item.patient_id, codes={"source": "alert"})
    return item


@action
def decide_welfare_check(
    *, actor: Actor, item_id: UUID, verdict: Verdict, at: datetime | None = None
) -> WelfareDecision:
    """Decide, as a supervisor of the person's house, whether a welfare check is sent.

    NotFound for others, `already_decided` afterwards, `same_person` for who asked to end an alert with it.
    Sending makes a task to ring back; trying again asks once more when its time comes.
    """
    _, person = queries.item_of(actor, item_id)
    lock_with_record(person.pk)
    asked, person = queries.item_of(actor, item_id)  # an alert's end may have made it its own meanwhile
    alert = locked_alert(asked.source_id) if asked.source_type == "alert" and asked.source_id else None
    at = clock(at)
    item = reviews.locked_item(item_id)
    if item is None or item.done_at is not None:
        raise RuleBroken("This has been decided, or the person was reached.", "already_decided")
    if not queries.may_open(actor, person.pk, at):
        raise NotFound
    if alert is not None and alert.assigned_to_id == actor.id:
        raise RuleBroken("Somebody else has to decide this: you asked for it.", "same_person")
    _refuse_incomplete(verdict, at)
    row = _decide(actor, item, person, verdict, at)
    record(
        actor, "welfare_check.decided", row, subject=row.patient_id,
        codes={"decision": row.decision, "contact": row.contact, "tries": row.tries},
    )  # fmt: skip
    _close(actor, item, row, at)
    _follow(actor, asked, row, alert, at)
    return row


def _refuse_incomplete(verdict: Verdict, at: datetime) -> None:
    if verdict.decision not in Decision.values:
        raise InputRefused("Choose what is done.", "required", field="decision")
    if verdict.decision == Decision.SEND and not verdict.reference.strip():
        raise InputRefused(
            "Write who was asked to go: a name, a number or a reference.", "required", field="reference"
        )
    if verdict.decision == Decision.DONT_SEND and not verdict.reason.strip():
        raise InputRefused("Say why none is sent.", "required", field="reason")
    if verdict.decision == Decision.TRY_AGAIN:
        if verdict.again_by is None:
            raise InputRefused("Say until when it is tried again.", "required", field="again_by")
        if not at < verdict.again_by <= at + LONGEST_AGAIN:
            raise InputRefused("Within the next 24 hours.", "out_of_range", field="again_by")


def _decide(
    actor: Actor, item: ReviewItem, person: Patient, verdict: Verdict, at: datetime
) -> WelfareDecision:
    ids = rows_of(person)
    tries = reviews.tries(ids, queries.counted_since(ids))
    again = verdict.again_by if verdict.decision == Decision.TRY_AGAIN else None
    with opening(actor, purpose="review") as context:
        context.load_keys([person.pk], create=True)
        return WelfareDecision.objects.create(
            organization_id=item.organization_id, item=item, patient=person, decision=verdict.decision,
            decided_by=actor.person, decided_at=at, contact=reviews.contact_of(person, tries, at),
            tries=len(tries), again_by=again, reason=verdict.reason.strip() or None,
            reference=verdict.reference.strip() or None,
        )  # fmt: skip


def _close(actor: Actor, item: ReviewItem, row: WelfareDecision, at: datetime) -> None:
    item.done_at, item.done_by, item.outcome = at, actor.user, row.decision
    item.next_escalation_at = None
    item.save(update_fields=["done_at", "done_by", "outcome", "next_escalation_at", "updated_at"])
    record(actor, "review.done", item, fields=["done_at", "outcome"], codes={"outcome": row.decision})
    people = queries.supervisors(item.organization_id)
    overtake(actor=actor, user_ids=people, code=ASKED, object_ids=[item.pk], at=at)


def _follow(
    actor: Actor, asked: ReviewItem, row: WelfareDecision, alert: RiskAlert | None, at: datetime
) -> None:
    """Do what a decision asks for, and tell whoever works with the person; the feed comes last."""
    contact = queries.follow_up_of(asked)
    source = alert or (contact.alert if contact is not None else None)
    if row.decision == Decision.SEND and source is not None:
        _ring_back(actor, asked, source, at)
    # One decision answers whoever asked for it, and those that waited behind an alert's question.
    waiting = FollowUp.objects.filter(patient_id__in=rows_of(row.patient), status__in=STANDING)
    asking = Q(supervisor_at__isnull=False) | Q(pk=contact.pk if contact is not None else None)
    waiting.filter(asking).update(supervisor_at=row.again_by)
    owner = alert.assigned_to_id if alert is not None else contact.owner_id if contact is not None else None
    about = alert or contact
    if owner is not None and about is not None:
        notify(
            actor=actor, organization_id=row.organization_id, user_ids=[owner], code=DECIDED,
            object_type=about._meta.label, object_id=about.pk, codes={"decision": row.decision},
        )  # fmt: skip
    if alert is not None and alert.is_open:
        if row.decision == Decision.TRY_AGAIN:
            withdraw_question(actor=actor, alert=alert, why="keep_trying", at=at)
        append_event(actor, alert, f"welfare_check_{row.decision}", at)


def _ring_back(actor: Actor, asked: ReviewItem, source: RiskAlert, at: datetime) -> None:
    within = RING_BACK.get(Level(source.level), RING_BACK_LATER)
    # Whoever was sent before is rung back with the one who is sent now.
    patient_id = asked.patient_id
    assert patient_id is not None  # noqa: S101 -- a question about a welfare check is about somebody
    close_item(
        actor=actor, patient_id=patient_id, reason_code=WELFARE_SENT, outcome="no_action_needed", at=at
    )
    make_item(
        actor=actor, organization_id=asked.organization_id, patient=asked.patient, reason_code=WELFARE_SENT,
        source_type="welfare_check", source_id=asked.pk, due_at=at + within, owner_id=actor.id, at=at,
    )  # fmt: skip
