"""Writes of ways in and out: refer, name who answers, accept, decline, end care, hand over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from cortex.access.context import opening
from cortex.accounts.choices import Role
from cortex.accounts.models import User
from cortex.accounts.queries import active_users
from cortex.audit import Actor, InputRefused, NotFound, RuleBroken, action, record
from cortex.clock import clock
from cortex.ops.notices.actions import notify
from patients.care.actions import add_to_care_team, end_care_team_place, end_grant
from patients.care.models import CareTeamMember
from patients.codes import (
    ENDING_REASONS,
    CareRole,
    DeclineReason,
    EndingKind,
    ReferralSource,
    ReferralStatus,
    Urgency,
)
from patients.pathway import queries
from patients.pathway.models import CareEnding, Referral
from patients.pathway.queries import TREATING
from patients.registry.models import Patient
from patients.registry.queries import lock_person, rows_of

# [P] a former team finishes its notes within this long at most.
LONGEST_AFTER = timedelta(days=14)
ROLE_OF = {Role.THERAPIST: CareRole.PRIMARY_THERAPIST, Role.PSYCHIATRIST: CareRole.PSYCHIATRIST}


@dataclass(frozen=True, slots=True)
class ReferralData:
    """What a referral says; `asked_id` is who should answer (None: the supervisors name somebody)."""

    source: str
    urgency: str
    reason: str
    referrer: str = ""
    asked_id: UUID | None = None


@action
def make_referral(
    *, actor: Actor, patient: Patient, data: ReferralData, at: datetime | None = None
) -> Referral:
    """Put a person before the clinician who should take them; the caller knows that the actor may.

    Raises InputRefused with the field, NotFound for another house, RuleBroken `referral_waiting`.
    """
    at = clock(at)
    if patient.organization_id not in actor.org_ids:
        raise NotFound("There is no such person on record.", "patient_unknown")
    _check(data, patient.organization_id)
    lock_person(patient.pk)
    if Referral.objects.waiting().filter(patient__person_id=patient.person_id).exists():
        raise RuleBroken("A referral of this person waits for its answer already.", "referral_waiting")
    with opening(actor, purpose="referral") as context:
        context.load_keys([patient.pk])
        one = Referral.objects.create(
            organization_id=patient.organization_id, patient=patient, source=data.source,
            urgency=data.urgency, reason=data.reason.strip(), referrer=data.referrer.strip() or None,
            received_at=at, made_by=actor.user, asked_id=data.asked_id,
        )  # fmt: skip
    record(actor, "referral.made", one, codes={"source": data.source, "urgency": data.urgency})
    _tell(actor, one, "referral", [data.asked_id] if data.asked_id else _supervisors(one))
    return one


def _check(data: ReferralData, organization_id: UUID) -> None:
    if data.source not in ReferralSource.values:
        raise InputRefused("Say who sent them.", "required", field="source")
    if data.urgency not in Urgency.values:
        raise InputRefused("Say how soon.", "required", field="urgency")
    if not data.reason.strip():
        raise InputRefused("Say why they are sent.", "required", field="reason")
    if data.asked_id is not None:
        _clinician(data.asked_id, organization_id, "asked")


def _clinician(user_id: UUID, organization_id: UUID, field: str) -> User:
    found = active_users(organization_id=organization_id, roles=TREATING).filter(pk=user_id).first()
    if found is None:
        raise InputRefused("Choose a therapist or psychiatrist of the service.", "user_unknown", field=field)
    return found


def _supervisors(one: Referral) -> list[UUID]:
    rows = active_users(organization_id=one.organization_id, roles=[Role.SUPERVISOR])
    return list(rows.values_list("pk", flat=True))


def _tell(actor: Actor, one: Referral, code: str, people: list[UUID]) -> None:
    notify(
        actor=actor, organization_id=one.organization_id, user_ids=people, code=code,
        object_type="patients.Referral", object_id=one.pk, codes={"urgency": one.urgency},
    )  # fmt: skip


@action
def name_answerer(*, actor: Actor, referral_id: UUID, user_id: UUID, at: datetime | None = None) -> Referral:
    """Let a supervisor say which clinician answers a referral."""
    one = _waiting(actor, referral_id)
    if actor.role != Role.SUPERVISOR:
        raise NotFound
    _clinician(user_id, one.organization_id, "asked")
    one.asked_id = user_id
    one.save(update_fields=["asked", "updated_at"])
    record(actor, "referral.assigned", one, codes={"user": str(user_id)})
    _tell(actor, one, "referral", [user_id])
    return one


@action
def accept_referral(*, actor: Actor, referral_id: UUID, at: datetime | None = None) -> Referral:
    """Take a person into care: the actor joins the team, and leads it where nobody does.

    The supervisors are told, and whoever cares for the person already.
    """
    at = clock(at)
    one = _waiting(actor, referral_id)
    role = ROLE_OF.get(Role(actor.role))
    if role is None:
        raise RuleBroken("A therapist or psychiatrist takes people into care. Name one.", "not_treating")
    _decide(actor, one, ReferralStatus.ACCEPTED, "", "", at)
    # Care is of the person: of the row on record, whichever one was referred and linked meanwhile.
    patient = Patient.objects.get(pk=lock_person(one.patient_id))
    if not _has_lasting_place(patient, actor, role, at):
        places = queries.locked_places(rows_of(patient), at)
        _give_place(actor, patient, places, actor.person.pk, role, at)
    patient.refresh_from_db(fields=["primary_clinician"])
    if patient.primary_clinician_id is None:
        _lead([patient.pk], actor.person.pk, at)
    record(actor, "referral.accepted", one)
    told = {*_supervisors(one), *_team(one.patient, at)} - {actor.person.pk}
    _tell(actor, one, "referral_accepted", sorted(told))
    return one


def _team(patient: Patient, at: datetime) -> list[UUID]:
    own = CareTeamMember.objects.memberships().running(at).filter(user__isnull=False)
    return list(own.filter(patient__person_id=patient.person_id).values_list("user_id", flat=True))


def _has_lasting_place(patient: Patient, actor: Actor, role: str, at: datetime) -> bool:
    own = CareTeamMember.objects.memberships().running(at).filter(user=actor.person, role=role)
    return own.filter(patient__person_id=patient.person_id, ends_at__isnull=True).exists()


@action
def decline_referral(
    *, actor: Actor, referral_id: UUID, code: str, note: str = "", at: datetime | None = None
) -> Referral:
    """Say no with a reason; whoever referred, and the supervisors, are told."""
    if code not in DeclineReason.values:
        raise InputRefused("Say why.", "required", field="code")
    one = _waiting(actor, referral_id)
    _decide(actor, one, ReferralStatus.DECLINED, code, note, clock(at))
    record(actor, "referral.declined", one, codes={"why": code})
    people = [*_supervisors(one), *([one.made_by_id] if one.made_by_id else [])]
    _tell(actor, one, "referral_declined", people)
    return one


def _waiting(actor: Actor, referral_id: UUID) -> Referral:
    """Lock a waiting referral that the actor answers."""
    one = queries.locked_referral(referral_id, actor.organization_id)
    mine = one is not None and (one.asked_id == actor.id or actor.role == Role.SUPERVISOR)
    if one is None or not mine:
        raise NotFound
    if one.status != ReferralStatus.WAITING:
        raise RuleBroken("Somebody has answered this already.", "already_done")
    return one


def _decide(actor: Actor, one: Referral, status: str, code: str, note: str, at: datetime) -> None:
    one.status, one.decided_at, one.decided_by, one.decline_code = status, at, actor.user, code
    with opening(actor, purpose="referral") as context:
        if note.strip():
            context.load_keys([one.patient_id])
            one.decision_note = note.strip()
        names = ["status", "decided_at", "decided_by", "decline_code", "decision_note", "updated_at"]
        one.save(update_fields=names)


@dataclass(frozen=True, slots=True)
class EndingData:
    """How care ends; `days` is for how long the former team may still finish its notes."""

    reason_code: str
    summary: str = ""
    to_outside: str = ""
    days: int = 0


@action
def end_care(*, actor: Actor, patient: Patient, data: EndingData, at: datetime | None = None) -> CareEnding:
    """Discharge a person: every place, cover and single grant ends; the summary is sealed.

    The caller has asked whether the chart is open to the actor. Raises InputRefused with the field.
    """
    _check_ending(data, EndingKind.DISCHARGE, summary=True)
    at = clock(at)
    lock_person(patient.pk)
    ids, until = rows_of(patient), at + timedelta(days=data.days)
    for place in queries.locked_places(ids, until):
        end_care_team_place(actor=actor, member_id=place.pk, at=until)
    for grant in queries.open_grants(ids, until):
        end_grant(actor=actor, grant_id=grant.pk, at=until)
    _lead(ids, None, at)
    patient.primary_clinician_id = None  # whoever called goes on with this row
    one = _write_ending(actor, patient, EndingKind.DISCHARGE, data, (actor.id, None), at, until)
    record(actor, "care.discharged", one, codes={"reason": data.reason_code, "days": data.days})
    return one


@action
def transfer_care(
    *,
    actor: Actor,
    patient: Patient,
    from_id: UUID,
    to_id: UUID,
    data: EndingData,
    summary: bool = True,
    at: datetime | None = None,
) -> CareEnding:
    """Give somebody's places on a team to a colleague, who leads it where the former did.

    A supervisor's place is not handed on: the colleague joins as one who treats.
    Without `summary` none is asked for: a whole caseload moves.
    Raises InputRefused with the field, RuleBroken `not_on_team` when the former has no place.
    """
    _check_ending(data, EndingKind.TRANSFER, summary=summary)
    at = clock(at)
    lock_person(patient.pk)
    treats_as = ROLE_OF[Role(_clinician(to_id, patient.organization_id, "to").role)]
    if to_id == from_id:
        raise InputRefused("Choose a colleague.", "transfer_to_self", field="to")
    ids, until = rows_of(patient), at + timedelta(days=data.days)
    places = queries.locked_places(ids, at)
    own = [one for one in places if one.user_id == from_id and one.cover_for_id is None]
    if not own:
        raise RuleBroken("They have no place on this team any more.", "not_on_team")
    led = queries.led_by(from_id, ids)
    standing = {
        (one.user_id, one.role) for one in places
        if one.cover_for_id is None and one.ends_at is None and one.holds(at)
    }  # fmt: skip
    for place in own:
        if place.ends_at is None or place.ends_at > until:
            end_care_team_place(actor=actor, member_id=place.pk, at=until)
        role = treats_as if place.role == CareRole.SUPERVISOR else place.role
        if (to_id, role) not in standing:
            standing.add((to_id, role))
            _give_place(actor, patient, places, to_id, role, at)
    _lead(led, to_id, at)
    patient.primary_clinician_id = to_id if patient.pk in led else patient.primary_clinician_id
    one = _write_ending(actor, patient, EndingKind.TRANSFER, data, (from_id, to_id), at, until)
    record(actor, "care.transferred", one, codes={"reason": data.reason_code, "to": str(to_id)})
    return one


def _give_place(
    actor: Actor, patient: Patient, places: list[CareTeamMember], user_id: UUID, role: str, at: datetime
) -> None:
    """Give somebody a place without an end on the row on record, from now on.

    What they have of this role for a while, or from a later day on, ends by it; what they lead they go on
    leading.
    """
    own = [one for one in places if one.cover_for_id is None and (one.user_id, one.role) == (user_id, role)]
    led = queries.led_by(user_id, rows_of(patient)) if own else []
    for one in own:
        end_care_team_place(actor=actor, member_id=one.pk, at=at)
    add_to_care_team(
        actor=actor, patient_id=patient.person_id, role=role, user_id=user_id, starts_at=at, at=at
    )
    if led:
        _lead(led, user_id, at)


def _lead(patient_ids: list[UUID], user_id: UUID | None, at: datetime) -> None:
    Patient.objects.filter(pk__in=patient_ids).update(primary_clinician=user_id, updated_at=at)


def _check_ending(data: EndingData, kind: EndingKind, *, summary: bool) -> None:
    if data.reason_code not in ENDING_REASONS[kind]:
        raise InputRefused("Choose the reason.", "required", field="reason_code")
    if summary and not data.summary.strip():
        raise InputRefused("Write the closing summary.", "required", field="summary")
    if not 0 <= data.days <= LONGEST_AFTER.days:
        raise InputRefused(f"At most {LONGEST_AFTER.days} days.", "days_range", field="days")


def _write_ending(
    actor: Actor, patient: Patient, kind: str, data: EndingData, who: tuple[UUID | None, UUID | None],
    at: datetime, until: datetime,
) -> CareEnding:  # fmt: skip
    with opening(actor, purpose="care_ending") as context:
        context.load_keys([patient.pk])
        return CareEnding.objects.create(
            organization_id=patient.organization_id, patient=patient, kind=kind,
            reason_code=data.reason_code, from_user_id=who[0], to_user_id=who[1],
            to_outside=data.to_outside.strip() or None, summary=data.summary.strip() or None,
            decided_by=actor.user, ended_at=at, access_ends_at=until,
        )  # fmt: skip
