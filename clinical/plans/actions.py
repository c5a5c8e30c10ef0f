"""Writes of plans: begin, change, sign, approve, agree, hold; each version that is signed stays."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from clinical.plans import queries, schedule
from clinical.plans.approvals import queries as approvals
from clinical.plans.approvals.queries import APPROVERS, WAITING
from clinical.plans.models import PlanApproval, PlanStatus, PlanVersion, TreatmentPlan
from clinical.plans.seen import refuse_changed
from clinical.plans.signing import queries as signing
from cortex.access.context import opening
from cortex.accounts.models import Organization
from cortex.audit import Actor, InputRefused, RuleBroken, Unchanged, action, quiet, record
from cortex.clock import clock
from cortex.horizon import refuse_far
from cortex.ops.notices.actions import notify, overtake
from cortex.records import version_of

FIELDS = ("start", "target_end", "review_interval_days")
WORDS = ("presenting_problem", "formulation")
UNSEEN = "The plan changed since you read it, and nothing is signed. Read it as it stands now."
AGREES = "The plan changed since you opened this page. Look at it as it is now, then ask the person."
# What those who go on with a plan are told of a supervisor's word.
DECIDED = {True: "plan_approved", False: "plan_given_back"}


@action
def begin_plan(
    *, actor: Actor, patient_id: UUID, presenting_problem: str, start: date, target_end: date,
    formulation: str = "", review_interval_days: int | None = None, at: datetime | None = None,
) -> TreatmentPlan:  # fmt: skip
    """Begin a person's plan as a draft; they have one that is open at a time."""
    at = clock(at)
    patient = queries.treated_to_write(actor, patient_id, at)
    if queries.open_plan(patient) is not None:
        raise RuleBroken("There is a plan already. Change that one, or end it first.", "plan_exists")
    queries.refuse_after_care(patient, at)
    _check_span(start, target_end)
    plan = TreatmentPlan(
        organization_id=patient.organization_id, patient=patient, start=start, target_end=target_end,
        review_interval_days=review_interval_days, authored_by=actor.user,
        risk_level=queries.level_of(patient), safety_plan=queries.safety_plan_of(patient),
    )  # fmt: skip
    with opening(actor, purpose="treatment") as context:
        context.load_keys([patient.pk], create=True)
        plan.presenting_problem, plan.formulation = presenting_problem, formulation or None
        plan.save(force_insert=True)
    record(actor, "plan.begun", plan, codes={"level": plan.risk_level})
    return plan


@action
def change_plan(
    *, actor: Actor, patient_id: UUID, presenting_problem: str, start: date, target_end: date,
    formulation: str = "", review_interval_days: int | None = None, seen: str | None = None,
    at: datetime | None = None,
) -> TreatmentPlan:  # fmt: skip
    """Change what a plan says of itself; after signing this begins the next version.

    RuleBroken `changed_meanwhile` when the plan isn't the one that the form has `seen` (`plans.seen`).
    """
    at = clock(at)
    plan = queries.locked_plan(actor, patient_id, at)
    _check_span(start, target_end)
    wanted: dict[str, Any] = {
        "start": start, "target_end": target_end, "review_interval_days": review_interval_days,
        "presenting_problem": presenting_problem, "formulation": formulation or None,
    }  # fmt: skip
    with opening(actor, purpose="treatment") as context:
        context.open([plan], WORDS)
        changed = [name for name, value in wanted.items() if getattr(plan, name) != value]
        if not changed:
            return Unchanged(plan)  # type: ignore[return-value]
        refuse_changed(version_of(plan), seen)
        for name in changed:
            setattr(plan, name, wanted[name])
        plan.risk_level = queries.level_of(plan.patient)
        plan.safety_plan = queries.safety_plan_of(plan.patient)
        plan.save()
    begin_version(actor=actor, plan=plan)
    record(actor, "plan.changed", plan, fields=changed, codes={"version": plan.version})
    return plan


def _check_span(start: date, target_end: date) -> None:
    refuse_far(clock(), start=start, target_end=target_end)
    if target_end <= start:
        raise InputRefused("The planned end lies after the start.", "ends_before_start", field="target_end")


