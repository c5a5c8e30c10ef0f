"""What happens when a due row fires, when an owner leaves or returns; one transaction each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from cortex.accounts.models import User
from cortex.audit import Actor, Unchanged, action, record
from cortex.clock import clock
from crisis.alerts import moves
from crisis.alerts import queries as alert_queries
from crisis.alerts.actions import fire_next, raise_alert, report_no_cover
from crisis.alerts.models import AlertEvent, Kind, Level, RiskAlert, Source
from crisis.alerts.states import WAITING, Move, Status
from crisis.alerts.timeline import append_event
from crisis.decisions.actions import apply_decisions
from crisis.duty import queries as duty_queries
from crisis.duty.actions import note_told
from crisis.duty.models import DutyShift
from crisis.escalation import actions as escalation
from crisis.escalation import queries as escalation_queries
from crisis.escalation.firing import unconfirmed
from crisis.escalation.models import UNFENCED, AlertStep, StepKind
from crisis.escalation.plan import Due
from crisis.ownership.actions import release_alert
from crisis.reviews import actions as reviews
from crisis.reviews import queries as review_queries
from crisis.risk import queries as risk_queries
from crisis.risk.actions import take_due
from crisis.sweep import queries
from patients.registry.queries import locked as lock_patients

RETRY_STEP = timedelta(seconds=10)
RETRY_EVALUATION = timedelta(seconds=30)
LONGEST_RETRY = timedelta(hours=1)
BY_THE_CLOCK = "Released by the clock: nothing was logged."
BY_ABSENCE = "Released: its owner stayed away."


@action
def run_step(*, actor: Actor, step_id: UUID, at: datetime | None = None) -> AlertStep | None:
    """Run one due row, or finish it as stale when its alert has moved on."""
    step = queries.locked_due_step(step_id, at)
    if step is None:
        return Unchanged(None)  # type: ignore[return-value]
    alert = alert_queries.locked_alert(step.alert_id)
    at = clock(at)
    if step.kind not in UNFENCED and step.epoch != alert.epoch:
        escalation.finish_step(actor=actor, step=step, outcome="stale", at=at)
        return Unchanged(step)  # type: ignore[return-value]
    outcome = HANDLERS[StepKind(step.kind)](actor, alert, step, at)
    if step.done_at is None:
        escalation.finish_step(actor=actor, step=step, outcome=outcome, at=at)
    record(actor, "step.run", alert, codes={"kind": step.kind, "outcome": outcome, "position": step.position})
    return step


@action
def report_failed_step(*, actor: Actor, step_id: UUID, error_code: str, at: datetime | None = None) -> int:
    """Put a step that raised an error off for ten seconds; show it and tell somebody, once."""
    step = queries.locked_step(step_id)
    if step is None:
        return Unchanged(0)  # type: ignore[return-value]
    alert = alert_queries.locked_alert(step.alert_id)
    at = clock(at)
    tries = escalation.postpone_step(actor=actor, step=step, until=at + RETRY_STEP, error_code=error_code)
    if "reported" not in step.codes and alert.is_open:
        step.codes = step.codes | {"reported": True}
        step.save(update_fields=["codes", "updated_at"])
        alert.has_unconfirmed_step = True
        alert.save(update_fields=["has_unconfirmed_step", "updated_at"])
        event = append_event(actor, alert, "step_failed", at, codes={"kind": step.kind})
        _tell_somebody(actor, alert, event, at)
    record(actor, "step.failed", alert, codes={"kind": step.kind, "error": error_code[:48], "tries": tries})
    return tries


@action
def put_step_off(
    *, actor: Actor, step_id: UUID, error_code: str, busy: bool, at: datetime | None = None
) -> int:
    """Put a step off whose failure could not be reported; it takes no other lock and tells nobody.

    `busy` means that somebody else holds the person's lock: every due step of that alert would wait for it.
    """
    step = queries.locked_step(step_id)
    if step is None:
        return Unchanged(0)  # type: ignore[return-value]
    at = clock(at)
    until = at + RETRY_STEP
    tries = escalation.postpone_step(actor=actor, step=step, until=until, error_code=error_code)
    if busy:
        for other in queries.locked_due_steps(step.alert_id, at):
            escalation.postpone_step(actor=actor, step=other, until=until, error_code=error_code)
    record(actor, "step.put_off", step, codes={"kind": step.kind, "error": error_code[:48], "tries": tries})
    return tries


def _tell_somebody(
    actor: Actor,
    alert: RiskAlert,
    event: AlertEvent,
    at: datetime,
    step: AlertStep | None = None,
    order: tuple[str, ...] = ("supervisor", "on_call", "lead"),
) -> int:
    """Tell the first of these that is there; return how many people that was."""
    for who in order:
        reached = escalation.tell(actor=actor, alert=alert, who=who, event=event, step=step, at=at)
        if reached:
            return reached
    return 0


def _chain(actor: Actor, alert: RiskAlert, step: AlertStep, at: datetime) -> str:
    outcome = escalation.advance_chain(actor=actor, alert=alert, step=step, at=at)
    if outcome == "no_cover" and alert.kind != Kind.NO_COVER:
        report_no_cover(actor=actor, organization_id=alert.organization_id, at=at)
    return outcome


def _confirm(actor: Actor, alert: RiskAlert, step: AlertStep, at: datetime) -> str:
    if escalation_queries.is_confirmed(UUID(step.codes["step"])):
        return "confirmed"
    unconfirmed(actor, alert, step, at)
    alert.save(update_fields=["has_unconfirmed_step", "updated_at"])
    if alert.chain_position < len(alert.policy["chain"]):
        fire_next(actor=actor, alert=alert, at=at)
    return "unconfirmed"


def _warn(actor: Actor, alert: RiskAlert, step: AlertStep, at: datetime) -> str:
    event = append_event(actor, alert, "claim_warned", at)
    told = escalation.tell_person(actor=actor, alert=alert, user=alert.assigned_to, event=event, at=at)
    return "warned" if told else "nobody_to_tell"


def _release(actor: Actor, alert: RiskAlert, step: AlertStep, at: datetime) -> str:
    release_alert(actor=actor, alert_id=alert.pk, reason=BY_THE_CLOCK, code="inactive", at=at)
    return "released"


def _tell_supervisor(kind: str) -> Callable[[Actor, RiskAlert, AlertStep, datetime], str]:
    def handle(actor: Actor, alert: RiskAlert, step: AlertStep, at: datetime) -> str:
        event = append_event(actor, alert, kind, at)
        reached = _tell_somebody(actor, alert, event, at, step)
        if kind == "check_in_asked":
            again = at + timedelta(seconds=alert.policy["check_in_seconds"])
            escalation.insert_timers(actor=actor, alert=alert, timers=[Due(StepKind.CHECK_IN, again)])
        return "told" if reached else "nobody_to_tell"

    return handle


def _owner_gone(actor: Actor, alert: RiskAlert, step: AlertStep, at: datetime) -> str:
    """Before contact the claim goes back; in contact the owner stays and the chain runs beside them."""
    if alert.owner_gone_at is None:
        return "owner_back"
    if alert.status == Status.ACKNOWLEDGED:
        release_alert(actor=actor, alert_id=alert.pk, reason=BY_ABSENCE, code="owner_gone", at=at)
        return "released"
    alert.chain_beside = True
    alert.save(update_fields=["chain_beside", "updated_at"])
    append_event(actor, alert, "chain_beside", at)
    fire_next(actor=actor, alert=alert, at=at)
    return "chain_beside"


def _review_overdue(actor: Actor, alert: RiskAlert, step: AlertStep, at: datetime) -> str:
    """Nobody read it in time: the level stays up and the clinician on call is paged."""
    review = review_queries.pending_of(alert.pk)
    # A timer of an earlier question, since answered, does not speak for the one that waits now.
    if review is None or review.due_at > at or not alert.is_open:
        return "decided"
    event = append_event(actor, alert, "review_overdue", at)
    reached = _tell_somebody(actor, alert, event, at, step, order=("on_call", "reviewer", "lead"))
    escalation.insert_timers(
        actor=actor, alert=alert, timers=[Due(StepKind.REVIEW_OVERDUE, at + timedelta(minutes=30))]
    )
    return "told" if reached else "nobody_to_tell"


def _still_high(actor: Actor, alert: RiskAlert, step: AlertStep, at: datetime) -> str:
    """A level that stands a day after the end, on old evidence alone, is one task for the owner."""
    # Reopened, or ended again later: that end has a timer of its own.
    if alert.resolved_at is None or at - alert.resolved_at < reviews.LOOK_AGAIN:
        return "settled"
    if alert.patient is None or queries.current_level(alert.patient.person_id) not in ("high", "critical"):
        return "settled"
    reviews.make_item(
        actor=actor,
        organization_id=alert.organization_id,
        patient=alert.patient,
        owner_id=alert.assigned_to_id,
        reason_code="level_stands_after_end",
        source_type="alert",
        source_id=alert.pk,
        at=at,
    )
    return "review_item"


HANDLERS: dict[StepKind, Callable[[Actor, RiskAlert, AlertStep, datetime], str]] = {
    StepKind.CHAIN: _chain,
    StepKind.CONFIRM: _confirm,
    StepKind.WARN_CLAIM: _warn,
    StepKind.RELEASE_CLAIM: _release,
    StepKind.CONTACT_OVERDUE: _tell_supervisor("contact_overdue"),
    StepKind.CHECK_IN: _tell_supervisor("check_in_asked"),
    StepKind.DISPOSITION_OVERDUE: _tell_supervisor("disposition_overdue"),
    StepKind.OWNER_GONE: _owner_gone,
    StepKind.REVIEW_OVERDUE: _review_overdue,
    StepKind.STILL_HIGH: _still_high,
}


@action
def run_evaluation(*, actor: Actor, due_id: UUID, at: datetime | None = None) -> int:
    """Do one evaluation that is due and let the desk decide; return how many people were evaluated."""
    evaluations = take_due(actor=actor, due_id=due_id, at=at)
    if not evaluations:
        return Unchanged(0)  # type: ignore[return-value]
    joined = apply_decisions(actor=actor, evaluations=evaluations, at=at)
    record(actor, "evaluation.run", None, codes={"people": len(evaluations), "alerts": len(joined)})
    return len(evaluations)


@action
def put_evaluation_off(
    *, actor: Actor, due_id: UUID, error_code: str, busy: bool = False, at: datetime | None = None
) -> int:
    """Put an evaluation off, for twice as long each time that it fails, up to an hour; return how often.

    `busy` means that it did not fail: somebody else held the person's lock, and it is tried again soon.
    """
    due = risk_queries.locked_due(due_id)
    if due is None:
        return Unchanged(0)  # type: ignore[return-value]
    at = clock(at)
    pause = RETRY_EVALUATION
    if not busy:
        pause = min(RETRY_EVALUATION * 2 ** min(due.attempts, 10), LONGEST_RETRY)
        due.attempts += 1
    due.due_at = at + pause
    due.save(update_fields=["attempts", "due_at", "updated_at"])
    record(actor, "evaluation.put_off", due, codes={"error": error_code[:48], "tries": due.attempts})
    return due.attempts


@action
def report_failed_evaluation(
    *, actor: Actor, due_id: UUID, error_code: str, at: datetime | None = None
) -> int:
    """Put an evaluation that failed off, and raise `could_not_screen` for its person, once."""
    due = risk_queries.locked_due(due_id)
    if due is None:
        return Unchanged(0)  # type: ignore[return-value]
    lock_patients([due.patient_id])
    at = clock(at)
    tries = put_evaluation_off(actor=actor, due_id=due_id, error_code=error_code, at=at)
    if not queries.was_reported(due.patient_id, due.created_at):
        raise_alert(
            actor=actor,
            organization_id=due.organization_id,
            patient_id=due.patient_id,
            kind=Kind.COULD_NOT_SCREEN,
            level=Level.HIGH,
            reason_code=Kind.COULD_NOT_SCREEN,
            source=Source.SYSTEM,
            at=at,
        )
    record(actor, "evaluation.failed", due, codes={"error": error_code[:48], "tries": tries})
    return tries


@action
def call_uncovered(*, actor: Actor, alert_id: UUID, at: datetime | None = None) -> RiskAlert:
    """Fire the chain's last step now for an alert whose desk was left: it must not wait for its next time."""
    alert = alert_queries.locked_alert(alert_id)
    at = clock(at)
    ended = alert.chain_position >= len(alert.policy["chain"])
    if alert.status not in WAITING or ended or duty_queries.has_cover(alert.organization_id):
        return Unchanged(alert)  # type: ignore[return-value]
    record(actor, "cover.lost", alert)
    return fire_next(actor=actor, alert=alert, at=at)


