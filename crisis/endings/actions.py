"""How an alert ends: outcome, false alarm, and the second reading before either takes effect."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from cortex.access.context import opening
from cortex.audit import Actor, InputRefused, NotFound, action, record
from cortex.clock import clock
from cortex.horizon import refuse_far
from crisis.alerts import moves, queries
from crisis.alerts.access import READERS
from crisis.alerts.actions import withdraw_question
from crisis.alerts.models import (
    REVIEWED_DISPOSITIONS,
    AlertFeedback,
    Disposition,
    Level,
    RiskAlert,
    Verdict,
)
from crisis.alerts.states import Move, Status
from crisis.alerts.timeline import append_event
from crisis.duty import queries as duty
from crisis.escalation import actions as escalation
from crisis.escalation.models import StepKind
from crisis.escalation.plan import Due
from crisis.reviews import actions as reviews
from crisis.reviews import queries as review_queries
from crisis.reviews.models import PLAN_REVIEW, SecondReview
from crisis.risk.evidence import Origin, from_resolution
from crisis.risk.models import Evidence
from crisis.risk.types import Source as Observed
from crisis.welfare.actions import ask_welfare_check
from crisis.welfare.queries import is_lost, refuse_undecided
from patients.registry.queries import rows_of

REVIEWED_AFTERWARDS = frozenset({Disposition.ADMITTED_INVOLUNTARY, Disposition.EMERGENCY_SERVICES})
REVIEW_WITHIN = timedelta(minutes=30)
LOOK_AGAIN = reviews.LOOK_AGAIN


@dataclass(frozen=True, slots=True)
class Ending:
    """What an owner writes when an alert ends."""

    disposition: str = ""
    notes: str = ""
    verdict: str = ""
    reason_code: str = ""
    follow_up_at: datetime | None = None
    no_follow_up_reason: str = ""


@action
def resolve_alert(
    *, actor: Actor, alert_id: UUID, ending: Ending, seen: int | None = None, at: datetime | None = None
) -> RiskAlert:
    """End an alert with its outcome, note, verdict and follow-up date (or why there is none).

    `not_a_crisis` and `unable_to_locate` take effect only when a second reader agrees. `seen` is the feed
    number that the owner's form was drawn at: what came in since is a conflict, `changed_since`.
    """
    alert = moves.owned_for(actor, alert_id, Move.RESOLVE)
    at = clock(at)
    moves.refuse_unseen(actor, alert, seen)
    _refuse_incomplete(alert, ending, at)
    if ending.disposition in REVIEWED_DISPOSITIONS:
        return _ask_second(actor, alert, "disposition", ending, at)
    return _end(actor, alert, Status.RESOLVED, ending, at)


@action
def mark_false_alarm(
    *, actor: Actor, alert_id: UUID, ending: Ending, seen: int | None = None, at: datetime | None = None
) -> RiskAlert:
    """Close an alert as a false alarm, with a reason; a critical one waits for a second reader."""
    alert = moves.owned_for(actor, alert_id, Move.FALSE_ALARM)
    at = clock(at)
    moves.refuse_unseen(actor, alert, seen)
    if not ending.notes.strip():
        raise InputRefused("Say why this was a false alarm.", "required", field="notes")
    if ending.verdict not in Verdict.values:
        raise InputRefused("Choose what it turned out to be.", "required", field="verdict")
    if alert.level == Level.CRITICAL:
        return _ask_second(actor, alert, "false_alarm", ending, at)
    return _end(actor, alert, Status.FALSE_ALARM, ending, at)


def _refuse_incomplete(alert: RiskAlert, ending: Ending, at: datetime) -> None:
    if alert.patient_id is None:
        # An incident of the service: it has no outcome of a person, and nobody to follow up.
        moves.refuse_empty(ending.notes, "notes", "Write what was done about it.")
        return
    if ending.disposition not in Disposition.values:
        raise InputRefused("Choose how it ended.", "required", field="disposition")
    if not ending.notes.strip():
        raise InputRefused("Write what was agreed and what happens next.", "required", field="notes")
    if ending.verdict not in Verdict.values:
        raise InputRefused("Choose what it turned out to be.", "required", field="verdict")
    if ending.disposition == Disposition.DECEASED:
        return  # nobody is called again
    if ending.follow_up_at is None and not ending.no_follow_up_reason.strip():
        raise InputRefused(
            "Give a date for the first follow-up, or say why there is none.", "required", field="follow_up_at"
        )
    refuse_far(at, follow_up_at=ending.follow_up_at)
    if ending.follow_up_at is not None and ending.follow_up_at <= at:
        raise InputRefused("The follow-up must lie ahead.", "in_the_past", field="follow_up_at")


def _ask_second(actor: Actor, alert: RiskAlert, kind: str, ending: Ending, at: datetime) -> RiskAlert:
    if review_queries.is_pending(alert.pk):
        raise moves.conflict(actor, alert, "A second reader has been asked already.", "review_pending")
    request = {
        "disposition": ending.disposition,
        "verdict": ending.verdict,
        "reason_code": ending.reason_code,
        "follow_up_at": ending.follow_up_at.isoformat() if ending.follow_up_at else None,
    }
    with opening(actor, purpose="alert_work") as context:
        context.load_keys([alert.sealed_for], create=True)
        alert.no_follow_up_reason = ending.no_follow_up_reason.strip() or None
        SecondReview.objects.create(
            organization_id=alert.organization_id,
            alert=alert,
            kind=kind,
            asked_by=actor.person,
            asked_at=at,
            due_at=at + REVIEW_WITHIN,
            request=request,
            request_note=ending.notes,
        )
        event = moves.apply(
            actor,
            alert,
            event="second_review_asked",
            verb="alert.second_review_asked",
            at=at,
            fields=["no_follow_up_reason"],
            codes={"kind": kind},
        )
    escalation.insert_timers(
        actor=actor, alert=alert, timers=[Due(StepKind.REVIEW_OVERDUE, at + REVIEW_WITHIN)]
    )
    if alert.patient is not None and is_lost(alert, ending.disposition):
        ask_welfare_check(
            actor=actor, patient=alert.patient, organization_id=alert.organization_id, source=alert, at=at
        )
    _page_reviewers(actor, alert, at)
    return event


def _page_reviewers(actor: Actor, alert: RiskAlert, at: datetime) -> None:
    """Tell the supervisors on shift; with none there the clinician on call is paged (domain 3.7)."""
    event = append_event(actor, alert, "review_waiting", at)
    for who in ("reviewer", "on_call", "lead"):
        if escalation.tell(actor=actor, alert=alert, who=who, event=event, step=None, at=at):
            return


@action
def decide_review(
    *,
    actor: Actor,
    review_id: UUID,
    agreed: bool,
    note: str,
    seen: int | None = None,
    at: datetime | None = None,
) -> RiskAlert:
    """Decide as the second reader; only agreement lets the ending take effect. `seen`: as when resolving."""
    alert = queries.locked_alert(review_queries.alert_of_review(review_id))
    at = clock(at)
    queries.refuse_strangers(actor, alert, at, cards=True)
    if actor.role not in READERS:
        raise NotFound(queries.GONE, "not_found")
    moves.refuse_unseen(actor, alert, seen)
    # Under the lock: another reader may have decided, or the alert outgrown the question.
    review = review_queries.pending_review(review_id)
    queries.refuse_strangers(actor, alert, at)
    if review.asked_by_id == actor.id:
        raise moves.conflict(actor, alert, "Somebody else has to read this: you asked for it.", "same_person")
    if not note.strip():
        raise InputRefused("Write a sentence about what you saw.", "required", field="note")
    if agreed:
        refuse_undecided(actor, alert, review)
    with opening(actor, purpose="alert_review") as context:
        context.open([review], ["request_note"])
        context.open([alert], ["no_follow_up_reason"])
        review.decided_by, review.decided_at = actor.user, at
        review.agreed, review.decision_note = agreed, note
        review.save(update_fields=["decided_by", "decided_at", "agreed", "decision_note", "updated_at"])
        record(
            actor,
            "review.decided",
            review,
            subject=alert.patient_id,
            codes={"agreed": agreed, "kind": review.kind},
        )
        if not agreed:
            reviews.close_welfare_question(actor=actor, alert=alert, at=at)
            return moves.apply(
                actor,
                alert,
                event="second_review_refused",
                verb="alert.review_refused",
                at=at,
                fields=[],
                note=note,
            )
        append_event(actor, alert, "second_review_agreed", at, note=note)
        ending = Ending(
            disposition=review.request["disposition"],
            verdict=review.request["verdict"],
            reason_code=review.request["reason_code"],
            notes=review.request_note or "",
            no_follow_up_reason=alert.no_follow_up_reason or "",
            follow_up_at=_parsed(review.request["follow_up_at"]),
        )
    state = Status.FALSE_ALARM if review.kind == "false_alarm" else Status.RESOLVED
    return _end(actor, alert, state, ending, at)


def _parsed(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


def _end(actor: Actor, alert: RiskAlert, state: Status, ending: Ending, at: datetime) -> RiskAlert:
    # An end of another kind than the one asked about: the open question falls with the alert.
    withdraw_question(actor=actor, alert=alert, why="ended", at=at)
    alert.status = state
    alert.resolved_at = at
    alert.resolved_by = actor.user
    alert.disposition = ending.disposition
    alert.owner_gone_at = None
    alert.chain_beside = False
    alert.has_unconfirmed_step = False
    codes = {"disposition": ending.disposition, "verdict": ending.verdict}
    with opening(actor, purpose="alert_work") as context:
        context.load_keys([alert.sealed_for], create=True)
        alert.resolution_notes = ending.notes
        alert.no_follow_up_reason = ending.no_follow_up_reason.strip() or None
        moves.apply(
            actor,
            alert,
            event=str(state),
            verb=f"alert.{state}",
            at=at,
            codes=codes,
            note=ending.notes,
            fields=[
                "status",
                "resolved_at",
                "resolved_by",
                "disposition",
                "owner_gone_at",
                "chain_beside",
                "has_unconfirmed_step",
                "resolution_notes",
                "no_follow_up_reason",
            ],
        )
    if ending.verdict:
        AlertFeedback.objects.create(
            organization_id=alert.organization_id,
            alert=alert,
            verdict=ending.verdict,
            reason_code=ending.reason_code,
            given_by=alert.assigned_to or actor.person,
            given_at=at,
        )
    _end_floors(alert, at)
    if state == Status.FALSE_ALARM:
        refute_evidence(actor=actor, alert=alert, at=at)
        _needs_no_plan(actor, alert, at, source_id=alert.pk)
        _look_again(actor, alert, at)
    elif alert.patient is not None:
        _look_afterwards(actor, alert, ending, at)
    return alert


def _look_again(actor: Actor, alert: RiskAlert, at: datetime) -> None:
    """Ask a day later whether the level still stands: a critical one is left by people alone."""
    if alert.patient is not None:
        timers = [Due(StepKind.STILL_HIGH, at + LOOK_AGAIN)]
        escalation.insert_timers(actor=actor, alert=alert, timers=timers)


def _look_afterwards(actor: Actor, alert: RiskAlert, ending: Ending, at: datetime) -> None:
    """Promise what follows an end: contacts, a look at a level that stands, reviews of what was done."""
    if ending.disposition == Disposition.DECEASED:
        _after_a_death(actor, alert, at)
        return
    if ending.disposition in REVIEWED_AFTERWARDS:
        # Domain 3.7: done without a second reader, so somebody reads it within a day.
        _ask_afterwards(actor, alert, "after_the_fact_review", at)
    if alert.level == Level.CRITICAL:
        # Domain 3.3; the task of when it was raised stands where nobody has looked since.
        _ask_afterwards(actor, alert, PLAN_REVIEW, at)
    reviews.plan_follow_ups(actor=actor, alert=alert, first=ending.follow_up_at, at=at)
    _look_again(actor, alert, at)


def _after_a_death(actor: Actor, alert: RiskAlert, at: datetime) -> None:
    """Call nobody who is dead: earlier ends' contacts are cancelled, and a supervisor sees to postvention."""
    for earlier in queries.with_follow_ups(alert):
        reviews.cancel_follow_ups(actor=actor, alert=earlier, cause=alert)
    _needs_no_plan(actor, alert, at)
    supervisor = next(iter(duty.people_for("supervisor", alert.organization_id)), None)
    _ask_afterwards(actor, alert, "postvention", at, owner_id=supervisor.pk if supervisor else None)


