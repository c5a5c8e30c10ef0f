"""Reads of ways in and out: who answers now, first steps, a caseload that moves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from clinical.assessments.instruments.queries import instruments
from clinical.assessments.planning.queries import askable
from clinical.assessments.queries import taken_forms
from clinical.assessments.schedule import INTAKE
from clinical.notes.models import Note, NoteAddendum, PsychotherapyNote, PsychotherapyNoteAddendum
from clinical.notes.reminders.queries import unsigned_rows
from clinical.scheduling.handover.queries import coming_by_person
from cortex.access.context import AccessContext
from cortex.accounts.models import User
from cortex.accounts.queries import active_users
from cortex.audit import NotFound
from crisis.alerts.models import RiskAlert
from crisis.duty.queries import desk_of
from crisis.reviews.models import STANDING, FollowUp, ReviewItem
from crisis.risk.queries import latest_assessments
from patients.care.models import CareTeamMember
from patients.care.queries import seat, seats
from patients.codes import CareRole, ConsentType
from patients.pathway import queries as pathway
from patients.pathway.models import CareEnding, Referral
from patients.privacy.queries import consent_state
from patients.registry.models import Patient
from patients.registry.person import EmergencyContact
from patients.registry.queries import by_pseudonyms, rows_of

# Who answers, the closest first.
ORDER = (CareRole.PRIMARY_THERAPIST, CareRole.PSYCHIATRIST, CareRole.COUNSELOR, CareRole.CASE_MANAGER)
FIRST_CONSENTS = (ConsentType.TREATMENT, ConsentType.PRIVACY_NOTICE)
REFERRED = ("given_name", "middle_name", "family_name", "phone", "email")


@dataclass(slots=True)
class Answers:
    """Who answers for a person now, and what nobody watches out of hours."""

    name: str = ""
    role: str = ""
    covers: str = ""
    until: datetime | None = None
    on_shift: int = 0
    desk_phone: str = ""
    is_screened: bool = True
    others: list[str] = field(default_factory=list)


def answers(patient: Patient, team: Iterable[CareTeamMember], at: datetime) -> Answers:
    """Return who answers for a person: the cover of who is away, else the team's first, and the desk."""
    now = [one for one in seats(team) if one.holds(at) and one.user is not None]
    covered = {seat(one)[1:]: one for one in now if one.cover_for_id}
    ranks = {str(role): number for number, role in enumerate(ORDER)}
    own = sorted(
        (one for one in now if one.cover_for_id is None and one.role in ranks),
        key=lambda one: ranks[one.role],
    )
    desk = desk_of(patient.organization_id)
    found = Answers(
        on_shift=len(desk.shifts),
        desk_phone=str(patient.organization.settings.get("desk_phone", "")),
        is_screened=consent_state([patient.person_id], [ConsentType.TREATMENT], at)[
            patient.person_id, ConsentType.TREATMENT
        ],
    )
    if own:
        first = own[0]
        acts = covered.get((first.role, first.user_id), first)
        found.name = acts.user.full_name if acts.user else ""
        found.role = first.get_role_display()
        if acts is not first:
            found.covers, found.until = first.user.full_name if first.user else "", acts.ends_at
        others = [covered.get((one.role, one.user_id), one) for one in own[1:]]
        found.others = [one.user.full_name if one.user else "" for one in others]
    return found


def endings(context: AccessContext, ids: Iterable[UUID]) -> list[CareEnding]:
    """Return how care ended so far with the closing summaries, opened."""
    rows = pathway.endings(ids)
    context.open(rows, ("summary", "to_outside"))
    return rows


def referral(context: AccessContext, user: User, referral_id: UUID) -> Referral:
    """Return a waiting referral that the user answers, with who it is; NotFound otherwise."""
    one = pathway.referral_for(user, referral_id)
    if one is None:
        raise NotFound("This does not exist, or it is not open to you.", "not_found")
    open_referrals(context, [one])
    return one


def open_referrals(context: AccessContext, rows: list[Referral]) -> None:
    """Open who was referred and why."""
    context.open([one.patient for one in rows], REFERRED)
    context.open(rows, ("reason", "referrer"))


def came_by(context: AccessContext, ids: Iterable[UUID]) -> Referral | None:
    """Return the newest referral by which a person came into care, why they were sent opened, or None."""
    one = pathway.accepted_referral(ids)
    if one is not None:
        context.open([one], ("reason", "referrer"))
    return one


@dataclass(slots=True)
class Step:
    """One of the first steps of care: done or missing, and where it is done."""

    key: str
    title: str
    done: bool
    detail: str = ""


def first_steps(patient: Patient, at: datetime) -> list[Step]:
    """Return what the beginning of care needs and what is missing; a fixed number of queries.

    Of the first measures (domain 2.2) those are asked for that are offered here and have a text; one is done
    with a total in any of its forms that counts, as on a caseload.
    """
    ids = rows_of(patient)
    last = pathway.last_referral(ids)
    held = consent_state([patient.person_id], FIRST_CONSENTS, at)
    treats = pathway.is_treated(ids, at)
    contacts = EmergencyContact.objects.filter(patient_id__in=ids, is_active=True).count()
    forms, offered = taken_forms(ids, at), instruments(patient.organization_id)
    taken = {row.key for row in offered if not forms.isdisjoint(row.with_forms)}
    titles = askable(offered)
    steps = [
        Step(
            "referral", "Referral", last is None or last.status == "accepted",
            last.get_status_display() if last else "Came without one",
        ),
        *(
            Step("consent", f"Consent: {one.label.lower()}", held[patient.person_id, one])
            for one in FIRST_CONSENTS
        ),
        Step("people", "Care team", treats),
        Step("contacts", "Somebody to call", contacts > 0, f"{contacts} on record" if contacts else ""),
    ]  # fmt: skip
    return steps + [Step(f"measure:{key}", titles[key], key in taken) for key in INTAKE if key in titles]


