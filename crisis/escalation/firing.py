"""What a step of the chain writes, worked out in memory: whoever calls it writes it, one step or fifty."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from cortex.accounts.models import User
from cortex.audit import Actor, record
from crisis.alerts.models import AlertEvent, RiskAlert
from crisis.alerts.states import WAITING
from crisis.alerts.timeline import append_event
from crisis.duty.models import DutyShift
from crisis.duty.queries import Desk
from crisis.escalation.models import AlertStep, Channel, NotificationAttempt, PagerEndpoint, StepKind
from crisis.escalation.plan import Due, chain_step, seconds, who_of
from crisis.reviews.models import ReviewItem


@dataclass(slots=True)
class Ears:
    """Who can be told of an organization's alerts, read once for all that one transaction tells.

    It is read behind the locks and never kept beyond its transaction: whoever has left by then is not asked.
    """

    desk: Desk
    pagers: list[PagerEndpoint]


@dataclass(slots=True)
class Written:
    """Rows that wait to be inserted, each kind in one statement."""

    attempts: list[NotificationAttempt] = field(default_factory=list)
    timers: list[AlertStep] = field(default_factory=list)


def timer(alert: RiskAlert, due: Due, codes: dict[str, str] | None = None) -> AlertStep:
    """Return the row of a timer under the alert's present epoch."""
    return AlertStep(
        organization_id=alert.organization_id,
        alert=alert,
        kind=due.kind,
        due_at=due.at,
        epoch=alert.epoch,
        position=due.position,
        codes=codes or {},
    )


def channels(about: RiskAlert | ReviewItem | DutyShift) -> tuple[Channel, ...]:
    """Return how a person is told of something: by the board, and by mail unless the service says no."""
    by_mail = about.organization.settings.get("notify_by_email", True)
    return (Channel.BOARD, Channel.EMAIL) if by_mail else (Channel.BOARD,)


def attempts_for(
    alert: RiskAlert, event: AlertEvent, people: Iterable[User], step: AlertStep | None, at: datetime
) -> list[NotificationAttempt]:
    """Return the rows that tell these people of an event of an alert."""
    by = channels(alert)
    return [_attempt(alert, event, step, channel, at, user=person) for person in people for channel in by]


def _attempt(
    alert: RiskAlert, event: AlertEvent, step: AlertStep | None, channel: str, at: datetime, **target: object
) -> NotificationAttempt:
    return NotificationAttempt(
        organization_id=alert.organization_id,
        alert=alert,
        step=step,
        event_id=event.pk,
        channel=channel,
        # Not the start of the transaction: it may have waited for the claim that it comes after.
        created_at=at,
        next_try_at=None if channel == Channel.BOARD else at,
        **target,
    )


def call(
    ears: Ears,
    written: Written,
    alert: RiskAlert,
    who: str,
    event: AlertEvent,
    step: AlertStep | None,
    at: datetime,
    *,
    everybody: bool = False,
    owner: bool = False,
) -> int:
    """Add the notifications of one step; return how many people it found to ask.

    `owner` asks the owner too, who doesn't count when they left the desk; `everybody` tells all on duty
    beside them, who don't count either: the step goes on to somebody else as it would without them.
    """
    desk, besides = ears.desk, alert.assigned_to_id
    asked = {person.pk: person for person in desk.people_for(who, besides=besides)}
    if owner and alert.assigned_to is not None and alert.assigned_to.is_active:
        asked[alert.assigned_to.pk] = alert.assigned_to
    beside = {person.pk: person for person in desk.people_for("on_duty")} if everybody else {}
    written.attempts += attempts_for(alert, event, (beside | asked).values(), step, at)
    if alert.level == "critical" or alert.waiting_person or who in ("on_call", "lead"):
        written.attempts += [
            _attempt(alert, event, step, Channel.WEBHOOK, at, webhook=pager) for pager in ears.pagers
        ]
    absent = besides in asked and alert.owner_gone_at is not None
    return len(asked) - absent


def fire(
    actor: Actor,
    ears: Ears,
    written: Written,
    alert: RiskAlert,
    step: AlertStep,
    at: datetime,
    event: AlertEvent | None = None,
) -> str:
    """Fire the chain's next step that can run, and add the timers of the one after it; save nothing.

    Changes `chain_position` and `sent_at` of the alert, `done_at` and `outcome` of the step. A step that asks
    nobody is skipped at once and shown; past the last one the organization's lead is asked, so that the chain
    always ends at a human. Without any cover the last step fires at once, and the answer is `no_cover`, not
    `fired`: the caller raises the incident.
    """
    last = len(alert.policy["chain"]) - 1
    position = min(alert.chain_position, last) if ears.desk.is_covered else last
    # Past the end everybody has been asked; whoever has come to the desk since is called with the last one.
    past = alert.chain_position > last
    while True:
        who = who_of(alert, position)
        codes = {"position": position, "who": who}
        said = event or append_event(actor, alert, "step_fired", at, codes=codes)
        reached = call(ears, written, alert, who, said, step, at, everybody=past)
        event = None
        if reached:
            break
        append_event(actor, alert, "step_skipped", at, codes=codes)
        if position >= last:
            reached = _call_lead(actor, ears, written, alert, step, at) if who != "lead" else 0
            break
        position += 1
    alert.chain_position = max(alert.chain_position, position) + 1
    alert.sent_at = alert.sent_at or at
    step.done_at, step.outcome = at, "fired" if reached else "nobody_to_ask"
    record(actor, "alert.step_fired", alert, codes={"position": position, "who": who, "told": reached})
    written.timers += _next(alert, step, at)
    return "fired" if ears.desk.is_covered and reached else "no_cover"


def _call_lead(
    actor: Actor, ears: Ears, written: Written, alert: RiskAlert, step: AlertStep, at: datetime
) -> int:
    said = append_event(actor, alert, "step_fired", at, codes={"position": step.position, "who": "lead"})
    return call(ears, written, alert, "lead", said, step, at)


def _next(alert: RiskAlert, step: AlertStep, at: datetime) -> list[AlertStep]:
    rows = []
    if alert.status in WAITING or alert.chain_beside:
        rows.append(timer(alert, chain_step(alert, at)))
    if alert.level == "critical" or alert.waiting_person:
        asks = Due(StepKind.CONFIRM, at + seconds(alert, "confirm_seconds"), alert.chain_position)
        rows.append(timer(alert, asks, {"step": str(step.pk)}))
    return rows


def unconfirmed(actor: Actor, alert: RiskAlert, step: AlertStep, at: datetime) -> AlertEvent:
    """Say on the alert that no channel confirmed the step before this one; saves nothing."""
    alert.has_unconfirmed_step = True
    return append_event(actor, alert, "step_unconfirmed", at, codes={"position": step.position - 1})
