"""Reads of endings: who ended a plan when and why, and what stands in the way of taking that back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from clinical.plans.models import OPEN, PlanStatus, TreatmentPlan
from clinical.plans.queries import open_plan, treated_to_write
from clinical.plans.reviews.models import PlanReview
from clinical.plans.wording import DECISIONS, END_REASONS
from cortex.audit import Actor, NotFound
from cortex.audit.models import AuditLog
from patients.pathway.queries import has_left
from patients.registry.queries import rows_of

VERBS = {"complete": "plan.completed", "discontinue": "plan.discontinued"}
BACK_WITHIN = timedelta(days=1)
DISCHARGE = "discharge"


@dataclass(frozen=True, slots=True)
class Ending:
    """How a plan ended; `before` is where it stood then, "" where nothing tells."""

    at: datetime
    by: str
    by_id: UUID | None
    reason: str
    before: str
    in_review: bool

    @property
    def until(self) -> datetime:
        """Until when it can be taken back."""
        return self.at + BACK_WITHIN

    @property
    def why(self) -> str:
        """The reason in words; "" of a plan that ended before one was asked for."""
        return (DECISIONS if self.in_review else END_REASONS).get(self.reason, "")


def ending_of(plan: TreatmentPlan) -> Ending | None:
    """Return how a plan ended, by the review that ended it, else by the trail; None while it is open."""
    if plan.ended_at is None:
        return None
    rows = PlanReview.objects.filter(plan=plan.pk, decision=DISCHARGE, held_at__gte=plan.ended_at)
    review = rows.select_related("reviewed_by").defer("patient_view", "summary").first()
    if review is not None:
        by = review.reviewed_by
        return Ending(plan.ended_at, by.full_name if by else "", by.pk if by else None, DISCHARGE, "", True)
    told = AuditLog.objects.filter(object_id=plan.pk, event_type__in=VERBS.values()).order_by("-id")
    row = told.values_list("actor_label", "actor_id", "codes").first()
    by_whom, by_id, codes = row or ("", None, {})
    return Ending(plan.ended_at, by_whom, by_id, codes.get("reason", ""), codes.get("from", ""), False)


def kept_because(plan: TreatmentPlan, ending: Ending, user_id: UUID | None, at: datetime) -> str:
    """Return why an ending can't be taken back by somebody; "" when it can."""
    if ending.in_review:
        return "A review ended it, and a review stays as it was held. Begin a new plan instead."
    if ending.before not in OPEN or (ending.before != PlanStatus.DRAFT and not plan.signed_version):
        return "Where it stood before isn't on record. Begin a new plan instead."
    if ending.by_id != user_id:
        return f"{ending.by} ended it and alone can take that back, within a day."
    if at > ending.until:
        return "That could be taken back for a day. Begin a new plan instead."
    if open_plan(plan.patient) is not None:
        return "Another plan has begun since."
    if has_left(rows_of(plan.patient), at):
        return "Care has ended, and nobody stays on the team who could go on with it."
    return ""


def locked_ended(actor: Actor, patient_id: UUID, plan_id: UUID, at: datetime) -> TreatmentPlan:
    """Lock a person and one of their plans that is over; NotFound for any other."""
    patient = treated_to_write(actor, patient_id, at)
    rows = TreatmentPlan.objects.select_for_update(of=("self",)).select_related("patient")
    found = rows.filter(pk=plan_id, patient_id__in=rows_of(patient)).exclude(status__in=OPEN).first()
    if found is None:
        raise NotFound
    return found
