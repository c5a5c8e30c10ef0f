"""Writes of safety plans: keep a draft, finish it, find a version still right, retire it, discard a draft."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

from cortex.access.context import opening
from cortex.audit import Actor, InputRefused, RuleBroken, Unchanged, action, record
from cortex.clock import clock
from crisis.decisions.actions import state_factors
from crisis.reviews.actions import close_item, make_item
from crisis.reviews.models import PLAN_REVIEW
from crisis.risk.evidence import Origin, from_factor
from crisis.risk.types import Source, Status
from crisis.safetyplans import queries, rules
from crisis.safetyplans.models import (
    MOST_CONTACT,
    MOST_LINES,
    MOST_TEXT,
    PlanStatus,
    SafetyPlan,
    SafetyPlanItem,
    SafetyPlanReview,
)
from crisis.safetyplans.queries import Held, Line, Lines, Reader
from crisis.safetyplans.wording import BY_KEY, DISCARDED, RETIRED
from patients.registry.models import Patient
from patients.registry.queries import rows_of

FACTOR = "PF_SAFETY_PLAN"
# A button that is pressed twice says the same thing once.
SAME_LOOK = timedelta(minutes=5)
CHANGED = "Somebody saved this plan meanwhile. Nothing of yours is lost: it stands below, beside theirs."


@dataclass(frozen=True, slots=True)
class Written:
    """What a form says of a plan: lines by section in their order, with whom, when means are looked at."""

    lines: Mapping[str, Sequence[Line]] = field(default_factory=dict)
    created_with_patient: bool = False
    means_review_on: date | None = None

    def kept(self) -> Lines:
        """Return the lines as they are kept: in the order of the steps, empty ones left out."""
        found: Lines = {}
        for key in BY_KEY:
            rows = [(text.strip(), contact.strip()) for text, contact in self.lines.get(key, ())]
            if rows := [one for one in rows if any(one)]:
                found[key] = rows
        return found

    def counts(self) -> dict[str, int]:
        """Return how many lines each section has."""
        return {key: len(rows) for key, rows in self.kept().items()}


@action
def save_draft(
    *, actor: Actor, patient_id: UUID, written: Written, seen: str, at: datetime | None = None
) -> SafetyPlan:
    """Keep what is written of a person's plan; what is in force stays in force.

    `seen` is the token that the form was drawn at (`Held.token`): RuleBroken `changed_meanwhile` when
    somebody saved or finished since. InputRefused names the section.
    """
    who = queries.writer(actor, patient_id, clock(at))
    at = clock(at)
    held = queries.locked(who.ids)
    _refuse_changed(held, seen)
    draft, changed = _kept(actor, who, held, written, at)
    if not changed:
        return Unchanged(draft)  # type: ignore[return-value]
    record(actor, "safety_plan.drafted", draft, subject=who.person.pk, codes={"lines": written.counts()})
    return draft


def _refuse_changed(held: Held, seen: str) -> None:
    if held.token != seen:
        raise RuleBroken(CHANGED, "changed_meanwhile", seen=held.token)


def _kept(actor: Actor, who: Reader, held: Held, written: Written, at: datetime) -> tuple[SafetyPlan, bool]:
    """Write the draft, and say whether anything in it is other than before."""
    lines = written.kept()
    _check(lines)
    fresh = held.draft is None
    draft = held.draft or SafetyPlan(
        organization_id=who.person.organization_id, patient=who.person, revision=0,
        supersedes=held.current, authored_by=actor.person,
    )  # fmt: skip
    with opening(actor, purpose="treatment") as context:
        context.load_keys([draft.patient_id], create=True)
        same = not fresh and queries.draft_lines(context, draft) == lines
        facts = (draft.created_with_patient, draft.means_review_on)
        if same and facts == (written.created_with_patient, written.means_review_on):
            return draft, False
        draft.draft = lines
        draft.created_with_patient = written.created_with_patient
        draft.means_review_on = written.means_review_on
        draft.authored_by, draft.saved_at, draft.revision = actor.person, at, draft.revision + 1
        draft.save(force_insert=fresh)
    return draft, True


def _check(lines: Lines) -> None:
    for key, rows in lines.items():
        title = BY_KEY[key].title
        if len(rows) > MOST_LINES:
            raise InputRefused(f"{title}: {MOST_LINES} lines at most.", "too_many", field=key)
        for text, contact in rows:
            if not text:
                raise InputRefused(f"{title}: say who or what belongs to it.", "required", field=key)
            if len(text) > MOST_TEXT or len(contact) > MOST_CONTACT:
                raise InputRefused(f"{title}: a line is too long.", "too_long", field=key)


@action
def finish_plan(
    *, actor: Actor, patient_id: UUID, written: Written, seen: str, at: datetime | None = None
) -> SafetyPlan:
    """Make what is written the person's plan in force; the version before it is kept and replaced.

    Whoever finishes has just gone through it: that counts as a look, ends the task about one, and tells the
    engine whether the plan protects. An incomplete plan is better than none; it counts as no protection.
    """
    who = queries.writer(actor, patient_id, clock(at))
    at = clock(at)
    held = queries.locked(who.ids)
    _refuse_changed(held, seen)
    lines = written.kept()
    if not lines:
        raise InputRefused("Write down at least one thing that helps.", "required", field="warning_signs")
    _refuse_same(actor, held, written)
    plan, _ = _kept(actor, who, held, written, at)
    before = held.current
    withdrawn = before is not None and before.protects(at)
    if before is not None:
        _end(actor, before, PlanStatus.SUPERSEDED, at)
    plan.version = queries.last_version(who.ids) + 1
    plan.status, plan.draft, plan.supersedes = PlanStatus.CURRENT, None, before
    plan.is_complete = rules.is_complete(written.counts())
    plan.finished_at = at
    _looked(actor, plan, at)
    plan.save()
    _write_items(actor, plan, lines)
    _tell_engine(actor, plan, who, at, withdrawn=withdrawn)
    _close_tasks(actor, who, at)
    codes = {"version": plan.version, "complete": plan.is_complete, "together": plan.created_with_patient}
    record(actor, "safety_plan.finished", plan, subject=who.person.pk, codes=codes)
    return plan


def _refuse_same(actor: Actor, held: Held, written: Written) -> None:
    """Refuse a version that says what the one in force says: that is a review."""
    plan = held.current
    if plan is None:
        return
    facts = (plan.created_with_patient, plan.means_review_on)
    if facts != (written.created_with_patient, written.means_review_on):
        return
    with opening(actor, purpose="treatment") as context:
        if queries.opened_lines(context, held.items) == written.kept():
            words = "Nothing is other than in the plan in force. If it is still right, say so on its page."
            raise InputRefused(words, "unchanged")


def _end(actor: Actor, plan: SafetyPlan, status: PlanStatus, at: datetime, reason: str = "") -> None:
    plan.status, plan.ended_at, plan.ended_by, plan.retire_reason = status, at, actor.user, reason
    plan.save(update_fields=["status", "ended_at", "ended_by", "retire_reason", "updated_at"])


def _looked(actor: Actor, plan: SafetyPlan, at: datetime) -> None:
    plan.reviewed_at, plan.reviewed_by, plan.next_review_at = at, actor.user, at + rules.EVERY


def _write_items(actor: Actor, plan: SafetyPlan, lines: Lines) -> None:
    with opening(actor, purpose="treatment") as context:
        context.load_keys([plan.patient_id])
        SafetyPlanItem.objects.bulk_create(
            SafetyPlanItem(
                organization_id=plan.organization_id, patient_id=plan.patient_id, plan=plan, section=key,
                order=order, text=text, contact=contact or None,
            )
            for key, rows in lines.items()
            for order, (text, contact) in enumerate(rows)
        )  # fmt: skip


def _tell_engine(actor: Actor, plan: SafetyPlan, who: Reader, at: datetime, *, withdrawn: bool) -> None:
    """Put into the ledger that a plan protects, or that one which did no longer does (domain 3.2, 4.2)."""
    if not plan.protects(at) and not withdrawn:
        return
    status = Status.PRESENT if plan.protects(at) else Status.ABSENT
    found = from_factor(FACTOR, Origin(Source.CLINICIAN, at, source_id=plan.pk), status)
    state_factors(actor=actor, patient_id=who.person.pk, drafts=[found], at=at)


def _close_tasks(actor: Actor, who: Reader, at: datetime) -> None:
    for patient_id in who.ids:
        close_item(actor=actor, patient_id=patient_id, reason_code=PLAN_REVIEW, outcome="reviewed", at=at)


@action
def review_plan(*, actor: Actor, patient_id: UUID, plan_id: UUID, at: datetime | None = None) -> SafetyPlan:
    """Say that the actor went through the plan in force with its person, and that it is still right."""
    who = queries.writer(actor, patient_id, clock(at))
    at = clock(at)
    plan = _in_force(who, plan_id)
    if plan.reviewed_by_id == actor.id and plan.reviewed_at and at - plan.reviewed_at < SAME_LOOK:
        return Unchanged(plan)  # type: ignore[return-value]
    SafetyPlanReview.objects.create(
        organization_id=plan.organization_id, patient_id=plan.patient_id, plan=plan, reviewed_at=at,
        reviewed_by=actor.person,
    )  # fmt: skip
    _looked(actor, plan, at)
    fields = ["reviewed_at", "reviewed_by", "next_review_at"]
    plan.save(update_fields=[*fields, "updated_at"])
    _tell_engine(actor, plan, who, at, withdrawn=False)
    _close_tasks(actor, who, at)
    record(
        actor, "safety_plan.reviewed", plan, subject=who.person.pk, fields=fields,
        codes={"version": plan.version},
    )  # fmt: skip
    return plan


def _in_force(who: Reader, plan_id: UUID) -> SafetyPlan:
    plan = queries.locked(who.ids).current
    if plan is None or plan.pk != plan_id:
        raise RuleBroken("This version is no longer in force. Look at the plan as it is now.", "not_current")
    return plan


@action
def retire_plan(
    *, actor: Actor, patient_id: UUID, plan_id: UUID, reason: str, at: datetime | None = None
) -> SafetyPlan:
    """Take the plan in force out of force, with a coded reason; it stays readable."""
    if reason not in RETIRED:
        raise InputRefused("Say why.", "required", field="reason")
    who = queries.writer(actor, patient_id, clock(at))
    at = clock(at)
    plan = _in_force(who, plan_id)
    protected = plan.protects(at)
    _end(actor, plan, PlanStatus.RETIRED, at, reason)
    _tell_engine(actor, plan, who, at, withdrawn=protected)
    record(actor, "safety_plan.retired", plan, subject=who.person.pk, codes={"reason": reason})
    return plan


@action
def discard_draft(*, actor: Actor, patient_id: UUID, seen: str, at: datetime | None = None) -> SafetyPlan:
    """Put a draft away unfinished; what is in force stays in force."""
    who = queries.writer(actor, patient_id, clock(at))
    at = clock(at)
    held = queries.locked(who.ids)
    _refuse_changed(held, seen)
    if held.draft is None:
        raise RuleBroken("There is no draft.", "no_draft")
    _end(actor, held.draft, PlanStatus.RETIRED, at, DISCARDED)
    codes = {"reason": DISCARDED}
    record(actor, "safety_plan.retired", held.draft, subject=who.person.pk, codes=codes)
    return held.draft


@action
def ask_for_review(
    *, actor: Actor, plan: SafetyPlan, planned: datetime, at: datetime | None = None
) -> SafetyPlan:
    """Make a look at a plan whose time comes a task of whoever leads the care, else of the desk."""
    at = clock(at)
    patient = plan.patient
    make_item(
        actor=actor, organization_id=plan.organization_id, patient=patient, reason_code=PLAN_REVIEW,
        source_type="safety_plan", source_id=plan.pk,
        due_at=rules.due_after(planned, at), at=at,
    )  # fmt: skip
    return Unchanged(plan)  # type: ignore[return-value]


@action
def ask_at_discharge(
    *, actor: Actor, patient: Patient, owner_id: UUID | None, at: datetime | None = None
) -> SafetyPlan | None:
    """Make a look at the plan a task when somebody leaves care and nobody went through it in the last week.

    `owner_id` is who may still open it (None: the desk). None where there is no plan, or it was looked at.
    """
    at = clock(at)
    plan = queries.current(rows_of(patient))
    if plan is None or (plan.reviewed_at is not None and at - plan.reviewed_at < rules.BEFORE_LEAVING):
        return Unchanged(None)  # type: ignore[return-value]
    make_item(
        actor=actor, organization_id=plan.organization_id, patient=patient, reason_code=PLAN_REVIEW,
        source_type="safety_plan", source_id=plan.pk, due_at=at + rules.AHEAD, owner_id=owner_id, at=at,
    )  # fmt: skip
    return Unchanged(plan)  # type: ignore[return-value]
