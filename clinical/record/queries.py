"""Reads of a chart's sections: people, consent, crises, access; fixed numbers of queries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from clinical.chart.banner import beside
from cortex.access.context import AccessContext, holds
from cortex.accounts.models import User
from cortex.accounts.queries import active_users
from cortex.audit import Actor, NotFound
from cortex.audit.models import PhiAccessLog
from crisis.alerts import access as alert_access
from crisis.alerts.models import RiskAlert
from crisis.alerts.queries import open_of_people
from crisis.followups.queries import open_words
from crisis.reviews.models import FollowUp
from patients.care.models import CareTeamMember
from patients.contacts.queries import ContactCard, contact_card, contact_cards, on_record
from patients.privacy.models import Consent
from patients.registry import access
from patients.registry.models import Patient
from patients.registry.person import PatientProfile
from patients.registry.queries import PersonCard, patient, person_card, rows_of

LOOKS = 50
ALERTS = 50
FOLLOW_UPS = 50
# What a profile holds in the person's own words.
SELF_TOLD = ("self_stated_goals", "self_reported_conditions", "self_reported_medications")


@dataclass(slots=True)
class Head:
    """What every section shows above itself: the person, their rows and their level."""

    patient: Patient
    person: PersonCard
    ids: list[UUID]
    banner: dict[str, Any]


def head(
    context: AccessContext, actor: Actor, patient_id: UUID, at: datetime, *, with_contacts: bool = False,
    writes: bool = False,
) -> Head:  # fmt: skip
    """Open the person whose chart is open to the actor, to write in it too; NotFound for everybody else's."""
    found = access.treated(actor, patient_id, at, writes=writes)
    shown = person_card(context, found, at=at, with_contacts=with_contacts)
    return Head(found, shown, rows_of(found), beside(context, found, shown, at))


def person_of(actor: Actor, patient_id: UUID, at: datetime) -> Patient:
    """Return the row on record of the person whose chart is open to the actor to write in."""
    return _on_record(access.treated(actor, patient_id, at))


def person_cared_for(actor: Actor, patient_id: UUID, at: datetime) -> Patient:
    """The same for whoever decides about their care: the team, and who covers it."""
    return _on_record(access.of_the_team(actor, patient_id, at))


def _on_record(found: Patient) -> Patient:
    return found if found.merged_into_id is None else patient(found.person_id) or found


def team(context: AccessContext, ids: Iterable[UUID]) -> list[CareTeamMember]:
    """Return every place and cover of a person, past ones too, with the names of those without an account."""
    rows = CareTeamMember.objects.ever().filter(patient_id__in=list(ids))
    found = list(rows.select_related("user", "cover_for__user").order_by("-starts_at"))
    context.open([one for one in found if one.user_id is None], ("outside_name",))
    return found


def self_told(context: AccessContext, ids: Iterable[UUID]) -> list[PatientProfile]:
    """Open what a person says of themself, of whichever of their rows, the newest first; one query."""
    rows = PatientProfile.objects.filter(patient_id__in=list(ids)).order_by("-updated_at")
    found = [one for one in rows if any(holds(one, name) for name in SELF_TOLD)]
    context.open(found, SELF_TOLD)
    return found


@dataclass(slots=True)
class ContactEntry:
    """What the form of one contact needs: the contact, its place, and how many.

    The contact is None for a new one, and for one that is closed to the reader by now.
    """

    contact: ContactCard | None
    place: int
    places: int
    is_closed: bool = False


def contact_entry(
    context: AccessContext, person_id: UUID, contact_id: UUID | None, at: datetime
) -> ContactEntry:
    """Open one contact of a person for its form, or say where a new one would stand."""
    if contact_id is None:
        return _entry(person_id, None, None)
    return _entry(person_id, contact_id, contact_card(context, person_id, contact_id, at))


def closed_entry(person_id: UUID, contact_id: UUID) -> ContactEntry:
    """Return what the form of a contact needs that closed meanwhile; nothing of the contact is read."""
    return replace(_entry(person_id, contact_id, None), is_closed=True)


def _entry(person_id: UUID, contact_id: UUID | None, one: ContactCard | None) -> ContactEntry:
    line = list(on_record(person_id).values_list("pk", flat=True))
    place = line.index(contact_id) + 1 if contact_id in line else len(line) + 1
    return ContactEntry(one, place, max(len(line), place))


def retired(context: AccessContext, person: PersonCard) -> list[ContactCard]:
    """Return who is not to be called any more; nobody without the person's consent.

    What danger opens is whom to call, not whom nobody should call.
    """
    if not person.emergency_contact_allowed:
        return []
    return contact_cards(context, person.patient_id, section="contacts", is_active=False)


def place_of(ids: Iterable[UUID], member_id: UUID) -> CareTeamMember:
    """Return one place on a person's team; NotFound for any other."""
    found = CareTeamMember.objects.filter(pk=member_id, patient_id__in=list(ids)).first()
    if found is None:
        raise NotFound("This does not exist, or it is not open to you.", "not_found")
    return found


def colleagues(user: User, roles: Iterable[str]) -> list[User]:
    """Return the active people of the user's house in these roles, by name."""
    house = user.organization_id
    if house is None:
        return []
    return list(active_users(organization_id=house, roles=roles).order_by("full_name"))  # type: ignore[arg-type]


def consents(context: AccessContext, ids: Iterable[UUID]) -> list[Consent]:
    """Return every decision of a person, the newest first, with who consented for them."""
    rows = list(Consent.objects.filter(patient_id__in=list(ids)).select_related("recorded_by"))
    context.open([one for one in rows if one.__dict__.get("guardian") is not None], ("guardian",))
    return rows


def looks(ids: Iterable[UUID], before: UUID | None) -> list[PhiAccessLog]:
    """Return who opened a person's data, newest first, one more than a page holds."""
    rows = PhiAccessLog.objects.filter(subject__in=list(ids))
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return list(rows.order_by("-id")[: LOOKS + 1])


@dataclass(slots=True)
class Crises:
    """Alerts of a person with their ends, what was promised after them, which pages the reader may open."""

    alerts: list[RiskAlert]
    follow_ups: list[FollowUp]
    open_pages: set[UUID]


def crises(context: AccessContext, ids: Iterable[UUID], at: datetime) -> Crises:
    """Return the crises of a person, the latest first, with what was said in the contacts afterwards."""
    people = list(ids)
    rows = RiskAlert.objects.filter(patient_id__in=people).select_related("assigned_to", "resolved_by")
    alerts = list(rows.order_by("-raised_at")[:ALERTS])
    follow_ups = FollowUp.objects.filter(patient_id__in=people)
    follow_ups = follow_ups.select_related("owner", "done_by", "checks")
    pages = alert_access.pages_for(context.actor.person, at).filter(pk__in=[one.pk for one in alerts])
    promised = list(follow_ups.order_by("-due_at")[:FOLLOW_UPS])
    open_words(context, promised)
    return Crises(alerts, promised, set(pages.values_list("pk", flat=True)))


def has_open_alert(ids: Iterable[UUID]) -> bool:
    """Whether an alert of a person waits or is worked on."""
    return bool(open_of_people(list(ids)))