@dataclass(slots=True)
class Moving:
    """One person of a caseload that moves: coded facts alone, nobody's name."""

    patient: Patient
    roles: list[str]
    since: datetime
    level: str = ""
    items: int = 0
    follow_ups: int = 0
    claims: int = 0
    appointments: int = 0
    notes: int = 0
    others: list[str] = field(default_factory=list)


def leaver(user: User, user_id: UUID) -> User:
    """Return a member of the user's house, working or closed; NotFound otherwise."""
    found = User.objects.filter(pk=user_id, organization_id=user.organization_id).first()
    if found is None or found.organization_id is None:
        raise NotFound("There is no such member of staff.", "user_unknown")
    return found


def moving(user_id: UUID, at: datetime) -> list[Moving]:
    """Return everybody whom somebody treats, with what would move along; a fixed number of queries."""
    found: dict[UUID, Moving] = {}
    # A person is all their rows: a place on one that was linked is theirs.
    whose: dict[UUID, UUID] = {}
    for place in pathway.places_of(user_id, at):
        patient = place.patient.merged_into or place.patient
        row = found.setdefault(patient.pk, Moving(patient, [], place.starts_at))
        whose |= {place.patient_id: patient.pk, patient.pk: patient.pk}
        row.roles.append(place.get_role_display())
        row.since = min(row.since, place.starts_at)
    for person, one in latest_assessments(found).items():
        found[person].level = one.level
    ids = list(whose)
    for model, name in ((ReviewItem, "items"), (FollowUp, "follow_ups"), (RiskAlert, "claims")):
        for patient_id in _owned(model, ids, user_id):
            row = found[whose[patient_id]]
            setattr(row, name, getattr(row, name) + 1)
    for person, count in coming_by_person(user_id, at).items():
        if person in found:
            found[person].appointments = count
    for person in _unsigned(found, user_id):
        found[person].notes += 1
    others = CareTeamMember.objects.memberships().running(at).filter(patient_id__in=ids, user__isnull=False)
    for place in others.exclude(user_id=user_id).select_related("user"):
        row = found[whose[place.patient_id]]
        if place.user is not None and place.user.full_name not in row.others:
            row.others.append(place.user.full_name)
    return list(found.values())


def _owned(model: type, ids: list[UUID], user_id: UUID) -> list[UUID]:
    if model is ReviewItem:
        rows = ReviewItem.objects.open().filter(owner_id=user_id, patient_id__in=ids)
        return list(rows.values_list("patient_id", flat=True))  # type: ignore[arg-type]
    if model is FollowUp:
        standing = FollowUp.objects.filter(owner_id=user_id, patient_id__in=ids, status__in=STANDING)
        return list(standing.values_list("patient_id", flat=True))
    claimed = RiskAlert.objects.open().filter(assigned_to_id=user_id, patient_id__in=ids)
    return list(claimed.values_list("patient_id", flat=True))  # type: ignore[arg-type]


def _unsigned(people: Iterable[UUID], user_id: UUID) -> list[UUID]:
    """Return the person of each unsigned note or addendum of somebody's; process notes nobody counts."""
    whose = {"author_id": user_id, "patient__person_id__in": list(people)}
    waiting = (unsigned_rows(kind).filter(**whose) for kind in (Note, NoteAddendum))
    both = (rows.order_by().values_list("patient__person_id", flat=True) for rows in waiting)
    return list(next(both).union(next(both), all=True))


def unsigned_about(ids: Iterable[UUID], author_id: UUID, *, everybody: bool = False) -> int:
    """Return how many notes and addenda about a person wait for the author's signature, process notes too.

    With `everybody` those of the others as well, but for their process notes, which are nobody's to count.
    """
    rows = list(ids)
    own = {"patient_id__in": rows, "author_id": author_id}
    whose: dict[str, Any] = {"patient_id__in": rows} if everybody else own
    ours = sum(unsigned_rows(kind).filter(**whose).count() for kind in (Note, NoteAddendum))
    kept_apart = (PsychotherapyNote, PsychotherapyNoteAddendum)
    return ours + sum(unsigned_rows(kind).filter(**own).count() for kind in kept_apart)


def treating(user: User, *, besides: UUID | None = None) -> list[User]:
    """Return the therapists and psychiatrists of the user's house, by name."""
    if user.organization_id is None:
        return []
    rows = active_users(organization_id=user.organization_id, roles=pathway.TREATING).order_by("full_name")
    return [one for one in rows if one.pk != besides]


def with_caseload(user: User, at: datetime) -> list[tuple[User, int]]:
    """Return who of the user's house treats how many, closed accounts too: their people wait."""
    rows = CareTeamMember.objects.memberships().running(at).filter(
        organization_id=user.organization_id, user__isnull=False
    )  # fmt: skip
    counts: dict[UUID, set[UUID]] = {}
    for user_id, patient_id in rows.exclude(patient__status="deleted").values_list(
        "user_id", "patient__person_id"
    ):
        counts.setdefault(user_id, set()).add(patient_id)  # type: ignore[arg-type]
    people = User.objects.filter(pk__in=counts, organization_id=user.organization_id).order_by("full_name")
    return [(one, len(counts[one.pk])) for one in people]


def by_pseudonym(user: User, pseudonym: str) -> Patient | None:
    """Return the person of the user's house with exactly this pseudonym, or None."""
    if user.organization_id is None:
        return None
    return by_pseudonyms(user.organization_id, [pseudonym.strip().upper()]).get(pseudonym.strip().upper())
