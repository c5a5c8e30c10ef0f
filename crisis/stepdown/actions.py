"""From critical to high (domain 3.8): one person asks, another decides, and silence lowers nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from cortex.access.context import opening
from cortex.audit import Actor, InputRefused, NotFound, RuleBroken, action, record
from cortex.clock import clock
from cortex.ops.notices.actions import notify, overtake
from cortex.ops.notices.queries import was_told
from crisis.alerts.access import READERS
from crisis.decisions import actions as decisions
from crisis.risk.types import Level
from crisis.stepdown import queries
from crisis.stepdown.models import StepDown
from crisis.stepdown.queries import GONE, Findings
from patients.registry.access import BREAK_GLASS, READ_ONLY
from patients.registry.models import Patient
from patients.registry.queries import lock_person, rows_of

# Domain 3.7: if nobody acts by then, the level stays up; the question stays, too.
DECIDE_WITHIN = timedelta(minutes=30)
ASKED, DECIDED = "step_down_asked", "step_down_decided"


@action
def ask_step_down(*, actor: Actor, patient_id: UUID, reason: str, at: datetime | None = None) -> StepDown:
    """Ask a second reader whether somebody comes down from critical to high.

    The actor treats the person. RuleBroken `not_critical`, `alert_open`, `still_critical`, `cue_too_new`,
    `plan_incomplete` or `no_follow_up` for a condition that doesn't hold, `already_asked` for a second
    question; a C-SSRS that is high or missing needs no more than the reason, which is always asked for.
    """
    if actor.role not in READERS:
        raise NotFound(GONE, "not_found")
    lock_person(patient_id)
    at = clock(at)
    person = queries.treated_person(actor, patient_id, at)
    ids = rows_of(person)
    if queries.is_pending(ids):
        raise RuleBroken("A second reader has been asked already.", "already_asked")
    found = queries.findings(person, ids, at)
    _refuse_unmet(found, at)
    if not reason.strip():
        raise InputRefused(
            "Say why high is enough: the second reader relies on it.", "required", field="reason"
        )
    with opening(actor, purpose="review") as context:
        context.load_keys([person.pk], create=True)
        row = StepDown.objects.create(
            organization_id=person.organization_id, patient=person, asked_by=actor.person, asked_at=at,
            due_at=at + DECIDE_WITHIN, findings=found.coded(at), reason=reason.strip(),
        )  # fmt: skip
    record(actor, "step_down.asked", row, subject=person.pk, codes=row.findings)
    _tell(actor, row, ASKED, queries.readers_of(person, at))
    return row


def _refuse_unmet(found: Findings, at: datetime) -> None:
    """Refuse by the first condition of domain 3.8 that doesn't hold."""
    if found.level != Level.CRITICAL:
        raise RuleBroken("The level is not critical.", "not_critical")
    if found.alert_open:
        raise RuleBroken("An alert of this person is open. It is ended first.", "alert_open")
    if found.floors:
        rules = ", ".join(found.floors)
        raise RuleBroken(
            f"What was found still says critical ({rules}) until its alert is resolved.", "still_critical"
        )
    if not found.is_quiet(at):
        raise RuleBroken("The last words of intent are less than two hours old.", "cue_too_new")
    if not found.plan_complete:
        raise RuleBroken("The safety plan is not complete.", "plan_incomplete")
    if found.next_at is None:
        raise RuleBroken("No follow-up and no appointment is booked.", "no_follow_up")


@action
def decide_step_down(
    *, actor: Actor, step_down_id: UUID, agree: bool, note: str, at: datetime | None = None
) -> StepDown:
    """Decide as the second reader: agreeing looks at every condition again and lowers the level to high.

    NotFound for whoever the person isn't open to, `same_person` for who asked, `already_decided` afterwards,
    also for a reader who was asked and to whom the person was open by this question alone.
    """
    lock_person(queries.person_of(step_down_id))
    at = clock(at)
    row = queries.locked(step_down_id)
    if was_told(actor.person.pk, ASKED, row.pk):
        _refuse_decided(row)
    if queries.relation_to(actor, row, at) == BREAK_GLASS:
        raise RuleBroken(READ_ONLY, "read_only")
    _refuse_decided(row)
    if row.asked_by_id == actor.id:
        raise RuleBroken("Somebody else has to read this: you asked for it.", "same_person")
    if not note.strip():
        raise InputRefused("Write a sentence about what you saw.", "required", field="note")
    if agree:
        _lower(actor, row, at)
    _close(actor, row, at, agree=agree, note=note.strip())
    record(actor, "step_down.decided", row, subject=row.patient_id, codes={"agreed": agree})
    _tell(actor, row, DECIDED, [row.asked_by_id])
    return row


def _lower(actor: Actor, row: StepDown, at: datetime) -> None:
    person: Patient = row.patient
    _refuse_unmet(queries.findings(person, rows_of(person), at), at)
    level = decisions.step_down(actor=actor, patient_id=person.pk, source_id=row.pk, at=at)
    if level != Level.HIGH:
        raise RuleBroken(f"The level stays {level}: what was found says so.", "still_critical")


@action
def withdraw_step_down(*, actor: Actor, step_down_id: UUID, at: datetime | None = None) -> StepDown:
    """Take one's own question back before anybody decides; NotFound for anybody else's."""
    lock_person(queries.person_of(step_down_id))
    at = clock(at)
    row = queries.locked(step_down_id)
    queries.treated_person(actor, row.patient_id, at)
    if row.asked_by_id != actor.id:
        raise NotFound(GONE, "not_found")
    _refuse_decided(row)
    _close(actor, row, at, agree=False)
    record(actor, "step_down.withdrawn", row, subject=row.patient_id)
    return row


def _refuse_decided(row: StepDown) -> None:
    if not row.is_waiting:
        raise RuleBroken("This has been decided, or taken back.", "already_decided")


def _close(actor: Actor, row: StepDown, at: datetime, *, agree: bool, note: str = "") -> None:
    """Write the end of a question, and put away what readers were told of it; a note says who decided."""
    row.decided_at, row.agreed = at, agree
    if note:
        row.decided_by = actor.person
    with opening(actor, purpose="review") as context:
        if note:
            context.load_keys([row.patient_id], create=True)
            row.decision_note = note
        row.save(update_fields=["decided_by", "decided_at", "agreed", "decision_note", "updated_at"])
    readers = queries.readers_of(row.patient, at)
    overtake(actor=actor, user_ids=readers, code=ASKED, object_ids=[row.pk], at=at)


def _tell(actor: Actor, row: StepDown, code: str, people: Iterable[UUID]) -> None:
    notify(
        actor=actor, organization_id=row.organization_id, user_ids=people, code=code,
        object_type="crisis.StepDown", object_id=row.pk, codes={"patient": str(row.patient_id)},
    )  # fmt: skip
