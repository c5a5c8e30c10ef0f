"""Reads of review items, follow-ups and second readings."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet

from cortex.accounts.models import Organization, User
from cortex.audit import NotFound
from crisis.resources.models import CrisisResource
from crisis.reviews.models import FollowUp, FollowUpStatus, ReviewItem, SecondReview


def is_pending(alert_id: UUID) -> bool:
    """Whether a second reader was asked about this alert and has not decided."""
    return SecondReview.objects.filter(alert_id=alert_id, decided_at__isnull=True).exists()


def pending_review(review_id: UUID) -> SecondReview:
    """Return a second review that waits for its decision; NotFound otherwise. Its alert's lock guards it."""
    review = (
        SecondReview.objects.select_related("alert").filter(pk=review_id, decided_at__isnull=True).first()
    )
    if review is None:
        raise NotFound("This second review is not open.", "not_found")
    return review


def pending_of(alert_id: UUID) -> SecondReview | None:
    """Return the open second review of an alert."""
    return (
        SecondReview.objects.select_related("asked_by")
        .filter(alert_id=alert_id, decided_at__isnull=True)
        .first()
    )


def waiting_for(user: User, organizations: Iterable[UUID], limit: int = 20) -> list[SecondReview]:
    """Return the second readings that others asked for on this desk, the most urgent first."""
    return list(
        SecondReview.objects.filter(organization_id__in=list(organizations), decided_at__isnull=True)
        .exclude(asked_by=user)
        .select_related("alert__patient", "asked_by")
        .order_by("due_at")[:limit]
    )


def pending_ids(organizations: list[UUID]) -> dict[UUID, list[UUID]]:
    """Return for each organization the ids of its second readings that wait, in one query."""
    found: dict[UUID, list[UUID]] = {}
    waiting = SecondReview.objects.filter(organization_id__in=organizations, decided_at__isnull=True)
    for organization_id, review_id in waiting.values_list("organization_id", "pk"):
        found.setdefault(organization_id, []).append(review_id)
    return found


def open_items(organizations: Iterable[UUID], limit: int = 50) -> list[ReviewItem]:
    """Return the open review items of these organizations, the most overdue first."""
    return list(
        ReviewItem.objects.open()
        .filter(organization_id__in=list(organizations))
        .select_related("patient", "owner")
        .order_by("due_at")[:limit]
    )


def items(user: User, organizations: Iterable[UUID], which: str) -> QuerySet[ReviewItem]:
    """Return the person's and their desk's items, open (most overdue first) or done (latest first)."""
    found = ReviewItem.objects.select_related("patient", "owner").filter(
        Q(organization_id__in=list(organizations)) | Q(owner=user)
    )
    if which == "done":
        return found.filter(done_at__isnull=False).order_by("-done_at")
    return found.filter(done_at__isnull=True).order_by("due_at")


def item_for(user: User, organizations: Iterable[UUID], item_id: UUID) -> ReviewItem:
    """Return one review item that the person owns or whose desk they sit at; NotFound otherwise."""
    items = ReviewItem.objects.select_related("patient", "owner").filter(pk=item_id)
    item = items.filter(organization_id__in=list(organizations)).first() or items.filter(owner=user).first()
    if item is None:
        raise NotFound("This task does not exist, or it is not yours.", "not_found")
    return item


def locked_item(item_id: UUID) -> ReviewItem | None:
    """Lock and return a review item."""
    return ReviewItem.objects.select_for_update(of=("self",)).filter(pk=item_id).first()


def overdue_item_ids(at: datetime, limit: int = 100) -> list[UUID]:
    """Return the ids of items whose escalation is due."""
    return list(
        ReviewItem.objects.overdue(at).order_by("next_escalation_at").values_list("pk", flat=True)[:limit]
    )


def passed_follow_up_ids(at: datetime, grace: timedelta, limit: int = 100) -> list[UUID]:
    """Return the ids of follow-ups that passed without a contact and were not swept yet."""
    return list(
        FollowUp.objects.filter(status=FollowUpStatus.DUE, due_at__lte=at - grace, swept_at__isnull=True)
        .order_by("due_at")
        .values_list("pk", flat=True)[:limit]
    )


def locked_follow_up(follow_up_id: UUID) -> FollowUp | None:
    """Lock and return a follow-up."""
    return (
        FollowUp.objects.select_for_update(of=("self",))
        .select_related("patient")
        .filter(pk=follow_up_id)
        .first()
    )


def follow_ups(organizations: Iterable[UUID], until: datetime, limit: int = 100) -> list[FollowUp]:
    """Return the follow-ups of these organizations that are due by `until`, the earliest first."""
    return list(
        FollowUp.objects.filter(
            organization_id__in=list(organizations), status=FollowUpStatus.DUE, due_at__lte=until
        )
        .select_related("patient", "owner", "alert")
        .order_by("due_at")[:limit]
    )


def follow_ups_of(alert_id: UUID) -> list[FollowUp]:
    """Return the follow-ups that an alert's end promised."""
    return list(FollowUp.objects.filter(alert_id=alert_id).select_related("owner").order_by("due_at"))


def follow_up_of_desk(organizations: Iterable[UUID], user: User, follow_up_id: UUID) -> FollowUp:
    """Return one follow-up of the person's desk or own; NotFound otherwise."""
    row = (
        FollowUp.objects.select_related("patient", "owner", "alert")
        .filter(Q(organization_id__in=list(organizations)) | Q(owner=user), pk=follow_up_id)
        .first()
    )
    if row is None:
        raise NotFound("This follow-up does not exist, or it is not yours.", "not_found")
    return row


def organizations_with_stale_lines(at: datetime) -> list[UUID]:
    """Return the organizations in whose jurisdiction a crisis line is due for a check."""
    stale = CrisisResource.objects.due_for_check(at).values("jurisdiction")
    return list(
        Organization.objects.filter(is_active=True, jurisdiction__in=stale)
        .order_by("pk")
        .values_list("pk", flat=True)
    )


def due_follow_up_count(organizations: Iterable[UUID], until: datetime) -> int:
    """Return how many follow-ups of these organizations are due by `until`."""
    rows = FollowUp.objects.filter(organization_id__in=list(organizations), status=FollowUpStatus.DUE)
    return rows.filter(due_at__lte=until).count()


def open_item_count(organizations: Iterable[UUID], until: datetime) -> int:
    """Return how many open review items of these organizations are due by `until`."""
    return (
        ReviewItem.objects.open().filter(organization_id__in=list(organizations), due_at__lte=until).count()
    )
