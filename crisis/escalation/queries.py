"""Reads of policies, due steps and notifications."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F, Max

from crisis.escalation.models import (
    AlertStep,
    AttemptState,
    Channel,
    NotificationAttempt,
    PagerEndpoint,
    SlaPolicy,
)
from crisis.escalation.policy import COPIED


def policy_for(organization_id: UUID, level: str, *, waiting: bool) -> dict[str, Any]:
    """Return the clocks to copy onto an alert; a waiting person has the waiting row's claim clocks.

    The outcome target stays that of the level (domain 3.5, last row).
    """
    chosen = _row(organization_id, "waiting" if waiting else level)
    if waiting:
        chosen["disposition_seconds"] = _row(organization_id, level)["disposition_seconds"]
    return chosen


def _row(organization_id: UUID, level: str) -> dict[str, Any]:
    rows = SlaPolicy.objects.filter(level=level).filter(organization_id__in=[organization_id]) or (
        SlaPolicy.objects.filter(level=level, organization__isnull=True)
    )
    row = rows[0]
    return {name: getattr(row, name) for name in COPIED}


def due_step_ids(at: datetime, limit: int = 200) -> list[UUID]:
    """Return the ids of steps that are due, the longest overdue first."""
    return list(AlertStep.objects.due(at).order_by("due_at").values_list("pk", flat=True)[:limit])


def last_said(alert_id: UUID) -> dict[str, datetime]:
    """Return when a timer of each kind last really ran for an alert, stale ones aside."""
    ran = AlertStep.objects.filter(alert_id=alert_id, done_at__isnull=False).exclude(outcome="stale")
    return dict(ran.values_list("kind").annotate(last=Max("done_at")))


def oldest_due(at: datetime) -> datetime | None:
    """Return the due time of the longest overdue step, for the queue lag."""
    return AlertStep.objects.due(at).order_by("due_at").values_list("due_at", flat=True).first()


def pagers(organization_id: UUID) -> list[PagerEndpoint]:
    """Return the active pager endpoints of an organization."""
    return list(PagerEndpoint.objects.filter(organization_id=organization_id, is_active=True))


def is_confirmed(step_id: UUID) -> bool:
    """Whether any channel confirmed a notification of this step."""
    return NotificationAttempt.objects.filter(step_id=step_id, state=AttemptState.CONFIRMED).exists()


def due_attempt_ids(at: datetime, limit: int = 50) -> list[UUID]:
    """Return e-mails and webhooks that should be sent by `at`."""
    return list(
        NotificationAttempt.objects.filter(
            state__in=[AttemptState.PENDING, AttemptState.FAILED], next_try_at__lte=at
        )
        .exclude(channel=Channel.BOARD)
        .order_by("next_try_at")
        .values_list("pk", flat=True)[:limit]
    )


def attempts_of(alert_id: UUID) -> list[NotificationAttempt]:
    """Return every attempt to tell somebody about an alert, newest first."""
    return list(
        NotificationAttempt.objects.filter(alert_id=alert_id)
        .select_related("user", "webhook")
        .order_by(F("sent_at").desc(nulls_last=True), "-id")
    )


def pending_on_board(user_id: UUID, organization_id: UUID) -> list[UUID]:
    """Return the alerts of which a board notification of this person still waits to be seen."""
    pending = NotificationAttempt.objects.filter(
        user_id=user_id, organization_id=organization_id, channel=Channel.BOARD, state=AttemptState.PENDING
    )
    return list(pending.order_by("alert_id").values_list("alert_id", flat=True).distinct())
