"""Writes of a therapy session that is run here: start, log, take a slip back, assess the risk, end."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from clinical.plans.interventions.actions import count_logged
from clinical.scheduling.actions import note_held, propose_line
from clinical.scheduling.queries import appointment_of
from clinical.sessions import queries
from clinical.sessions.coding import (
    ASKED_CODES,
    GRAVE,
    INTERACTION,
    INTERVENTION,
    INTERVENTIONS,
    RISK,
    SAME,
    STATUSES,
)
from clinical.sessions.labels import reach
from clinical.sessions.leaving.queries import is_left, last_entry_at
from clinical.sessions.models import SessionRun
from cortex.access.context import opening
from cortex.audit import Actor, InputRefused, RuleBroken, action, record
from cortex.clock import clock
from cortex.ui.zone import zone_of
from crisis.alerts.models import RiskAlert
from crisis.decisions.actions import state_level
from crisis.reviews.actions import note_reached
from crisis.risk.evidence import Origin, from_factor
from crisis.risk.protected import without_protected
from crisis.risk.queries import latest_assessment
from crisis.risk.reasons import grounds
from crisis.risk.types import Level
from patients.codes import Channel, HeldRecords, SessionKind, SessionStatus
from patients.holds.queries import refuse_held
from patients.registry import access
from patients.registry.models import Patient
from patients.registry.queries import locked as lock_patients
from patients.registry.queries import person_ids, rows_of
from patients.sessions.models import Session, SessionActivity

# [P] a slip of the hand is taken back within this span; what stood longer is the record.
UNDO_WITHIN = timedelta(minutes=10)
LONGEST_ENTRY = 4000
ENDINGS = (SessionStatus.COMPLETED, SessionStatus.ABANDONED)


@action
def start_session(
    *,
    actor: Actor,
    patient_id: UUID,
    channel: str,
    session_id: UUID | None = None,
    beside: bool = False,
    at: datetime | None = None,
) -> Session:
    """Start a therapy session, or one that was scheduled; its clinician is whoever starts it.

    RuleBroken when one is under way with this person already: two at once would share their minutes. So is
    one that the actor runs with somebody else (`own_session_runs`), unless they start this one `beside` it.
    """
    if channel not in Channel.values:
        raise InputRefused("Say where the session takes place.", "channel_unknown", field="channel")
    patient_ids = person_ids([patient_id])
    lock_patients({patient_id, *patient_ids.values()})
    at = clock(at)
    who = access.treated(actor, patient_id, at)
    _refuse_second(who)
    own = _own_open(actor, at)
    if own and not beside:
        raise RuleBroken(
            "You run another session. End it first, or start this one beside it.", "own_session_runs"
        )
    if session_id is None:
        session = Session.objects.create(
            organization_id=who.organization_id, patient=who, kind=SessionKind.THERAPY, channel=channel,
            status=SessionStatus.IN_PROGRESS, started_at=at, received_at=at, is_shared=True,
        )  # fmt: skip
    else:
        session = queries.locked_scheduled(rows_of(who), session_id, reach(actor, who, at))
        session.channel, session.status, session.started_at = channel, SessionStatus.IN_PROGRESS, at
        session.save(update_fields=["channel", "status", "started_at", "updated_at"])
    SessionRun.objects.create(
        organization_id=session.organization_id, session=session, patient_id=session.patient_id,
        clinician=actor.person, begun_at=at,
    )  # fmt: skip
    note_reached(actor=actor, patient=who, at=at)
    codes = {"channel": channel} | ({"beside": len(own)} if own else {})
    record(actor, "session.started", session, subject=session.patient_id, codes=codes)
    return session


def _own_open(actor: Actor, at: datetime) -> list[SessionRun]:
    """Return what the actor runs and can still end: not what was left with somebody whose chart is shut."""
    runs = queries.runs_of(actor.person.pk)
    if not runs:
        return []
    open_to = access.patients_related(actor.person, [one.patient_id for one in runs], at, access.CHART)
    return [one for one in runs if one.patient_id in open_to]


def _refuse_second(who: Patient) -> None:
    other = queries.run_of_person(who.person_id)
    if other is not None:
        begun = other.begun_at.astimezone(zone_of(who.organization.default_timezone))
        raise RuleBroken(
            f"A session with this person is under way since {begun:%H:%M %Z}, run by "
            f"{other.clinician.full_name}. End it first.",
            "session_under_way",
        )


@action
def log_entry(
    *, actor: Actor, patient_id: UUID, session_id: UUID, kind: str, code: str = "", text: str = "",
    at: datetime | None = None,
) -> SessionActivity:  # fmt: skip
    """Log an interaction or a coded intervention as it happens; its words are sealed."""
    words = text.replace("\x00", "").strip()
    if kind == INTERVENTION and code not in INTERVENTIONS:
        raise InputRefused("Choose the intervention.", "intervention_unknown", field="code")
    if kind not in (INTERACTION, INTERVENTION):
        raise InputRefused("Say what kind of entry this is.", "entry_unknown", field="kind")
    if kind == INTERACTION and not words:
        raise InputRefused("Write what happened.", "required", field="text")
    if len(words) > LONGEST_ENTRY:
        raise InputRefused(f"Keep an entry within {LONGEST_ENTRY} characters.", "too_long", field="text")
    at = clock(at)
    run = _running(actor, patient_id, session_id, at)
    entry = _write(actor, run, kind, {"code": code, "text": words} if code else {"text": words}, at)
    record(actor, "session.entry_logged", entry, subject=run.patient_id, codes={"kind": kind, "code": code})
    return entry


@action
def take_back_entry(
    *, actor: Actor, patient_id: UUID, session_id: UUID, entry_id: UUID, at: datetime | None = None
) -> UUID:
    """Take a slip back: the entry goes, and the trail keeps that there was one.

    RuleBroken after ten minutes, when the session is over, and for a risk assessment: a level stands on it.
    """
    at = clock(at)
    run = _running(actor, patient_id, session_id, at)
    entry = queries.locked_entry(run.session_id, entry_id)
    if entry.activity_type == RISK:
        raise RuleBroken("A level stands on a risk assessment. Make another one instead.", "level_stands")
    if at - entry.received_at > UNDO_WITHIN:
        raise RuleBroken("This was logged more than ten minutes ago. Log a correction.", "too_late")
    refuse_held(run.patient_id, HeldRecords.SESSIONS, entry.received_at)
    record(actor, "session.entry_taken_back", entry, subject=run.patient_id)
    entry.delete()
    return entry_id


@action
def assess_risk(
    *, actor: Actor, patient_id: UUID, session_id: UUID, level: str, note: str = "",
    factors: Mapping[str, str], at: datetime | None = None,
) -> tuple[str, list[RiskAlert]]:  # fmt: skip
    """Set the level with a short structured assessment (H4), and let the engine decide at once.

    `factors` are {code: present, absent or unknown}; what wasn't asked leaves no evidence. The reason stays
    sealed in the session's log and feeds no engine; one is due where intent, a plan, preparation or a recent
    attempt is noted and the level stays below high. The log keeps what was set beside what stands, and why.
    Return the level afterwards and the alerts it raised.
    """
    strange = set(factors) - ASKED_CODES.keys() | set(factors.values()) - {value for value, _ in STATUSES}
    if strange:
        raise InputRefused("This is not one of the questions.", "factor_unknown", field="factors")
    if level != SAME:
        _ask_reason(level, factors, note)
    person_id = person_ids([patient_id]).get(patient_id, patient_id)
    lock_patients({patient_id, person_id})
    at = clock(at)
    run = _running(actor, patient_id, session_id, at)
    origin = Origin("clinician", at, source_id=run.session_id, session_id=run.session_id)
    drafts = [from_factor(code, origin, status) for code, status in factors.items() if status != "unknown"]
    after, alerts = state_level(
        actor=actor, patient_id=run.patient_id, level=level, note=note, drafts=drafts,
        source_id=run.session_id, session_id=run.session_id, at=at,
    )  # fmt: skip
    if level == SAME:
        _ask_reason(after, factors, note)
    said = {
        "level": level, "after": after, "why": _grounds_of(person_id), "factors": dict(factors),
        "text": note.strip(),
    }  # fmt: skip
    entry = _write(actor, run, RISK, said, at)
    record(actor, "session.risk_assessed", entry, subject=run.patient_id, codes={"level": level})
    return after, alerts


def _ask_reason(level: str, factors: Mapping[str, str], note: str) -> None:
    """Refuse a level below high without a word beside what is about to become, or lately was, an act."""
    noted = [ASKED_CODES[code].lower() for code in GRAVE if factors.get(code) == "present"]
    if not noted or note.strip() or level not in set(Level) or Level(level).raises_alert:
        return
    raise InputRefused(
        f"Say why it is {level} with what you noted ({', '.join(noted)}). The next reader relies on it.",
        "required", field="note",
    )  # fmt: skip


def _grounds_of(person_id: UUID) -> list[str]:
    """Return codes of what the level on record rests on; of substance use that it is protected alone."""
    one = latest_assessment(person_id)
    if one is None:
        return []
    return grounds(one.level_source, one.level, one.rules_fired, without_protected(one.factors))


@action
def end_session(
    *, actor: Actor, patient_id: UUID, session_id: UUID, status: str = SessionStatus.COMPLETED,
    ended_at: datetime | None = None, at: datetime | None = None,
) -> Session:  # fmt: skip
    """End a session: its appointment took place, and its billing line is proposed from kind and minutes.

    `ended_at` is when it was over, where nobody ended it then: not before its last entry, and not to come.
    What was logged of the open plan's interventions is counted there, each once. One that its clinician left
    (`leaving.queries.is_left`) is ended by anybody of the team, when something last stood in it: without an
    hour, a line or a count, since whoever ends it wasn't there.
    """
    if status not in ENDINGS:
        raise InputRefused("Say how the session ended.", "ending_unknown", field="status")
    # The person before the run, as in an assessment: the plan that is counted up is theirs.
    person_id = person_ids([patient_id]).get(patient_id, patient_id)
    lock_patients({patient_id, person_id})
    at = clock(at)
    run = _to_end(actor, patient_id, session_id, at)
    is_own = run.clinician_id == actor.person.pk
    session, end = run.session, _end(run, ended_at, at, is_own=is_own)
    session.status, session.ended_at = status, end
    session.duration_seconds = max(int((end - session.started_at).total_seconds()), 0)
    session.save(update_fields=["status", "ended_at", "duration_seconds", "updated_at"])
    run.ended_at = end
    run.save(update_fields=["ended_at", "updated_at"])
    codes = {"status": status} | ({} if is_own else {"left_by": str(run.clinician_id)})
    record(actor, "session.ended", session, subject=session.patient_id, codes=codes)
    if status == SessionStatus.COMPLETED and is_own:
        appointment = appointment_of(session.pk)
        if appointment is not None:
            note_held(actor=actor, appointment_id=appointment.pk, session_id=session.pk, at=at)
        kind = appointment.kind if appointment is not None else ""
        propose_line(actor=actor, session_id=session.pk, kind=kind, at=at)
        logged = _logged(actor, session)
        if logged:
            count_logged(actor=actor, patient_id=patient_id, session_id=session.pk, codes=logged, at=at)
    return session


def _end(run: SessionRun, ended_at: datetime | None, at: datetime, *, is_own: bool) -> datetime:
    """Return when a session was over; InputRefused for a time that its log or the clock contradicts."""
    if ended_at is None:
        return at if is_own else last_entry_at(run, at)
    last = last_entry_at(run, at)
    # Whole minutes are typed: the minute of the last entry is not before it.
    if ended_at < last.replace(second=0, microsecond=0):
        raise InputRefused("Something was logged after that, or it began later.", "too_early",
                           field="ended_at")  # fmt: skip
    if ended_at > at:
        raise InputRefused("This is still to come.", "in_future", field="ended_at")
    return max(ended_at, last)


def _logged(actor: Actor, session: Session) -> set[str]:
    """Return the codes of the interventions that stand in a session's log; they are sealed with its words."""
    rows = [one for one in queries.entries_of(session) if one.activity_type == INTERVENTION]
    if not rows:
        return set()
    with opening(actor, purpose="treatment") as context:
        context.open(rows, ["activity_data"])
        return {str((one.activity_data or {}).get("code", "")) for one in rows}


