"""Writes of timers and notifications; which state an alert is in is decided in `crisis.alerts`."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef

from cortex.access.context import opening
from cortex.audit import Actor, Unchanged, action, quiet, record
from cortex.clock import clock
from crisis.alerts.models import AlertEvent, RiskAlert
from crisis.alerts.states import WAITING
from crisis.alerts.timeline import append_event
from crisis.duty import queries as duty
from crisis.escalation import queries
from crisis.escalation.models import (
    AlertStep,
    AttemptState,
    Channel,
    NotificationAttempt,
    PagerEndpoint,
    StepKind,
)
from crisis.escalation.plan import Due, chain_step, plan, seconds, who_of
from crisis.reviews.queries import is_pending

FOLLOWS = "timers follow the state of their alert, whose own change is recorded"


@quiet(FOLLOWS)
def reschedule(*, actor: Actor, alert: RiskAlert, at: datetime, chain: bool = True) -> list[AlertStep]:
    """Write the timers of the alert's present state under its present epoch; older ones are fenced off.

    `chain=False` leaves the chain's timer to a step that fires in the same transaction.
    """
    timers = plan(alert, at, reviewed=is_pending(alert.pk), said=queries.last_said(alert.pk))
    timers = [timer for timer in timers if chain or timer.kind is not StepKind.CHAIN]
    return insert_timers(actor=actor, alert=alert, timers=timers)


@quiet(FOLLOWS)
def insert_timers(*, actor: Actor, alert: RiskAlert, timers: list[Due]) -> list[AlertStep]:
    """Write due rows for an alert under its present epoch."""
    return AlertStep.objects.bulk_create(
        AlertStep(
            organization_id=alert.organization_id,
            alert=alert,
            kind=timer.kind,
            due_at=timer.at,
            epoch=alert.epoch,
            position=timer.position,
        )
        for timer in timers
    )


@quiet("each attempt is itself the record of who was told, how, and whether it arrived")
def tell(
    *, actor: Actor, alert: RiskAlert, who: str, event: AlertEvent, step: AlertStep | None, at: datetime
) -> int:
    """Make the notifications of one step for the people whom it asks; return how many people that is."""
    people = duty.people_for(who, alert.organization_id, besides=alert.assigned_to_id)
    attempts = []
    by_mail = alert.organization.settings.get("notify_by_email", True)
    for person in people:
        for channel in (Channel.BOARD, Channel.EMAIL) if by_mail else (Channel.BOARD,):
            attempts.append(_attempt(alert, event, step, channel, at, user=person))
    if alert.level == "critical" or alert.waiting_person or who in ("on_call", "lead"):
        for endpoint in queries.pagers(alert.organization_id):
            attempts.append(_attempt(alert, event, step, Channel.WEBHOOK, at, webhook=endpoint))
    NotificationAttempt.objects.bulk_create(attempts)
    return len(people)


def _attempt(
    alert: RiskAlert, event: AlertEvent, step: AlertStep | None, channel: str, at: datetime, **target: object
) -> NotificationAttempt:
    return NotificationAttempt(
        organization_id=alert.organization_id,
        alert=alert,
        step=step,
        event_id=event.pk,
        channel=channel,
        next_try_at=None if channel == Channel.BOARD else at,
        **target,
    )


@quiet("the due row carries its own outcome")
def finish_step(*, actor: Actor, step: AlertStep, outcome: str, at: datetime) -> AlertStep:
    """Mark a due row as done."""
    step.done_at = at
    step.outcome = outcome
    step.save(update_fields=["done_at", "outcome", "updated_at"])
    return step


@quiet("the sweeper records the failure; this puts the row off")
def postpone_step(*, actor: Actor, step: AlertStep, until: datetime, error_code: str) -> int:
    """Put a due row off until then, so that it does not starve the others; return how often it failed."""
    step.due_at = until
    step.tries += 1
    step.outcome = error_code[:24]
    step.save(update_fields=["due_at", "tries", "outcome", "updated_at"])
    return step.tries


def _seen_by(
    user_id: UUID, organization_id: UUID, number: int, alert_id: UUID | None
) -> list[NotificationAttempt]:
    shown = AlertEvent.objects.filter(
        pk=OuterRef("event_id"), organization_id=organization_id, feed_number__lte=number
    )
    if alert_id is not None:
        shown = shown.filter(alert_id=alert_id)
    return list(
        NotificationAttempt.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("alert", "step")
        .filter(
            Exists(shown),
            user_id=user_id,
            organization_id=organization_id,
            channel=Channel.BOARD,
            state=AttemptState.PENDING,
        )
    )


@quiet("a confirmation is a column of the attempt; the alert's own move to notified is recorded")
def confirm_on_board(
    *,
    actor: Actor,
    user_id: UUID,
    organization_id: UUID,
    number: int,
    alert_id: UUID | None = None,
    at: datetime | None = None,
) -> list[UUID]:
    """Confirm the person's board notifications up to a feed number (of one alert, when one is given).

    Returns the alerts that were confirmed.
    """
    at = clock(at)
    attempts = _seen_by(user_id, organization_id, number, alert_id)
    if not attempts:
        return Unchanged([])  # type: ignore[return-value]
    NotificationAttempt.objects.filter(pk__in=[attempt.pk for attempt in attempts]).update(
        state=AttemptState.CONFIRMED, sent_at=at, confirmed_at=at
    )
    return list(dict.fromkeys(attempt.alert_id for attempt in attempts))


@quiet("the attempt itself is the record of the delivery")
def lease_attempt(
    *, actor: Actor, attempt_id: UUID, until: datetime, at: datetime | None = None
) -> NotificationAttempt | None:
    """Claim one e-mail or webhook for sending until `until`; None when another sender has it."""
    claimed = (
        NotificationAttempt.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("user", "webhook", "alert")
        .filter(
            pk=attempt_id, state__in=[AttemptState.PENDING, AttemptState.FAILED], next_try_at__lte=clock(at)
        )
        .first()
    )
    if claimed is None:
        return Unchanged(None)  # type: ignore[return-value]
    claimed.next_try_at = until
    claimed.tries += 1
    claimed.save(update_fields=["next_try_at", "tries", "updated_at"])
    return claimed


@quiet("the attempt itself is the record of the delivery")
def note_delivery(
    *,
    actor: Actor,
    attempt: NotificationAttempt,
    state: str,
    error_code: str = "",
    retry_at: datetime | None = None,
) -> NotificationAttempt:
    """Write how a delivery went; `retry_at` is when a failed one is tried again."""
    at = clock()
    attempt.state = state
    attempt.error_code = error_code
    attempt.next_try_at = retry_at
    attempt.sent_at = attempt.sent_at or (
        at if state in (AttemptState.SENT, AttemptState.CONFIRMED) else None
    )
    attempt.confirmed_at = at if state == AttemptState.CONFIRMED else None
    attempt.save(
        update_fields=["state", "error_code", "next_try_at", "sent_at", "confirmed_at", "updated_at"]
    )
    return attempt


@action
def advance_chain(
    *, actor: Actor, alert: RiskAlert, step: AlertStep, at: datetime, event: AlertEvent | None = None
) -> str:
    """Fire the chain's next step that can run, and set the timers of the one after it.

    A step that asks nobody is skipped at once and shown; past the last one the organization's lead is asked,
    so that the chain always ends at a human. Without any cover the last step fires at once, and the outcome
    is `no_cover`: the caller raises the incident.
    """
    last = len(alert.policy["chain"]) - 1
    covered = duty.has_cover(alert.organization_id)
    position = min(alert.chain_position, last) if covered else last
    while True:
        who = who_of(alert, position)
        said = event or append_event(actor, alert, "step_fired", at, codes={"position": position, "who": who})
        reached = tell(actor=actor, alert=alert, who=who, event=said, step=step, at=at)
        event = None
        if reached:
            break
        append_event(actor, alert, "step_skipped", at, codes={"position": position, "who": who})
        if position >= last:
            reached = _tell_lead(actor, alert, step, at) if who != "lead" else 0
            break
        position += 1
    alert.chain_position = max(alert.chain_position, position) + 1
    alert.sent_at = alert.sent_at or at
    alert.save(update_fields=["chain_position", "sent_at", "updated_at"])
    finish_step(actor=actor, step=step, outcome="fired" if reached else "nobody_to_ask", at=at)
    record(actor, "alert.step_fired", alert, codes={"position": position, "who": who, "told": reached})
    _time_next(actor, alert, step, at)
    return "fired" if covered and reached else "no_cover"


def _tell_lead(actor: Actor, alert: RiskAlert, step: AlertStep, at: datetime) -> int:
    said = append_event(actor, alert, "step_fired", at, codes={"position": step.position, "who": "lead"})
    return tell(actor=actor, alert=alert, who="lead", event=said, step=step, at=at)


def _time_next(actor: Actor, alert: RiskAlert, step: AlertStep, at: datetime) -> None:
    timers = []
    if alert.status in WAITING or alert.chain_beside:
        timers.append(chain_step(alert, at))
    insert_timers(actor=actor, alert=alert, timers=timers)
    if alert.level == "critical" or alert.waiting_person:
        AlertStep.objects.create(
            organization_id=alert.organization_id,
            alert=alert,
            kind=StepKind.CONFIRM,
            due_at=at + seconds(alert, "confirm_seconds"),
            epoch=alert.epoch,
            position=alert.chain_position,
            codes={"step": str(step.pk)},
        )


@quiet("the first row of a chain that starts at once")
def first_step(*, actor: Actor, alert: RiskAlert, at: datetime) -> AlertStep:
    """Write the row of a chain step that runs now, so that its notifications have a row to hang on."""
    return AlertStep.objects.create(
        organization_id=alert.organization_id,
        alert=alert,
        kind=StepKind.CHAIN,
        due_at=at,
        epoch=alert.epoch,
        position=alert.chain_position,
    )


@quiet("a shared secret of the house is read; no patient is concerned")
def pager_secret(*, actor: Actor, endpoint: PagerEndpoint) -> str:
    """Return the secret that signs calls to this endpoint."""
    with opening(actor, purpose="pager") as context:
        context.open([endpoint], ["secret"])
        return endpoint.secret
