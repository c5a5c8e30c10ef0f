"""Writes of timers and notifications; which state an alert is in is decided in `crisis.alerts`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef
from django.db.models.functions import Coalesce

from cortex.access.context import opening
from cortex.accounts.models import User
from cortex.audit import Actor, Unchanged, action, quiet
from cortex.clock import clock
from crisis.alerts.models import AlertEvent, Kind, RiskAlert
from crisis.duty.models import DutyShift
from crisis.escalation import queries
from crisis.escalation.firing import Written, attempts_for, call, channels, fire, timer
from crisis.escalation.models import (
    AlertStep,
    AttemptState,
    Channel,
    NotificationAttempt,
    PagerEndpoint,
    StepKind,
)
from crisis.escalation.plan import Due, plan
from crisis.reviews.models import ReviewItem
from crisis.reviews.queries import is_pending

FOLLOWS = "timers follow the state of their alert, whose own change is recorded"


@quiet(FOLLOWS)
def reschedule(*, actor: Actor, alert: RiskAlert, at: datetime, chain: bool = True) -> list[AlertStep]:
    """Write the timers of the alert's present state under its present epoch; older ones are fenced off.

    `chain=False` leaves the chain's timer to a step that fires in the same transaction.
    """
    timers = plan(alert, at, reviewed=is_pending(alert.pk), said=queries.last_said(alert.pk))
    timers = [due for due in timers if chain or due.kind is not StepKind.CHAIN]
    return insert_timers(actor=actor, alert=alert, timers=timers)


@quiet(FOLLOWS)
def insert_timers(*, actor: Actor, alert: RiskAlert, timers: list[Due]) -> list[AlertStep]:
    """Write due rows for an alert under its present epoch."""
    return AlertStep.objects.bulk_create(timer(alert, due) for due in timers)


TOLD = "each attempt is itself the record of who was told, how, and whether it arrived"


@quiet(TOLD)
def tell(
    *,
    actor: Actor,
    alert: RiskAlert,
    who: str,
    event: AlertEvent,
    step: AlertStep | None,
    at: datetime,
    owner: bool = False,
) -> int:
    """Make the notifications of one step; return how many people it found to ask.

    `owner` asks the owner too, who doesn't count when they left the desk.
    """
    written = Written()
    reached = call(queries.ears(alert.organization_id), written, alert, who, event, step, at, owner=owner)
    NotificationAttempt.objects.bulk_create(written.attempts)
    return reached


@quiet(TOLD)
def tell_person(*, actor: Actor, alert: RiskAlert, user: User | None, event: AlertEvent, at: datetime) -> int:
    """Tell one person by board and mail what happened to an alert of theirs; return how many that is."""
    if user is None or not user.is_active:
        return Unchanged(0)  # type: ignore[return-value]
    NotificationAttempt.objects.bulk_create(attempts_for(alert, event, [user], None, at))
    return 1


@quiet(TOLD)
def tell_desk(
    *, actor: Actor, people: Iterable[User], about: ReviewItem | DutyShift, at: datetime
) -> list[NotificationAttempt]:
    """Tell people by mail about a task or a shift that their board shows; return what was written.

    The board's lists show it by themselves, so there is nothing to wait for.
    """
    target = {"item": about} if isinstance(about, ReviewItem) else {"shift": about}
    return NotificationAttempt.objects.bulk_create(
        NotificationAttempt(
            organization_id=about.organization_id,
            user=person,
            channel=channel,
            state=AttemptState.SENT if channel == Channel.BOARD else AttemptState.PENDING,
            created_at=at,
            sent_at=at if channel == Channel.BOARD else None,
            next_try_at=None if channel == Channel.BOARD else at,
            **target,
        )
        for person in people
        for channel in channels(about)
    )


@quiet("a notification that nobody needs any more says so itself")
def drop_overtaken(*, actor: Actor, at: datetime | None = None) -> int:
    """Close notifications that were overtaken by a claim or an end; return how many that were."""
    rows = NotificationAttempt.objects.filter(pk__in=queries.locked_overtaken_ids())
    return rows.update(state=AttemptState.OVERTAKEN, next_try_at=None, updated_at=clock(at))


@quiet("the due row carries its own outcome")
def finish_step(*, actor: Actor, step: AlertStep, outcome: str, at: datetime) -> AlertStep:
    """Mark a due row as done."""
    _finish(step, outcome, at)
    return step


def _finish(step: AlertStep, outcome: str, at: datetime) -> None:
    step.done_at = at
    step.outcome = outcome
    step.save(update_fields=["done_at", "outcome", "updated_at"])


@quiet("the due row carries its own outcome")
def finish_stale_steps(*, actor: Actor, at: datetime | None = None) -> int:
    """Mark every due row of an alert that has moved on as stale; return how many that were.

    Safe without the alerts' locks: epochs only rise.
    """
    at = clock(at)
    rows = AlertStep.objects.filter(pk__in=queries.locked_stale_step_ids(at))
    return rows.update(done_at=at, outcome="stale", updated_at=at)


@quiet("the sweeper records the failure; this puts the row off")
def postpone_step(*, actor: Actor, step: AlertStep, until: datetime, error_code: str) -> int:
    """Put a due row off until then, so that it does not starve the others; return how often it failed."""
    step.due_at = until
    step.tries += 1
    step.outcome = error_code[:24]
    step.save(update_fields=["due_at", "tries", "outcome", "updated_at"])
    return step.tries


def _seen_by(
    user_id: UUID, organization_id: UUID, number: int, alert_ids: Iterable[UUID] | None
) -> list[NotificationAttempt]:
    shown = AlertEvent.objects.filter(
        pk=OuterRef("event_id"), organization_id=organization_id, feed_number__lte=number
    )
    if alert_ids is not None:
        shown = shown.filter(alert_id__in=alert_ids)
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
    alert_ids: Iterable[UUID] | None = None,
    at: datetime | None = None,
) -> list[UUID]:
    """Confirm the person's board notifications up to a feed number (of these alerts, when some are given).

    Returns the alerts that were confirmed.
    """
    at = clock(at)
    attempts = _seen_by(user_id, organization_id, number, alert_ids)
    if not attempts:
        return Unchanged([])  # type: ignore[return-value]
    NotificationAttempt.objects.filter(pk__in=[attempt.pk for attempt in attempts]).update(
        state=AttemptState.CONFIRMED, sent_at=at, confirmed_at=at
    )
    return list(dict.fromkeys(attempt.alert_id for attempt in attempts if attempt.alert_id is not None))


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
    written = Written()
    ears = queries.ears(alert.organization_id)
    outcome = fire(actor, ears, written, alert, step, at, event)
    alert.save(update_fields=["chain_position", "sent_at", "updated_at"])
    step.save(update_fields=["done_at", "outcome", "updated_at"])
    _insert(written)
    return outcome


def _insert(written: Written) -> None:
    """Insert each kind of row in one statement."""
    NotificationAttempt.objects.bulk_create(written.attempts)
    AlertStep.objects.bulk_create(written.timers)


@action
def advance_chains(
    *, actor: Actor, organization_id: UUID, calls: Iterable[tuple[RiskAlert, AlertStep]], at: datetime
) -> bool:
    """Fire the next step of many locked alerts of one organization; return whether one found no cover.

    As `advance_chain` for each, with as many statements for all as for one. The outcomes stand on the steps
    in hand: the caller saves them with `finish_steps`.
    """
    ears, written = queries.ears(organization_id), Written()
    fired = [(alert, step, fire(actor, ears, written, alert, step, at)) for alert, step in calls]
    if not fired:
        return Unchanged(False)  # type: ignore[return-value]
    by_position: dict[int, list[UUID]] = defaultdict(list)
    for alert in {alert.pk: alert for alert, _, _ in fired}.values():
        by_position[alert.chain_position].append(alert.pk)
    for position, ids in by_position.items():
        RiskAlert.objects.filter(pk__in=ids).update(
            chain_position=position, sent_at=Coalesce("sent_at", at), updated_at=at
        )
    _insert(written)
    return any(outcome == "no_cover" and alert.kind != Kind.NO_COVER for alert, _, outcome in fired)


@quiet("the mark on the alert's card; the step that ran is recorded by its own action")
def note_unconfirmed(*, actor: Actor, alerts: Iterable[RiskAlert], at: datetime) -> int:
    """Save that nobody confirmed the last step of these locked alerts; return how many they are."""
    ids = [alert.pk for alert in alerts]
    return RiskAlert.objects.filter(pk__in=ids).update(has_unconfirmed_step=True, updated_at=at) if ids else 0


@quiet("the due rows carry their own outcome")
def finish_steps(*, actor: Actor, steps: Iterable[AlertStep], at: datetime) -> int:
    """Save that these due rows are done, each with the outcome that it carries; return how many they are."""
    by_outcome: dict[str, list[UUID]] = defaultdict(list)
    for step in steps:
        by_outcome[step.outcome].append(step.pk)
    return sum(
        AlertStep.objects.filter(pk__in=ids).update(done_at=at, outcome=outcome, updated_at=at)
        for outcome, ids in by_outcome.items()
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
