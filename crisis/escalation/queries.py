"""Reads of policies, due steps and notifications."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Case, F, Max, Q, QuerySet, When

from cortex.ops.postgres.questions import kept
from crisis.alerts.states import OPEN
from crisis.duty.queries import desk_of
from crisis.escalation.firing import Ears
from crisis.escalation.models import (
    FENCED,
    AlertStep,
    AttemptState,
    Channel,
    NotificationAttempt,
    PagerEndpoint,
    SlaPolicy,
    StepKind,
)
from crisis.escalation.policy import COPIED


class DueStep(NamedTuple):
    """What tells a due step from another before it is locked; `place` is 0 for the urgent ones."""

    pk: UUID
    organization_id: UUID
    kind: str
    tries: int
    place: int


# Board notifications wait to be seen, the others to be sent, or sent again.
UNSENT = (AttemptState.PENDING, AttemptState.FAILED)


def policy_for(organization_id: UUID, level: str, *, waiting: bool) -> dict[str, Any]:
    """Return the clocks to copy onto an alert; a waiting person has the waiting row's claim clocks.

    The outcome target stays that of the level (domain 3.5, last row).
    """
    chosen = _row(organization_id, "waiting" if waiting else level)
    if waiting:
        chosen["disposition_seconds"] = _row(organization_id, level)["disposition_seconds"]
    return chosen


class MediumClocks(NamedTuple):
    """The clocks of a medium level (domain 3.5): it opens no alert, so nothing is copied onto one."""

    acknowledge: timedelta
    contact: timedelta
    again: timedelta


def medium_clocks(organization_id: UUID) -> MediumClocks:
    """Return by when somebody looks, by when somebody tries to reach the person, and how often it is told."""
    row = _row(organization_id, "medium")
    names = ("acknowledge_seconds", "contact_seconds", "repeat_seconds")
    return MediumClocks(*(timedelta(seconds=row[name]) for name in names))


def _row(organization_id: UUID, level: str) -> dict[str, Any]:
    rows = SlaPolicy.objects.filter(level=level).filter(organization_id__in=[organization_id]) or (
        SlaPolicy.objects.filter(level=level, organization__isnull=True)
    )
    row = rows[0]
    return {name: getattr(row, name) for name in COPIED}


def clocks_of(organizations: Iterable[UUID]) -> dict[str, list[SlaPolicy]]:
    """Return the clocks that hold in these organizations by level, each row once; one query."""
    ids = set(organizations)
    rows = SlaPolicy.objects.filter(Q(organization_id__in=ids) | Q(organization__isnull=True))
    found = {(row.level, row.organization_id): row for row in rows}
    levels = {level for level, _ in found}
    chosen = {(level, one): found.get((level, one)) or found[level, None] for level in levels for one in ids}
    return {
        level: list({row.pk: row for (of, _), row in chosen.items() if of == level}.values())
        for level in levels
    }


def due_steps(at: datetime, limit: int) -> list[DueStep]:
    """Return the due steps: of critical alerts and waiting people first, then the longest overdue."""
    due = AlertStep.objects.due(at).annotate(place=urgent_first("alert")).order_by("place", "due_at", "id")
    rows = due.values_list("pk", "organization_id", "kind", "tries", "place")
    return [DueStep(*row) for row in rows[:limit]]


def urgent_first(alert: str) -> Case:
    """Return the order that puts critical alerts and people who wait before all others."""
    urgent = Q(**{f"{alert}__level": "critical"}) | Q(**{f"{alert}__waiting_person": True})
    return Case(When(urgent, then=0), default=1)


def locked_stale_step_ids(at: datetime, limit: int = 500) -> list[UUID]:
    """Lock and return due steps whose alert has moved on since; those that another sweeper has are left."""
    rows = AlertStep.objects.select_for_update(of=("self",), skip_locked=True).due(at)
    fenced = rows.filter(kind__in=FENCED, epoch__lt=F("alert__epoch")).only("pk")
    return [row.pk for row in fenced[:limit]]


def last_said(alert_id: UUID) -> dict[str, datetime]:
    """Return when a timer of each kind last really ran for an alert, stale ones aside."""
    return dict(_last_ran(alert_id))


@kept
def _last_ran(alert_id: UUID) -> Any:
    ran = AlertStep.objects.filter(alert_id=alert_id, done_at__isnull=False).exclude(outcome="stale")
    return ran.values_list("kind").annotate(last=Max("done_at"))


def pagers(organization_id: UUID) -> list[PagerEndpoint]:
    """Return the active pager endpoints of an organization."""
    return list(PagerEndpoint.objects.filter(organization_id=organization_id, is_active=True))


def ears(organization_id: UUID) -> Ears:
    """Return who can be told of an organization's alerts now, in two queries."""
    return Ears(desk_of(organization_id), pagers(organization_id))


def confirmed_of(step_ids: Iterable[UUID]) -> set[UUID]:
    """Return those of these steps of which any channel confirmed a notification."""
    seen = NotificationAttempt.objects.filter(step_id__in=list(step_ids), state=AttemptState.CONFIRMED)
    return set(seen.values_list("step_id", flat=True).distinct())


def is_confirmed(step_id: UUID) -> bool:
    """Whether any channel confirmed a notification of this step."""
    return NotificationAttempt.objects.filter(step_id=step_id, state=AttemptState.CONFIRMED).exists()


def due_attempts(
    at: datetime, *, webhooks: bool, besides: Iterable[UUID] = (), limit: int = 20
) -> list[tuple[UUID, UUID | None]]:
    """Return (attempt, endpoint) of webhooks or e-mails that should be sent by `at`, the urgent ones first.

    `besides` are endpoints to leave out.
    """
    due = NotificationAttempt.objects.filter(
        state__in=UNSENT,
        next_try_at__lte=at,
        channel=Channel.WEBHOOK if webhooks else Channel.EMAIL,
    )
    if besides:
        due = due.exclude(webhook_id__in=list(besides))
    return list(due.order_by(urgent_first("alert"), "next_try_at").values_list("pk", "webhook_id")[:limit])


def _overtaken() -> QuerySet[NotificationAttempt]:
    """Notifications of what has ended, and calls for somebody that a claim has answered since."""
    answered = Q(step__kind=StepKind.CHAIN, alert__claimed_at__gt=F("created_at"), alert__chain_beside=False)
    ended = Q(alert__isnull=False) & ~Q(alert__status__in=OPEN)
    over = Q(item__done_at__isnull=False) | Q(shift__ended_at__isnull=False)
    return NotificationAttempt.objects.filter(answered | ended | over, state__in=UNSENT)


def is_overtaken(attempt_id: UUID) -> bool:
    """Whether nobody needs this notification any more."""
    return _overtaken().filter(pk=attempt_id).exists()


def locked_overtaken_ids(limit: int = 500) -> list[UUID]:
    """Lock and return notifications that nobody needs any more; those that a sender has are left."""
    rows = _overtaken().select_for_update(of=("self",), skip_locked=True).only("pk")
    return [row.pk for row in rows[:limit]]


def pending_on_board(user_id: UUID, organization_id: UUID) -> list[UUID]:
    """Return the alerts of which a board notification of this person still waits to be seen."""
    pending = NotificationAttempt.objects.filter(
        user_id=user_id, organization_id=organization_id, channel=Channel.BOARD, state=AttemptState.PENDING
    )
    return list(pending.order_by("alert_id").values_list("alert_id", flat=True).distinct())
