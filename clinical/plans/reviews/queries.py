"""Reads of reviews: whose plan is due to be looked at again, and when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import DateTimeField, Exists, F, Func, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce

from clinical.assessments.episodes import Episode
from clinical.plans import schedule
from clinical.plans.models import PlanStatus, PlanVersion, TreatmentPlan
from clinical.plans.reviews.models import PlanReview
from cortex.accounts.models import User
from cortex.ops.postgres.questions import kept
from cortex.ui.zone import zone_of
from crisis.alerts.models import RiskAlert
from crisis.risk.models import RiskAssessment
from patients.care.queries import treated_ids

IN_FORCE = ("active", "on_hold")
# More than anybody works off; a list that is cut begins with what is latest.
MOST = 500
SHOWN = ("patient__organization", "patient__merged_into__organization", "authored_by")
# After a plan is completed its closing measures are asked for this long.
WINDING_UP = timedelta(days=60)
NEVER = Value(datetime(1970, 1, 1, tzinfo=UTC))
# The first day of a plan is the person's own and begins nowhere on earth before this. The database narrows by
# it alone, `_within` decides: it would know no zone by a name that is misspelt.
EARLIEST = Func(
    OuterRef("start"), template="(%(expressions)s - 1)::timestamptz", output_field=DateTimeField()
)

# Who signed a plan first knew the levels before.
BEGAN = Coalesce(
    Subquery(PlanVersion.objects.filter(plan=OuterRef("pk")).order_by("version").values("signed_at")[:1]),
    NEVER,
)


def _within(crisis: datetime, start: date, zone: ZoneInfo) -> bool:
    """Whether a crisis came on the first day of a plan, as the person counts days, or later."""
    return crisis.astimezone(zone).date() >= start


def reviews_due(person_ids: Collection[UUID], at: datetime, *, due_only: bool = True) -> dict[UUID, datetime]:
    """Return, of these people, when the review of their plan in force is due; four queries.

    A plan is the person's, on whichever of their rows it was begun.

    A critical alert makes it due within 72 hours, and a rise of the level within the span of that level,
    unless a review followed it. With `due_only` those that are due by `at`, else everybody's next.
    """
    plans = (
        TreatmentPlan.objects.filter(
            patient__person_id__in=list(person_ids), status__in=IN_FORCE, next_review_at__isnull=False
        )
        .select_related("patient__organization")
        .annotate(began=BEGAN)
    )
    return {plan.patient.person_id: due for plan, due in _dues(list(plans)) if not due_only or due <= at}


def _dues(plans: list[TreatmentPlan]) -> list[tuple[TreatmentPlan, datetime]]:
    """Return each plan with its review's due time."""
    if not plans:
        return []
    held = dict(_last_held([plan.pk for plan in plans]))
    people = {plan.patient.person_id for plan in plans}
    since = datetime.combine(min(plan.start for plan in plans) - timedelta(days=1), time(), UTC)
    crises: dict[UUID, list[datetime]] = defaultdict(list)
    # Alerts and levels are the person's own, whichever row they were raised on or judged by.
    rows = RiskAlert.objects.filter(
        patient__person_id__in=people, level="critical", level_since__gte=since
    ).exclude(status="false_alarm")
    for person_id, raised in rows.values_list("patient__person_id", "level_since"):
        crises[person_id].append(raised)
    entered: dict[UUID, list[tuple[datetime, str]]] = defaultdict(list)
    for person_id, when, level in _entered(people, min([since, *held.values()])):
        entered[person_id].append((when, level))
    found = []
    for plan in plans:
        zone, person = zone_of(plan.patient.zone()), plan.patient.person_id
        own = [one for one in crises[person] if _within(one, plan.start, zone)]
        if plan.next_review_at is not None:
            last, began = held.get(plan.pk), plan.began  # type: ignore[attr-defined]  # annotated
            levels = [one for one in entered[person] if one[0] > began]
            found.append((plan, schedule.due_at(plan.next_review_at, own, last, levels)))
    return found


@kept
def _entered(people: Collection[UUID], since: datetime) -> Any:
    """When each person came to a level above low, whether from below or from above."""
    rows = RiskAssessment.objects.filter(
        patient_id__in=people, entered_level_at=F("computed_at"), level__in=schedule.RISING,
        computed_at__gte=since,
    )  # fmt: skip
    return rows.order_by("computed_at").values_list("patient_id", "computed_at", "level")


@kept
def _last_held(plan_ids: list[UUID]) -> Any:
    """When each plan was reviewed last."""
    rows = PlanReview.objects.filter(plan__in=plan_ids).order_by("plan_id", "-held_at")
    return rows.distinct("plan_id").values_list("plan_id", "held_at")