def _running(actor: Actor, patient_id: UUID, session_id: UUID, at: datetime) -> SessionRun:
    """Lock and return the run of a session that the actor leads and that is still open."""
    run = _open(access.treated(actor, patient_id, at), session_id)
    if run.clinician_id != actor.person.pk:
        raise RuleBroken(f"{run.clinician.full_name} runs this session.", "not_your_session")
    return run


def _to_end(actor: Actor, patient_id: UUID, session_id: UUID, at: datetime) -> SessionRun:
    """Lock and return an open run that the actor leads, or that was left to the team."""
    run = _open(access.treated(actor, patient_id, at), session_id)
    if run.clinician_id != actor.person.pk:
        if not is_left(run, at):
            raise RuleBroken(f"{run.clinician.full_name} runs this session.", "not_your_session")
        access.of_the_team(actor, patient_id, at)
    return run


def _open(who: Patient, session_id: UUID) -> SessionRun:
    run = queries.locked_run(rows_of(who), session_id)
    if run.ended_at is not None:
        raise RuleBroken("This session has ended.", "session_over")
    return run


def _write(actor: Actor, run: SessionRun, kind: str, data: dict[str, Any], at: datetime) -> SessionActivity:
    with opening(actor, purpose="treatment") as context:
        context.load_keys([run.patient_id], create=True)
        return SessionActivity.objects.create(
            organization_id=run.organization_id, patient_id=run.patient_id, session_id=run.session_id,
            activity_type=kind, activity_data=data, started_at=at, completed_at=at, received_at=at,
        )  # fmt: skip