def _needs_no_plan(actor: Actor, alert: RiskAlert, at: datetime, *, source_id: UUID | None = None) -> None:
    """Close the task to go through the safety plan: its alert was a false alarm, or the person has died."""
    for patient_id in rows_of(alert.patient) if alert.patient is not None else []:
        reviews.close_item(
            actor=actor,
            patient_id=patient_id,
            reason_code=PLAN_REVIEW,
            outcome="no_action_needed",
            at=at,
            source_id=source_id,
        )


def _ask_afterwards(
    actor: Actor, alert: RiskAlert, reason_code: str, at: datetime, owner_id: UUID | None = None
) -> None:
    """Ask for a review within a day."""
    reviews.make_item(
        actor=actor,
        organization_id=alert.organization_id,
        patient=alert.patient,
        reason_code=reason_code,
        source_type="alert",
        source_id=alert.pk,
        due_at=at + LOOK_AGAIN,
        owner_id=owner_id,
        at=at,
    )


def _end_floors(alert: RiskAlert, at: datetime) -> None:
    """Put the end into the ledger: it ends the floors that domain 4.3 lets a human end."""
    if alert.patient_id is None:
        return
    row = from_resolution(alert.kind, Origin("alert", at, source_id=alert.pk))
    Evidence.objects.create(
        organization_id=alert.organization_id,
        patient_id=alert.patient_id,
        code=row.item.code,
        domain=row.item.domain,
        tier=row.item.tier,
        source_type=row.item.source_type,
        source_id=row.item.source_id,
        observed_at=at,
        received_at=at,
        expires_at=row.expires_at,
    )


@action
def refute_evidence(*, actor: Actor, alert: RiskAlert, at: datetime) -> int:
    """Mark the evidence that a false alarm was raised on as refuted: it counts no more (domain 4.5).

    Not what another open alert of the person rests on too, nor what an earlier one was resolved on, nor what
    a clinician put on record: no alarm takes that back.
    """
    rows = Evidence.objects.filter(
        pk__in=set(alert.evidence) - queries.evidence_of_others(alert),
        refuted_at__isnull=True,
        received_at__lte=at,
    ).exclude(source_type=Observed.CLINICIAN)
    earlier = queries.last_resolved(alert)
    if earlier is not None:
        rows = rows.filter(received_at__gt=earlier)
    count = rows.update(refuted_at=at, refuted_by_alert=alert.pk)
    record(actor, "evidence.refuted", alert, codes={"count": count})
    return count
