"""Writes of reviews: one that was held, with what it changes."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from clinical.plans import queries, schedule
from clinical.plans.actions import waits_no_more
from clinical.plans.models import PlanStatus
from clinical.plans.reviews.models import PlanReview
from clinical.plans.reviews.queries import IN_FORCE, reviews_due
from clinical.plans.wording import DECISIONS
from cortex.access.context import opening
from cortex.audit import Actor, InputRefused, RuleBroken, Unchanged, action, record
from cortex.clock import clock
from patients.privacy.queries import consent_state
from patients.registry.queries import local_day

DISCHARGE = "discharge"


@action
def hold_review(
    *, actor: Actor, patient_id: UUID, patient_view: str, decision: str, summary: str = "",
    once: UUID | None = None, at: datetime | None = None,
) -> PlanReview:  # fmt: skip
    """Write down a review of the plan in force; progress, measures, level and consent are those of now.

    The next one is due by the level; a discharge ends the plan instead. `once` is the new row's id: a button
    that is pressed twice writes one review.
    """
    at = clock(at)
    if once:
        # Before the plan is asked for: the first press may have ended it.
        person = queries.treated_to_write(actor, patient_id, at)
        done, once = queries.written_once(PlanReview, once, person)
        if done:
            return Unchanged(done)  # type: ignore[return-value]
    plan = queries.locked_plan(actor, patient_id, at)
    if plan.status not in IN_FORCE or plan.next_review_at is None:
        raise RuleBroken("Only a plan in force is reviewed. Sign it first.", "not_in_force")
    if decision not in DECISIONS:
        raise InputRefused("Choose what was decided.", "required", field="decision")
    patient, level = plan.patient, queries.level_of(plan.patient)
    views = queries.view_goals(patient, queries.goals_of(plan), at)
    standing = queries.standing_of(plan, views, local_day(patient, at))
    agreed = consent_state([patient.person_id], ["treatment"], at)[patient.person_id, "treatment"]
    ends = decision == DISCHARGE
    following = None if ends else schedule.next_review(at, level, plan.review_interval_days)
    asked = reviews_due([patient.person_id], at, due_only=False)
    due = asked.get(patient.person_id, plan.next_review_at)
    review = PlanReview(
        **queries.own_id(once), organization_id=plan.organization_id, patient=patient, plan=plan,
        plan_version=plan.signed_version or plan.version, due_at=due, held_at=at, reviewed_by=actor.user,
        progress=standing.share, pace=standing.pace,
        goals=[
            {"goal": str(one.goal.pk), "share": one.standing.share, "pace": one.standing.pace}
            for one in views if one.goal.status != "cancelled"
        ],
        measures=queries.totals_of(patient), risk_level=level, consent_valid=agreed, decision=decision,
        next_review_at=following,
    )  # fmt: skip
    with opening(actor, purpose="treatment") as context:
        context.load_keys([patient.pk], create=True)
        review.patient_view, review.summary = patient_view, summary.strip() or None
        review.save(force_insert=True)
    if ends:
        plan.status, plan.ended_at = PlanStatus.COMPLETED, at
        waits_no_more(actor, plan)
    plan.next_review_at, plan.risk_level = following, level
    plan.save(update_fields=["status", "ended_at", "next_review_at", "risk_level", "updated_at"])
    record(actor, "plan.reviewed", review, codes={"decision": decision, "consent": agreed, "level": level})
    return review
