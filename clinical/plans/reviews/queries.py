"""Reads of reviews: whose plan is due to be looked at again, and when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce

from clinical.assessments.episodes import Episode
from clinical.plans import schedule
from clinical.plans.models import PlanStatus, TreatmentPlan
from clinical.plans.reviews.models import PlanReview
from cortex.accounts.models import User
from cortex.ops.postgres.questions import kept
from cortex.ui.zone import zone_of
from crisis.alerts.models import RiskAlert
from patients.care.queries import treated_ids

IN_FORCE = ("active", "on_hold")
# More than anybody works off; a list that is cut begins with what is latest.
MOST = 500
# After a plan is completed its closing measures are asked for this long.
WINDING_UP = timedelta(days=60)
NEVER = Value(datetime(1970, 1, 1, tzinfo=UTC))


def reviews_due(
    patient_ids: Collection[UUID], at: datetime, *, due_only: bool = True
) -> dict[UUID, datetime]:
    """Return, of these patients, when the review of their plan in force is due; three queries.

    A critical alert makes it due within 72 hours unless a review followed it. With `due_only` those that are
    due by `at`, else everybody's next.
    """
    plans = TreatmentPlan.objects.filter(
        patient_id__in=list(patient_ids), status__in=IN_FORCE, next_review_at__isnull=False
    ).select_related("patient")
    return {plan.patient_id: due for plan, due in _dues(list(plans)) if not due_only or due <= at}


def _dues(plans: list[TreatmentPlan]) -> list[tuple[TreatmentPlan, datetime]]:
    """Return each plan with its review's due time."""
    if not plans:
        return []
    held = {
        one.plan_id: one.held_at
        for one in PlanReview.objects.filter(plan__in=[one.pk for one in plans]).order_by("held_at").only(
            "plan_id", "held_at"
        )
    }  # fmt: skip
    people = {plan.patient.person_id for plan in plans} | {plan.patient_id for plan in plans}
    since = min(plan.start for plan in plans)
    crises: dict[UUID, list[datetime]] = defaultdict(list)
    rows = RiskAlert.objects.filter(
        patient_id__in=people, level="critical", level_since__date__gte=since
    ).exclude(status="false_alarm")
    for patient_id, raised in rows.values_list("patient_id", "level_since"):
        crises[patient_id].append(raised)
    found = []
    for plan in plans:
        own = [
            one for key in {plan.patient_id, plan.patient.person_id} for one in crises[key]
            if one.date() >= plan.start
        ]  # fmt: skip
        if plan.next_review_at is not None:
            found.append((plan, schedule.due_at(plan.next_review_at, own, held.get(plan.pk))))
    return found


def episodes_of(patient_ids: Collection[UUID], at: datetime) -> dict[UUID, Episode]:
    """Return the treatment of each of these people that goes on, by their rows, as measures ask; one query.

    That is the plan in force; else the one that was completed within the last 60 days: what its end asks for
    may still be to do.
    """
    found: dict[UUID, Episode] = {}
    for row, person, zone, house_zone, start, next_at, ended_at, held, crisis in _treatments(
        list(patient_ids), at - WINDING_UP
    ):
        review = None
        if ended_at is None and next_at is not None:
            review = schedule.due_at(next_at, [crisis] if crisis else [], held)
        one = Episode(start, zone_of(zone or house_zone), review, ended_at)
        found |= {row: one, person: one}
    return found


@kept
def _treatments(patient_ids: list[UUID], since: datetime) -> Any:
    """The plans in force, then those that were completed since a time, with their last review and crisis."""
    crises = RiskAlert.objects.filter(
        patient__person_id=OuterRef("patient__person_id"), level="critical",
        level_since__date__gte=OuterRef("start"), level_since__gt=Coalesce(OuterRef("held"), NEVER),
    ).exclude(status="false_alarm")  # fmt: skip
    held = PlanReview.objects.filter(plan=OuterRef("pk")).order_by("-held_at").values("held_at")[:1]
    over = Q(status=PlanStatus.COMPLETED, ended_at__gte=since)
    return (
        TreatmentPlan.objects.filter(Q(status__in=IN_FORCE) | over, patient_id__in=patient_ids)
        .annotate(held=Subquery(held))
        .annotate(crisis=Subquery(crises.order_by("level_since").values("level_since")[:1]))
        .order_by(F("ended_at").asc(nulls_last=True))
        .values_list(
            "patient_id", "patient__person_id", "patient__timezone",
            "patient__organization__default_timezone", "start", "next_review_at", "ended_at", "held",
            "crisis",
        )
    )  # fmt: skip


def review_queue(user: User, at: datetime) -> list[tuple[TreatmentPlan, datetime]]:
    """Return the plans of the people whom `user` treats or covers, the longest overdue first."""
    ids = treated_ids(user, at)
    plans = TreatmentPlan.objects.filter(
        patient_id__in=ids, status__in=IN_FORCE, next_review_at__isnull=False
    ).exclude(patient__status="deleted")
    return sorted(
        _dues(list(plans.select_related("patient", "authored_by")[:MOST])), key=lambda pair: pair[1]
    )


def overdue_for_supervisor(user: User, at: datetime) -> list[tuple[TreatmentPlan, datetime]]:
    """Return the plans of the supervisor's organization whose review is a week late, the longest first.

    Only those are looked at that can be so late: planned a week ago, or with a crisis whose 72 hours are.
    """
    late = at - schedule.SUPERVISOR_AFTER
    crises = RiskAlert.objects.filter(
        patient__person_id=OuterRef("patient__person_id"), level="critical",
        level_since__lte=late - schedule.AFTER_CRISIS, level_since__date__gte=OuterRef("start"),
    )  # fmt: skip
    plans = (
        TreatmentPlan.objects.filter(Q(next_review_at__lte=late) | Exists(crises))
        .filter(organization=user.organization_id, status__in=IN_FORCE, next_review_at__isnull=False)
        .exclude(patient__status="deleted")
        .select_related("patient", "authored_by")
        .order_by("next_review_at")
    )
    found = [(plan, due) for plan, due in _dues(list(plans[:MOST])) if schedule.is_supervisors(due, at)]
    return sorted(found, key=lambda pair: pair[1])
