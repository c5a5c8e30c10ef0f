"""Writes of promised contacts: what came of one, what was asked in it, and when a supervisor is asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cortex.access.context import opening
from cortex.audit import Actor, InputRefused, RuleBroken, Unchanged, action, record
from cortex.clock import clock
from crisis.alerts.models import RiskAlert
from crisis.decisions.actions import state_factors
from crisis.followups import queries
from crisis.followups.models import FollowUpCheck, MeansCheck, PlanCheck, ScreenerCheck, WhyNot
from crisis.reviews import queries as reviews
from crisis.reviews.actions import close_first_contact, note_reached
from crisis.reviews.contacts import supervisor_at
from crisis.reviews.models import (
    STANDING,
    ContactChannel,
    FollowUp,
    FollowUpAttempt,
    FollowUpStatus,
    ReviewItem,
)
from crisis.risk.evidence import Draft, Origin, from_factor
from crisis.risk.types import Source, Status
from crisis.safetyplans import queries as safetyplans
from crisis.safetyplans.actions import review_plan
from crisis.welfare import queries as welfare
from crisis.welfare.actions import DECIDE_WITHIN, ask_welfare_check
from patients.registry.models import Patient
from patients.registry.queries import patient, rows_of

OUTCOMES = ("reached", "no_answer", "declined", "moved_on")
# What a human found of the means, as the factors of domain 3.2: the newest word on each counts.
FACTORS = {
    MeansCheck.SAFE: (("PF_MEANS_SAFE", Status.PRESENT), ("RF_MEANS_ACCESS", Status.ABSENT)),
    MeansCheck.UNSAFE: (("RF_MEANS_ACCESS", Status.PRESENT), ("PF_MEANS_SAFE", Status.ABSENT)),
}


@dataclass(frozen=True, slots=True)
class Checks:
    """What was asked in a contact (domain 3.9); the reasons stand with "not asked" alone."""

    screener: str = ""
    screener_id: UUID | None = None
    screener_why: str = ""
    plan: str = ""
    plan_why: str = ""
    means: str = ""
    means_why: str = ""
    means_note: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing was answered."""
        return not (self.screener or self.plan or self.means or self.means_note.strip())


@action
def finish_follow_up(
    *,
    actor: Actor,
    follow_up_id: UUID,
    outcome: str,
    channel: str = "",
    note: str = "",
    checks: Checks | None = None,
    at: datetime | None = None,
) -> FollowUp:
    """Log what came of a follow-up contact; `no_answer`, with its channel, is an attempt and keeps it due.

    Whoever reached the person says what was asked of the three questions (`checks`). Means become evidence,
    which the engine looks at in this transaction; the row that is returned names the alerts as `raised`.
    """
    said = checks or Checks()
    if outcome not in OUTCOMES:
        raise InputRefused("Choose what came of it.", "required", field="outcome")
    if outcome == "no_answer" and channel not in ContactChannel.values:
        raise InputRefused("Say how you tried.", "required", field="channel")
    if outcome == "no_answer" and not said.is_empty:
        raise InputRefused("Nobody answered: leave the questions empty.", "nobody_asked", field="outcome")
    row = reviews.locked_follow_up(follow_up_id)
    at = clock(at)
    reviews.refuse_stranger(actor, row)
    if row is None or row.status not in STANDING:
        raise RuleBroken("This follow-up is not due any more.", "already_done")
    person = row.patient if row.patient.merged_into_id is None else patient(row.patient.person_id)
    person = person or row.patient
    if outcome == "no_answer":
        close_first_contact(actor=actor, patient=person, outcome="tried", at=at)
        return _note_attempt(actor, row, channel, note.strip(), at)
    answers = _answers(actor, row, person, said, at, needed=outcome == "reached")
    with opening(actor, purpose="follow_up") as context:
        if note.strip() or said.means_note.strip():
            context.load_keys([row.patient_id], create=True)
        row.outcome, row.note = outcome, note.strip() or None
        row.status, row.done_at, row.done_by = FollowUpStatus.DONE, at, actor.user
        row.save()
        if answers is not None:
            answers.means_note = said.means_note.strip() or None
            answers.save(force_insert=True)
    codes = {"outcome": outcome} | (_codes(said) if answers is not None else {})
    record(actor, "follow_up.done", row, codes=codes)
    note_reached(actor=actor, patient=person, at=at)
    row.raised = tuple(_tell_others(actor, row, person, said, at))
    return row


def _note_attempt(actor: Actor, row: FollowUp, channel: str, note: str, at: datetime) -> FollowUp:
    with opening(actor, purpose="follow_up") as context:
        if note:
            context.load_keys([row.patient_id], create=True)
        FollowUpAttempt.objects.create(
            organization_id=row.organization_id,
            follow_up=row,
            patient_id=row.patient_id,
            channel=channel,
            attempted_at=at,
            attempted_by=actor.user,
            note=note or None,
        )
    record(actor, "follow_up.attempted", row, codes={"channel": channel})
    if welfare.open_item(rows_of(row.patient)) is None:
        _wait_for_supervisor(row, at)
    return row