@action
def begin_version(*, actor: Actor, plan: TreatmentPlan) -> TreatmentPlan:
    """Begin the next version of a signed plan, since its content changes; an unsigned one goes on.

    What was signed last stays in force until this one is signed; what was agreed was about that one.
    """
    if not plan.is_signed:
        return Unchanged(plan)  # type: ignore[return-value]
    plan.version += 1
    plan.signed_at = plan.consented_at = None
    plan.patient_agreed = False
    plan.save(update_fields=["version", "signed_at", "consented_at", "patient_agreed", "updated_at"])
    waits_no_more(actor, plan)
    record(actor, "plan.version_begun", plan, codes={"version": plan.version})
    return plan


@action
def sign_plan(
    *, actor: Actor, patient_id: UUID, patient_agreed: bool, seen: str | None = None,
    at: datetime | None = None,
) -> PlanVersion:  # fmt: skip
    """Sign a plan as it stands: it is sealed as a version that nothing changes any more.

    `seen` is the digest of what was read (`signing.to_sign`): RuleBroken `changed_meanwhile` when something
    else stands by now, since nobody signs what they haven't seen.

    Where the organization asks for it the first version waits for a supervisor, else the plan is in force.
    The door asks for password or factor before it calls this.
    """
    at = clock(at)
    plan = queries.locked_plan(actor, patient_id, at)
    if plan.is_signed:
        raise RuleBroken("This version is signed already.", "already_signed")
    goals = [one for one in queries.goals_of(plan) if one.status != "cancelled"]
    if not goals:
        raise RuleBroken("A plan needs a goal before it is signed.", "no_goal")
    wants_approval = _wants_approval(plan.organization_id)
    with opening(actor, purpose="treatment") as context:
        context.load_keys([plan.patient_id], create=True)
        content, digest = signing.to_sign(context, plan.patient, plan, at)
        if seen is not None and digest.hex() != seen:
            raise RuleBroken(UNSEEN, "changed_meanwhile")
        signed = PlanVersion(
            organization_id=plan.organization_id, patient=plan.patient, plan=plan, version=plan.version,
            content_hash=digest, signed_at=at, signed_by=actor.user, patient_agreed=patient_agreed,
            consented_at=at if patient_agreed else None, needs_approval=wants_approval,
        )  # fmt: skip
        signed.content = content
        signed.save(force_insert=True)
    for goal in goals:
        if goal.status == "proposed":
            goal.status = "active"
            goal.save(update_fields=["status", "updated_at"])
    plan.signed_version, plan.signed_at = plan.version, at
    plan.patient_agreed, plan.consented_at = patient_agreed, at if patient_agreed else None
    if plan.status == PlanStatus.DRAFT and not wants_approval:
        _come_into_force(plan, at)
    elif plan.next_review_at is not None and plan.review_interval_days:
        # What the plan says of its reviews holds with its signature, not with the review after the next.
        since = queries.reviewed_or_begun(plan) or at
        span = timedelta(days=plan.review_interval_days)
        plan.next_review_at = min(plan.next_review_at, since + span)
    plan.save(
        update_fields=[
            "risk_level", "safety_plan", "signed_version", "signed_at", "patient_agreed", "consented_at",
            "status", "next_review_at", "updated_at",
        ]
    )  # fmt: skip
    codes = {"version": plan.version, "agreed": patient_agreed, "needs_approval": wants_approval}
    record(actor, "plan.signed", plan, codes=codes)
    if wants_approval:
        tell_approvers(actor, plan, at)
    return signed


def _wants_approval(organization_id: UUID) -> bool:
    settings = Organization.objects.values_list("settings", flat=True).filter(pk=organization_id).first()
    return bool(settings and settings.get("plans_need_approval"))


@quiet("that a plan waits for a word follows from what was done, which its own action records")
def tell_approvers(actor: Actor, plan: TreatmentPlan, at: datetime) -> None:
    """Tell the supervisors of a plan's team that a signed version waits for their word."""
    people = [one.pk for one in approvals.approvers_of(plan.patient, at, besides=actor.id)]
    _tell(actor, plan, WAITING, people, plan.version)


def _tell(actor: Actor, plan: TreatmentPlan, code: str, people: list[UUID], version: int) -> None:
    notify(
        actor=actor, organization_id=plan.organization_id, user_ids=people, code=code,
        object_type="clinical.TreatmentPlan", object_id=plan.pk,
        codes={"patient": str(plan.patient_id), "version": str(version)},
    )  # fmt: skip