@action
def end_no_cover(*, actor: Actor, alert_id: UUID, at: datetime | None = None) -> RiskAlert:
    """End an incident that nobody took up when somebody is on shift again; an owner ends theirs by hand."""
    alert = alert_queries.locked_alert(alert_id)
    at = clock(at)
    back = alert.kind == Kind.NO_COVER and duty_queries.has_cover(alert.organization_id)
    if alert.status not in WAITING or not back:
        return Unchanged(alert)  # type: ignore[return-value]
    alert.status = moves.next_state(actor, alert, Move.COVER_BACK)
    alert.resolved_at = at
    return moves.apply(
        actor,
        alert,
        event="cover_back",
        verb="cover.restored",
        at=at,
        fields=["status", "resolved_at"],
        entry=False,
    )


@action
def note_owner_gone(*, actor: Actor, alert_id: UUID, at: datetime | None = None) -> RiskAlert:
    """Tell the supervisor at once that an owner left with this alert open; from now their absence counts."""
    alert = alert_queries.locked_alert(alert_id)
    at = clock(at)
    if not alert.is_owned or alert.owner_gone_at is not None:
        return Unchanged(alert)  # type: ignore[return-value]
    alert.owner_gone_at = at
    moves.apply(
        actor,
        alert,
        event="owner_gone",
        verb="alert.owner_gone",
        at=at,
        fields=["owner_gone_at"],
        entry=False,
    )
    event = append_event(actor, alert, "supervisor_told", at)
    _tell_somebody(actor, alert, event, at)
    return alert


