"""Writes of ways in and out that need every floor: refer, discharge, transfer, move a caseload."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from clinical.notes.reminders.actions import give_up_papers
from clinical.pathway import queries
from clinical.plans.endings.actions import ALLOWED, end_plan
from clinical.plans.queries import open_plan
from clinical.record.queries import has_open_alert, person_cared_for
from clinical.scheduling.handover.actions import Handed, call_off_coming, hand_over_appointments
from clinical.sessions.leaving.actions import break_off_left
from clinical.sessions.queries import run_of_person
from cortex.accounts.choices import Role
from cortex.audit import Actor, InputRefused, NotFound, RuleBroken, Unchanged, action, record
from cortex.clock import clock
from cortex.ops.notices.actions import notify
from crisis.alerts.access import QUESTIONS
from crisis.reviews.actions import hand_over
from crisis.safetyplans.actions import ask_at_discharge
from patients.codes import EndingReason
from patients.pathway.actions import EndingData, ReferralData, end_care, make_referral, transfer_care
from patients.pathway.models import CareEnding, Referral
from patients.registry import access
from patients.registry.actions import register_patient
from patients.registry.models import Patient
from patients.registry.predicate import VIEW
from patients.registry.queries import rows_of
from patients.registry.records import RegisterPatient

MOVERS = frozenset({Role.SUPERVISOR, Role.ADMIN})
UNSIGNED = "Say that you know of the unsigned notes: nobody reads or signs them afterwards."


@action
def refer(
    *,
    actor: Actor,
    data: ReferralData,
    pseudonym: str = "",
    newcomer: RegisterPatient | None = None,
    at: datetime | None = None,
) -> Referral:
    """Refer a person on record by their pseudonym, or put a newcomer on record and refer them.

    Whoever is no supervisor refers those whom they see alone, and never to themself: seeing somebody for a
    while is no way onto their team. For anybody else's pseudonym the answer is that of nobody's, also when a
    question to a second reader opens what it asks about. Raises InputRefused with the field, RuleBroken
    `read_only` by break-glass, and as `register_patient` and `make_referral` do.
    """
    at = clock(at)
    if newcomer is not None:
        house = actor.person.organization_id
        if house is None:
            raise NotFound("There is no such organization.", "organization_unknown")
        patient = register_patient(actor=actor, organization_id=house, data=newcomer, at=at)
    else:
        found = queries.by_pseudonym(actor.person, pseudonym)
        if found is None or not _may_refer(actor, found, at):
            raise InputRefused("Nobody open to you has this pseudonym.", "patient_unknown", field="pseudonym")
        if data.asked_id == actor.id:
            raise InputRefused(
                "They are on record already: let the supervisors say who answers.",
                "own_referral",
                field="asked",
            )
        patient = found
    return Unchanged(make_referral(actor=actor, patient=patient, data=data, at=at))  # type: ignore[return-value]


def _may_refer(actor: Actor, found: Patient, at: datetime) -> bool:
    if actor.role == Role.SUPERVISOR:
        return True
    name = access.relationship_of(actor.person, found.pk, at, VIEW)
    if name == access.BREAK_GLASS:
        raise RuleBroken(access.READ_ONLY, "read_only")
    return name is not None and name not in QUESTIONS


@action
def discharge(
    *, actor: Actor, patient_id: UUID, data: EndingData, call_off: bool = True, at: datetime | None = None
) -> CareEnding:
    """End the care of a person whom the actor treats; what is owed to them goes to the desk.

    With `call_off` whatever they have to come with anybody is called off. Their treatment plan ends, too:
    nobody could review or end it afterwards. Raises RuleBroken `alert_open` while an alert waits or is worked
    on, `session_open` while a session is under way, InputRefused `unsigned_notes` where access would end at
    once with notes that nobody signed.
    """
    at = clock(at)
    patient = person_cared_for(actor, patient_id, at)
    ids = rows_of(patient)
    if has_open_alert(ids):
        raise RuleBroken("An alert of this person is open. End it, or hand it over first.", "alert_open")
    _refuse_unsigned(queries.unsigned_about(ids, actor.person.pk, everybody=True), data)
    _end_plan(actor, patient, ids, data, at)
    one = end_care(actor=actor, patient=patient, data=data, at=at)
    # The person is locked by now: nobody starts one beside this.
    _refuse_run(patient)
    hand_over(actor=actor, patient_ids=ids, from_id=None, to_id=None)
    if call_off:
        call_off_coming(actor=actor, patient_ids=ids, at=at)
    # Whoever still gets in may do it; else somebody at the desk sees that it was left out.
    ask_at_discharge(actor=actor, patient=patient, owner_id=actor.id if data.days else None, at=at)
    return Unchanged(one)  # type: ignore[return-value]


@action
def transfer(
    *, actor: Actor, patient_id: UUID, to_id: UUID, data: EndingData, at: datetime | None = None
) -> CareEnding:
    """Hand a person over to a colleague: places, tasks, promised contacts and hours of the actor move.

    An hour in which the colleague has something else is called off instead, for them to book anew.
    Raises InputRefused with the field, `summary` without a closing summary, `unsigned_notes` where the
    actor's own access would end at once with notes that they did not sign, RuleBroken `session_open` while
    they run a session with the person.
    """
    at = clock(at)
    patient = person_cared_for(actor, patient_id, at)
    me = actor.person.pk
    ids = rows_of(patient)
    _refuse_unsigned(queries.unsigned_about(ids, me), data)
    one = transfer_care(actor=actor, patient=patient, from_id=me, to_id=to_id, data=data, at=at)
    _refuse_run(patient, of=me)
    hand_over(actor=actor, patient_ids=ids, from_id=me, to_id=to_id)
    hand_over_appointments(actor=actor, patient_ids=ids, from_id=me, to_id=to_id, at=at)
    notify(
        actor=actor, organization_id=patient.organization_id, user_ids=[to_id], code="transfer",
        object_type="patients.Patient", object_id=patient.pk, codes={"from": str(me)},
    )  # fmt: skip
    return Unchanged(one)  # type: ignore[return-value]


def _refuse_unsigned(count: int, data: EndingData) -> None:
    """Refuse to shut a chart at once on notes that wait for a signature: nobody could sign them then."""
    if count and not data.days:
        raise InputRefused(
            f"Notes and addenda about this person wait for a signature: {count}. Sign or discard them first, "
            "or let access end later.",
            "unsigned_notes",
            field="days",
        )


def _refuse_run(patient: Patient, *, of: UUID | None = None) -> None:
    """Refuse to end care while a session is under way (`of` one member of staff): nobody could end it."""
    run = run_of_person(patient.person_id)
    if run is None or (of is not None and run.clinician_id != of):
        return
    whose = "Your session" if of is not None else f"A session of {run.clinician.full_name}"
    raise RuleBroken(f"{whose} with this person is still open. End it first.", "session_open")


def _end_plan(actor: Actor, patient: Patient, ids: list[UUID], data: EndingData, at: datetime) -> None:
    plan = open_plan(patient, ids)
    if plan is None:
        return
    is_done = data.reason_code == EndingReason.GOALS_REACHED and "complete" in ALLOWED[plan.status]
    how = "complete" if is_done else "discontinue"
    end_plan(actor=actor, patient_id=patient.pk, how=how, reason="discharge", at=at)


@action
def move_caseload(
    *,
    actor: Actor,
    user_id: UUID,
    plan: Mapping[UUID, UUID],
    notes_known: bool = False,
    at: datetime | None = None,
) -> int:
    """Give everybody whom a leaver treats to colleagues, `plan` naming one for each person: all or nobody.

    Raises NotFound for who may not, RuleBroken `caseload_changed` when the plan names others than they treat
    now, InputRefused for a colleague who doesn't treat, `unsigned_notes` until `notes_known` says that those
    are given up. Hours move as in `transfer`, a session that they left open is broken off. Alerts that they
    claimed stay claimed: a supervisor takes those over at the desk.
    """
    if actor.role not in MOVERS:
        raise NotFound("This does not exist, or it is not open to you.", "not_found")
    at = clock(at)
    who = queries.leaver(actor.person, user_id)
    rows = {row.patient.pk: row for row in queries.moving(who.pk, at)}
    if not rows:
        raise RuleBroken("They treat nobody.", "caseload_empty")
    if set(plan) != set(rows):
        raise RuleBroken("Their caseload has changed meanwhile. Look at it again.", "caseload_changed")
    if not notes_known and any(row.notes for row in rows.values()):
        raise RuleBroken(UNSIGNED, "unsigned_notes")
    data, total = EndingData(EndingReason.STAFF_LEFT), Handed()
    for patient_id in sorted(rows):
        patient, to_id = rows[patient_id].patient, plan[patient_id]
        transfer_care(
            actor=actor, patient=patient, from_id=who.pk, to_id=to_id, data=data, summary=False, at=at
        )  # fmt: skip
        ids = rows_of(patient)
        break_off_left(actor=actor, user_id=who.pk, patient_ids=ids, at=at)
        hand_over(actor=actor, patient_ids=ids, from_id=who.pk, to_id=to_id)
        give_up_papers(actor=actor, author_id=who.pk, patient_ids=ids, at=at)
        hours = hand_over_appointments(actor=actor, patient_ids=ids, from_id=who.pk, to_id=to_id, at=at)
        total = Handed(total.moved + hours.moved, total.called_off + hours.called_off)
    notify(
        actor=actor, organization_id=who.organization_id, user_ids=set(plan.values()), code="caseload",
        object_type="accounts.User", object_id=who.pk,
    )  # fmt: skip
    codes = {
        "from": str(who.pk), "people": len(rows), "appointments": total.moved, "called_off": total.called_off,
        "unsigned_notes": sum(row.notes for row in rows.values()),
    }  # fmt: skip
    record(actor, "caseload.moved", None, codes=codes)
    return len(rows)
