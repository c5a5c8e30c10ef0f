"""Writes of endings: a plan is completed or discontinued for a reason, and that is taken back."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from clinical.plans import queries as plans
from clinical.plans.actions import tell_approvers, waits_no_more
from clinical.plans.endings import queries
from clinical.plans.models import PlanApproval, PlanStatus, TreatmentPlan
from clinical.plans.wording import END_REASONS
from cortex.audit import Actor, InputRefused, RuleBroken, action, record
from cortex.clock import clock

HOW = {"complete": PlanStatus.COMPLETED, "discontinue": PlanStatus.DISCONTINUED}
# What was never in force can't be completed.
ALLOWED = {"draft": ("discontinue",), "active": tuple(HOW), "on_hold": tuple(HOW)}


@action
def end_plan(
    *, actor: Actor, patient_id: UUID, how: str, reason: str, at: datetime | None = None
) -> TreatmentPlan:
    """Complete a plan, or discontinue it; the trail keeps why and where it stood."""
    at = clock(at)
    if how not in HOW:
        raise InputRefused("Choose how it ends.", "move_unknown", field="how")
    if reason not in END_REASONS:
        raise InputRefused("Choose why it ends.", "required", field="reason")
    plan = plans.locked_plan(actor, patient_id, at)
    if how not in ALLOWED[plan.status]:
        raise RuleBroken("A draft was never in force: it is discontinued.", "wrong_state")
    before = plan.status
    plan.status, plan.ended_at = HOW[how], at
    plan.save(update_fields=["status", "ended_at", "updated_at"])
    waits_no_more(actor, plan)
    codes = {"version": plan.version, "reason": reason, "from": before}
    record(actor, queries.VERBS[how], plan, codes=codes)
    return plan


@action
def reopen_plan(
    *, actor: Actor, patient_id: UUID, plan_id: UUID, at: datetime | None = None
) -> TreatmentPlan:
    """Take an ending back: who ended a plan may, within a day; it stands where it stood, version and all."""
    at = clock(at)
    plan = queries.locked_ended(actor, patient_id, plan_id, at)
    ending = queries.ending_of(plan)
    if ending is None:
        raise RuleBroken("The plan is open.", "wrong_state")
    if why_not := queries.kept_because(plan, ending, actor.id, at):
        raise RuleBroken(why_not, "not_back")
    plan.status, plan.ended_at = ending.before, None
    plan.save(update_fields=["status", "ended_at", "updated_at"])
    signed = plans.version_of(plan.pk, plan.signed_version) if plan.signed_version else None
    waits = signed is not None and signed.needs_approval and plan.is_signed
    if waits and not PlanApproval.objects.filter(plan_version=signed).exists():
        tell_approvers(actor, plan, at)
    record(actor, "plan.reopened", plan, codes={"version": plan.version, "status": plan.status})
    return plan