@action
def note_owner_back(*, actor: Actor, alert_id: UUID, at: datetime | None = None) -> RiskAlert:
    """Stop the chain beside an owner who is back."""
    alert = alert_queries.locked_alert(alert_id)
    at = clock(at)
    if not alert.is_owned or alert.owner_gone_at is None:
        return Unchanged(alert)  # type: ignore[return-value]
    alert.owner_gone_at = None
    alert.chain_beside = False
    return moves.apply(
        actor,
        alert,
        event="owner_back",
        verb="alert.owner_back",
        at=at,
        fields=["owner_gone_at", "chain_beside"],
    )


@action
def note_unplanned_start(*, actor: Actor, shift_id: UUID, at: datetime | None = None) -> DutyShift | None:
    """Tell the supervisors that somebody started a shift that nobody had planned."""
    shift = duty_queries.locked_shift(shift_id)
    at = clock(at)
    if shift is None or shift.is_planned or shift.start_told_at is not None:
        return Unchanged(shift)  # type: ignore[return-value]
    people = duty_queries.people_for("supervisor", shift.organization_id, besides=shift.user_id)
    return _tell_of_shift(actor, shift, people, "start_told_at", "shift.unplanned", at)


@action
def note_overrun_break(*, actor: Actor, shift_id: UUID, at: datetime | None = None) -> DutyShift | None:
    """Tell somebody whose break is over, and their supervisors: the desk goes on without them meanwhile."""
    shift = duty_queries.locked_shift(shift_id)
    at = clock(at)
    if shift is None or shift.break_told_at is not None or not shift.is_break_over(at):
        return Unchanged(shift)  # type: ignore[return-value]
    others = duty_queries.people_for("supervisor", shift.organization_id, besides=shift.user_id)
    return _tell_of_shift(actor, shift, [shift.user, *others], "break_told_at", "shift.break_overrun", at)


def _tell_of_shift(
    actor: Actor, shift: DutyShift, people: list[User], field: str, verb: str, at: datetime
) -> DutyShift:
    escalation.tell_desk(actor=actor, people=people, about=shift, at=at)
    note_told(actor=actor, shift=shift, field=field, at=at)
    record(actor, verb, shift, codes={"told": len(people)})
    return shift