def _wait_for_supervisor(row: FollowUp, at: datetime) -> None:
    """Set when a supervisor is asked, once the tries that count are enough (domain 3.9)."""
    ids = rows_of(row.patient)
    tries = reviews.tries(ids, welfare.counted_since(ids))
    due = supervisor_at(tries, reviews.contact_of(row.patient, tries, at), at)
    if due is None:
        return
    # A supervisor who said "try again until" is not asked before that.
    due = max(filter(None, (due, welfare.put_off_until(ids))))
    if row.supervisor_at is None or due < row.supervisor_at:
        row.supervisor_at = due
        row.save(update_fields=["supervisor_at", "updated_at"])


def _answers(
    actor: Actor, row: FollowUp, person: Patient, said: Checks, at: datetime, *, needed: bool
) -> FollowUpCheck | None:
    """Return the unsaved answers, or refuse what is missing or doesn't fit; None where nothing was asked."""
    if said.is_empty and not needed:
        return None
    _refuse_unsaid(said, needed=needed)
    ids = rows_of(person)
    screened = None
    if said.screener == ScreenerCheck.DONE:
        since = max(filter(None, (row.alert.raised_at, queries.last_reached(ids))))
        screened = queries.screener(ids, said.screener_id, since) if said.screener_id else None
        if screened is None:
            raise InputRefused(
                "Choose a C-SSRS of this person that was asked since the last contact.", "unknown_screener",
                field="screener",
            )  # fmt: skip
    has_plan = safetyplans.current(ids) is not None
    if said.plan in (PlanCheck.FITS, PlanCheck.NONE) and has_plan != (said.plan == PlanCheck.FITS):
        message = "A plan is in force: look at it." if has_plan else "No plan is in force: make one together."
        raise InputRefused(message, "plan_differs", field="plan")
    return FollowUpCheck(
        organization_id=row.organization_id, follow_up=row, patient_id=row.patient_id, answered_at=at,
        answered_by=actor.user, screener=said.screener, screener_why=said.screener_why, plan=said.plan,
        screener_id=screened.source_id if screened else None, plan_why=said.plan_why, means=said.means,
        screened_at=screened.observed_at if screened else None, means_why=said.means_why,
    )  # fmt: skip


def _refuse_unsaid(said: Checks, *, needed: bool) -> None:
    asked = (
        ("screener", said.screener, said.screener_why, ScreenerCheck, "whether the C-SSRS was asked"),
        ("plan", said.plan, said.plan_why, PlanCheck, "what the look at the safety plan found"),
        ("means", said.means, said.means_why, MeansCheck, "whether the means are safe"),
    )
    for name, answer, why, choices, words in asked:
        if answer not in choices.values and (answer or needed):
            raise InputRefused(f"Say {words}.", "required", field=name)
        if answer == "not_asked" and why not in WhyNot.values:
            raise InputRefused("Say why not.", "required", field=f"{name}_why")
        if answer != "not_asked" and why:
            raise InputRefused("A reason stands with a question that was not asked.", "no_reason", field=name)


def _codes(said: Checks) -> dict[str, str]:
    names = ("screener", "screener_why", "plan", "plan_why", "means", "means_why")
    return {name: getattr(said, name) for name in names if getattr(said, name)}


def _tell_others(actor: Actor, row: FollowUp, person: Patient, said: Checks, at: datetime) -> list[RiskAlert]:
    """Say on the plan that it was gone through, and in the ledger what was found of the means."""
    plan = safetyplans.current(rows_of(person)) if said.plan == PlanCheck.FITS else None
    if plan is not None and queries.may_write_plan(actor, person, at):
        review_plan(actor=actor, patient_id=person.pk, plan_id=plan.pk, at=at)
    found = FACTORS.get(MeansCheck(said.means)) if said.means else None
    if found is None:
        return []
    origin = Origin(Source.CLINICIAN, at, source_id=row.pk)
    drafts: list[Draft] = [from_factor(code, origin, status) for code, status in found]
    return state_factors(actor=actor, patient_id=person.pk, drafts=drafts, at=at)


@action
def ask_supervisor(*, actor: Actor, follow_up_id: UUID, at: datetime | None = None) -> ReviewItem | None:
    """Make a welfare check a question to the supervisors, since nobody reached the person (domain 3.9)."""
    row = reviews.locked_follow_up(follow_up_id)
    at = clock(at)
    is_due = row is not None and row.supervisor_at is not None and row.supervisor_at <= at
    if row is None or not is_due or row.status not in STANDING:
        return Unchanged(None)  # type: ignore[return-value]
    item = ask_welfare_check(
        actor=actor, patient=row.patient, organization_id=row.organization_id, source=row, at=at
    )
    # What an alert's end asks may be withdrawn with it: then this asks for itself.
    row.supervisor_at = at + DECIDE_WITHIN if item.source_type == "alert" else None
    row.save(update_fields=["supervisor_at", "updated_at"])
    record(actor, "follow_up.supervisor_asked", row)
    return item