@quiet("that a plan waits for no word follows from what was done, which its own action records")
def waits_no_more(actor: Actor, plan: TreatmentPlan) -> None:
    """Put away what supervisors were told of a plan that waits for no word any more."""
    people = approvals.supervisors(plan.organization_id)
    overtake(actor=actor, user_ids=people, code=WAITING, object_ids=[plan.pk])


def _come_into_force(plan: TreatmentPlan, at: datetime) -> None:
    plan.status = PlanStatus.ACTIVE
    plan.next_review_at = schedule.first_review(at, plan.review_interval_days)


@action
def decide_approval(
    *, actor: Actor, patient_id: UUID, version: int, approved: bool, note: str = "",
    at: datetime | None = None,
) -> PlanApproval:  # fmt: skip
    """Approve a signed version, or give it back with what is missing; a supervisor who did not sign it."""
    at = clock(at)
    plan = queries.locked_plan(actor, patient_id, at)
    signed = queries.version_of(plan.pk, version)
    if signed is None or signed.version != plan.signed_version or not plan.is_signed:
        raise RuleBroken("The plan has changed since. Look at it as it is now.", "not_newest")
    if not signed.needs_approval or PlanApproval.objects.filter(plan_version=signed).exists():
        raise RuleBroken("This version does not wait for approval.", "not_waiting")
    if actor.role not in APPROVERS or signed.signed_by_id == actor.id:
        raise RuleBroken("A supervisor who did not sign it approves a plan.", "supervisor_needed")
    if not approved and not note.strip():
        raise InputRefused("Say what is missing.", "required", field="note")
    word = PlanApproval(
        organization_id=plan.organization_id, patient=plan.patient, plan_version=signed, approved=approved,
        decided_by=actor.person, decided_at=at,
    )  # fmt: skip
    with opening(actor, purpose="treatment") as context:
        context.load_keys([plan.patient_id], create=True)
        word.note = note.strip() or None
        word.save(force_insert=True)
    if approved and plan.status == PlanStatus.DRAFT:
        _come_into_force(plan, at)
        plan.save(update_fields=["status", "next_review_at", "updated_at"])
    if approved:
        waits_no_more(actor, plan)
    else:
        begin_version(actor=actor, plan=plan)
    record(actor, "plan.approved" if approved else "plan.given_back", plan, codes={"version": version})
    _tell(actor, plan, DECIDED[approved], approvals.writers_of(plan, signed, at), version)
    return word


@action
def record_agreement(
    *, actor: Actor, patient_id: UUID, version: int | None = None, at: datetime | None = None
) -> TreatmentPlan:
    """Note that the person has agreed to the version that was signed without it.

    `version` is what whoever says so has read: RuleBroken `changed_meanwhile` when another one stands.
    """
    at = clock(at)
    plan = queries.locked_plan(actor, patient_id, at)
    if version is not None and version != plan.version:
        raise RuleBroken(AGREES, "changed_meanwhile")
    if not plan.is_signed:
        raise RuleBroken("Sign the plan first: people agree to what stands.", "not_signed")
    if plan.patient_agreed:
        return Unchanged(plan)  # type: ignore[return-value]
    plan.patient_agreed, plan.consented_at = True, at
    plan.save(update_fields=["patient_agreed", "consented_at", "updated_at"])
    record(actor, approvals.AGREED, plan, codes={"version": plan.version})
    return plan


# What a person may do with a plan that goes on, and from which state; `endings` ends it.
MOVES = {
    "hold": (PlanStatus.ACTIVE, PlanStatus.ON_HOLD, "plan.held"),
    "resume": (PlanStatus.ON_HOLD, PlanStatus.ACTIVE, "plan.resumed"),
}


@action
def move_plan(*, actor: Actor, patient_id: UUID, move: str, at: datetime | None = None) -> TreatmentPlan:
    """Put a plan on hold, or take it up again."""
    at = clock(at)
    if move not in MOVES:
        raise InputRefused("Choose what to do with the plan.", "move_unknown", field="move")
    plan = queries.locked_plan(actor, patient_id, at)
    before, after, verb = MOVES[move]
    if plan.status != before:
        raise RuleBroken(f"The plan is {plan.get_status_display().lower()}.", "wrong_state")
    plan.status = after
    plan.save(update_fields=["status", "updated_at"])
    record(actor, verb, plan, codes={"version": plan.version})
    return plan
