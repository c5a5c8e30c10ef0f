"""Writes of a chart's sections: the care team, whom to call, and consents that staff take down."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from clinical.record import queries
from cortex.audit import Actor, InputRefused, RuleBroken, Unchanged, action
from cortex.clock import clock
from patients.care.actions import add_to_care_team, end_care_team_place
from patients.care.models import CareTeamMember
from patients.codes import CareRole, ConsentMethod
from patients.contacts import actions as contacts
from patients.pathway.queries import has_lasting_place, is_treated
from patients.privacy.actions import record_consent
from patients.privacy.models import Consent
from patients.privacy.records import ConsentData
from patients.registry.person import EmergencyContact
from patients.registry.queries import lock_person, rows_of
from patients.registry.records import ContactData

BY_STAFF = (ConsentMethod.PAPER, ConsentMethod.SPOKEN)


@action
def add_member(
    *,
    actor: Actor,
    patient_id: UUID,
    role: str,
    user_id: UUID | None = None,
    outside_name: str = "",
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    at: datetime | None = None,
) -> CareTeamMember:
    """Let somebody join the team of a person whom the actor cares for, by the rules of `patients.care`.

    Nobody makes a place of their own longer than it is: a cover, or a place with an end.
    """
    at = clock(at)
    person = queries.person_cared_for(actor, patient_id, at)
    if user_id is None and not outside_name.strip():
        raise InputRefused("Choose a colleague, or write who it is.", "required", field="user")
    if user_id is not None and user_id == actor.id and not has_lasting_place(rows_of(person), user_id, at):
        raise InputRefused(
            "Your own place has an end. A colleague can give you another.", "own_place", field="user"
        )
    member = add_to_care_team(
        actor=actor, patient_id=person.pk, role=role, user_id=user_id,
        outside_name=outside_name.strip() or None if user_id is None else None, starts_at=starts_at,
        ends_at=ends_at, at=at,
    )  # fmt: skip
    return Unchanged(member)  # type: ignore[return-value]


@action
def end_member(
    *, actor: Actor, patient_id: UUID, member_id: UUID, at: datetime | None = None
) -> CareTeamMember:
    """End a place on the team; the last one who treats leaves by discharge or transfer alone."""
    at = clock(at)
    person = queries.person_cared_for(actor, patient_id, at)
    lock_person(person.pk)
    ids = rows_of(person)
    place = queries.place_of(ids, member_id)
    treats = place.user_id is not None and place.cover_for_id is None and place.role != CareRole.CAREGIVER
    if treats and place.holds(at) and not is_treated(ids, at, besides=[place.pk]):
        raise RuleBroken(
            "Nobody would answer for this person. Discharge them, or hand them over.", "last_on_team"
        )
    return Unchanged(end_care_team_place(actor=actor, member_id=place.pk, at=at))  # type: ignore[return-value]


@action
def take_down_consent(
    *, actor: Actor, patient_id: UUID, data: ConsentData, at: datetime | None = None
) -> Consent:
    """Keep a decision that a person gave on paper or in words; a child's needs who consents for them.

    Raises NotFound, and InputRefused with the field.
    """
    at = clock(at)
    person = queries.person_cared_for(actor, patient_id, at)
    if data.method not in BY_STAFF:
        raise InputRefused("On paper, or spoken.", "consent_method_unknown", field="method")
    (row,) = record_consent(actor=actor, patient=person, consents=[data], at=at)
    return Unchanged(row)  # type: ignore[return-value]


@action
def withdraw_consent(
    *, actor: Actor, patient_id: UUID, consent_type: str, at: datetime | None = None
) -> Consent:
    """Take a consent back in one step, as the person said: it counts from this moment."""
    at = clock(at)
    person = queries.person_cared_for(actor, patient_id, at)
    data = ConsentData(consent_type, granted=False, method=ConsentMethod.SPOKEN)
    (row,) = record_consent(actor=actor, patient=person, consents=[data], at=at)
    return Unchanged(row)  # type: ignore[return-value]


@action
def add_contact(
    *, actor: Actor, patient_id: UUID, data: ContactData, place: int, at: datetime | None = None
) -> EmergencyContact:
    """Put somebody to call on the record of a person whom the actor treats, by `patients.contacts`."""
    person = queries.person_of(actor, patient_id, clock(at))
    row = contacts.add_contact(actor=actor, patient=person, data=data, place=place, at=at)
    return Unchanged(row)  # type: ignore[return-value]


@action
def correct_contact(
    *,
    actor: Actor,
    patient_id: UUID,
    contact_id: UUID,
    seen: datetime | None,
    data: ContactData,
    place: int,
    at: datetime | None = None,
) -> EmergencyContact:
    """Correct somebody to call; a form drawn before somebody else's change is refused as `stale`."""
    at = clock(at)
    person = queries.person_of(actor, patient_id, at)
    row = contacts.correct_contact(
        actor=actor, patient=person, contact_id=contact_id, seen=seen, data=data, place=place, at=at
    )
    return Unchanged(row)  # type: ignore[return-value]


@action
def retire_contact(
    *,
    actor: Actor,
    patient_id: UUID,
    contact_id: UUID,
    seen: datetime | None,
    at: datetime | None = None,
) -> EmergencyContact:
    """Say that somebody is not to be called any more; the row stays on record."""
    person = queries.person_of(actor, patient_id, clock(at))
    row = contacts.retire_contact(actor=actor, patient=person, contact_id=contact_id, seen=seen)
    return Unchanged(row)  # type: ignore[return-value]


@action
def restore_contact(
    *, actor: Actor, patient_id: UUID, contact_id: UUID, at: datetime | None = None
) -> EmergencyContact:
    """Take a retirement back."""
    person = queries.person_of(actor, patient_id, clock(at))
    row = contacts.restore_contact(actor=actor, patient=person, contact_id=contact_id)
    return Unchanged(row)  # type: ignore[return-value]
