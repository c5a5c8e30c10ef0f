"""Taking an end back within a day: the alert opens again, and what its end did is undone."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from cortex.audit import Actor, InputRefused, action
from cortex.clock import clock
from crisis.alerts import moves, queries
from crisis.alerts.models import RiskAlert
from crisis.alerts.states import Move, Status
from crisis.duty import queries as duty
from crisis.escalation.policy import clocks
from crisis.reviews import actions as reviews
from crisis.risk.models import Evidence

REOPEN_WITHIN = timedelta(hours=24)


@action
def reopen_alert(*, actor: Actor, alert_id: UUID, reason: str, at: datetime | None = None) -> RiskAlert:
    """Open an ended alert again within a day; refused when one of its kind stands open.

    Whoever is at work for its organization has it with that; else it waits for whoever is.
    """
    if not reason.strip():
        raise InputRefused("Say what has changed.", "required", field="reason")
    alert = queries.locked_alert(alert_id)
    at = clock(at)
    queries.refuse_strangers(actor, alert, at, cards=True)
    moves.next_state(actor, alert, Move.REOPEN)
    queries.refuse_strangers(actor, alert, at)
    if alert.resolved_at is None or at - alert.resolved_at > REOPEN_WITHIN:
        raise moves.conflict(
            actor, alert, "It ended more than a day ago. Raise a new alert instead.", "too_late"
        )
    other = queries.open_of_kind(alert.organization_id, alert.person_id, alert.kind)
    if other is not None:
        raise moves.conflict(
            actor, alert, f"Another alert of this kind is open already ({other.pk}).", "already_open"
        )
    return _reopen(actor, alert, reason, at)


def _reopen(actor: Actor, alert: RiskAlert, reason: str, at: datetime) -> RiskAlert:
    on_shift = actor.id is not None and duty.is_at_work(actor.id, alert.organization_id)
    alert.status = Status.ACKNOWLEDGED if on_shift else Status.NEW
    alert.assigned_to = actor.user if on_shift else None
    alert.claimed_at = at if on_shift else None
    alert.resolved_at = alert.resolved_by = None
    alert.disposition = ""
    alert.acknowledged_at = at if on_shift else None
    alert.notified_at = alert.first_response_at = alert.contact_at = None
    alert.level_since = at
    alert.chain_position = 0
    alert.has_unconfirmed_step = False
    for name, due in clocks(alert.policy, at).items():
        setattr(alert, name, due)
    _take_back_end(actor, alert, at)
    return moves.apply(
        actor,
        alert,
        event="reopened",
        verb="alert.reopened",
        at=at,
        note=reason,
        codes={"on_shift": on_shift},
        fields=[
            "status",
            "assigned_to",
            "claimed_at",
            "acknowledged_at",
            "notified_at",
            "first_response_at",
            "contact_at",
            "resolved_at",
            "resolved_by",
            "disposition",
            "level_since",
            "chain_position",
            "has_unconfirmed_step",
            "claim_due_at",
            "contact_due_at",
            "disposition_due_at",
        ],
    )


def _take_back_end(actor: Actor, alert: RiskAlert, at: datetime) -> None:
    """Undo what the end did: its evidence counts again, its floors stand, its follow-ups are cancelled.

    What it cancelled of other alerts, since the person was said to be dead, is promised again.
    """
    Evidence.objects.filter(refuted_by_alert=alert.pk).update(refuted_at=None, refuted_by_alert=None)
    ended = Evidence.objects.filter(patient=alert.patient, source_type="alert", source_id=alert.pk)
    ended.update(refuted_at=at, refuted_by_alert=alert.pk)
    reviews.cancel_follow_ups(actor=actor, alert=alert)
    reviews.restore_follow_ups(actor=actor, cause=alert)
    if alert.patient_id is not None:
        reviews.close_item(
            actor=actor, patient_id=alert.patient_id, reason_code="postvention", outcome="no_action_needed",
            at=at, source_id=alert.pk,
        )  # fmt: skip