def episodes_of(patient_ids: Collection[UUID], at: datetime) -> dict[UUID, Episode]:
    """Return the treatment of each of these people that goes on, by their rows, as measures ask; one query.

    That is the plan in force; else the one that was completed within the last 60 days: what its end asks for
    may still be to do.
    """
    found: dict[UUID, Episode] = {}
    for (
        row, person, own_zone, house_zone, start, next_at, ended_at, held, crises, times, levels
    ) in _treatments(list(patient_ids), at - WINDING_UP):  # fmt: skip
        zone, review = zone_of(own_zone or house_zone), None
        if ended_at is None and next_at is not None:
            own = [one for one in crises if _within(one, start, zone)]
            review = schedule.due_at(next_at, own, held, zip(times, levels, strict=True))
        one = Episode(start, zone, review, ended_at)
        found |= {row: one, person: one}
    return found


@kept
def _treatments(patient_ids: list[UUID], since: datetime) -> Any:
    """The plans in force, then those completed since a time; the last review, crises and levels since."""
    crises = RiskAlert.objects.filter(
        patient__person_id=OuterRef("patient__person_id"), level="critical",
        level_since__gte=EARLIEST, level_since__gt=Coalesce(OuterRef("held"), NEVER),
    ).exclude(status="false_alarm")  # fmt: skip
    entered = RiskAssessment.objects.filter(
        patient_id=OuterRef("patient__person_id"), entered_level_at=F("computed_at"),
        level__in=schedule.RISING, computed_at__gte=EARLIEST,
        computed_at__gt=Coalesce(OuterRef("held"), OuterRef("began")),
    ).order_by("computed_at", "pk")  # fmt: skip
    held = PlanReview.objects.filter(plan=OuterRef("pk")).order_by("-held_at").values("held_at")[:1]
    over = Q(status=PlanStatus.COMPLETED, ended_at__gte=since)
    return (
        TreatmentPlan.objects.filter(Q(status__in=IN_FORCE) | over, patient_id__in=patient_ids)
        .annotate(held=Subquery(held), began=BEGAN)
        .annotate(crises=ArraySubquery(crises.order_by("level_since").values("level_since")))
        .annotate(times=ArraySubquery(entered.values("computed_at")))
        .annotate(levels=ArraySubquery(entered.values("level")))
        .order_by(F("ended_at").asc(nulls_last=True))
        .values_list(
            "patient_id", "patient__person_id", "patient__timezone",
            "patient__organization__default_timezone", "start", "next_review_at",
            "ended_at", "held", "crises", "times", "levels",
        )
    )  # fmt: skip


def review_queue(user: User, at: datetime) -> list[tuple[TreatmentPlan, datetime]]:
    """Return the plans of the people whom `user` treats or covers, the longest overdue first."""
    ids = treated_ids(user, at)
    plans = TreatmentPlan.objects.filter(
        patient__person_id__in=ids, status__in=IN_FORCE, next_review_at__isnull=False
    ).exclude(patient__status="deleted")
    plans = plans.select_related(*SHOWN).annotate(began=BEGAN)
    plans = plans.order_by("next_review_at", "pk")
    return _on_record(_dues(list(plans[:MOST])))


def _on_record(found: list[tuple[TreatmentPlan, datetime]]) -> list[tuple[TreatmentPlan, datetime]]:
    """Return plans by their due time, each with its person's row on record: it has the name and the chart."""
    for plan, _ in found:
        plan.patient = plan.patient.merged_into or plan.patient
    return sorted(found, key=lambda pair: pair[1])


def overdue_for_supervisor(user: User, at: datetime) -> list[tuple[TreatmentPlan, datetime]]:
    """Return the plans of the supervisor's organization whose review is a week late, the longest first.

    Only those are looked at that can be so late: planned a week ago, or with a crisis or a rise whose span
    was over then.
    """
    late = at - schedule.SUPERVISOR_AFTER
    crises = RiskAlert.objects.filter(
        patient__person_id=OuterRef("patient__person_id"), level="critical",
        level_since__lte=late - schedule.AFTER_CRISIS, level_since__gte=EARLIEST,
    )  # fmt: skip
    spans = Q()
    for level in schedule.RISING:
        spans |= Q(level=level, computed_at__lte=late - schedule.BY_LEVEL[level])
    entered = RiskAssessment.objects.filter(
        spans, patient_id=OuterRef("patient__person_id"), entered_level_at=F("computed_at"),
        level__in=schedule.RISING, computed_at__gte=EARLIEST,
    )  # fmt: skip
    plans = (
        TreatmentPlan.objects.filter(Q(next_review_at__lte=late) | Exists(crises) | Exists(entered))
        .filter(organization=user.organization_id, status__in=IN_FORCE, next_review_at__isnull=False)
        .exclude(patient__status="deleted")
        .select_related(*SHOWN)
        .annotate(began=BEGAN)
        .order_by("next_review_at", "pk")
    )
    found = _dues(list(plans[:MOST]))
    return _on_record([(plan, due) for plan, due in found if schedule.is_supervisors(due, at)])
