"""Reads of absences: whose, and which of their people somebody covers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from cortex.accounts.models import User
from cortex.clock import Moment
from patients.care.models import CareTeamMember
from patients.care.queries import covers_of
from patients.covers.models import Absence
from patients.registry.models import Patient


def absences_of(user: User, at: datetime) -> list[Absence]:
    """Return somebody's absences that run or are to come, the first to begin first."""
    rows = Absence.objects.standing(at).filter(user=user).select_related("user", "cover")
    return list(rows.order_by("starts_at"))


def absences_covered_by(user: User, at: datetime) -> list[Absence]:
    """Return the absences in which somebody stands in."""
    rows = Absence.objects.standing(at).filter(cover=user).select_related("user", "cover")
    return list(rows.order_by("starts_at"))


def absences_of_house(user: User, at: datetime) -> list[Absence]:
    """Return every absence of the user's house that runs or is to come."""
    rows = Absence.objects.standing(at).filter(organization_id=user.organization_id)
    return list(rows.select_related("user", "cover").order_by("starts_at"))


def overlapping(user_id: UUID, starts_at: datetime, ends_at: datetime) -> bool:
    """Whether an absence of somebody overlaps this time."""
    rows = Absence.objects.filter(user_id=user_id, ended_at__isnull=True)
    return rows.filter(starts_at__lt=ends_at, ends_at__gt=starts_at).exists()


def stood_in_during(user_id: UUID, starts_at: datetime, ends_at: datetime) -> list[str]:
    """Return the names of those for whom somebody stands in during some of this time."""
    rows = Absence.objects.filter(cover_id=user_id, ended_at__isnull=True)
    planned = rows.filter(starts_at__lt=ends_at, ends_at__gt=starts_at).values_list(
        "user__full_name", flat=True
    )
    covers = CareTeamMember.objects.covers().filter(user_id=user_id, cover_for__user__isnull=False)
    held = covers.filter(starts_at__lt=ends_at, ends_at__gt=starts_at).filter(starts_at__lt=F("ends_at"))
    held = held.filter(Q(cover_for__ends_at__isnull=True) | Q(cover_for__ends_at__gt=starts_at))
    return sorted({*planned, *held.values_list("cover_for__user__full_name", flat=True)})  # type: ignore[type-var]


def away_now(user_ids: Iterable[UUID], at: datetime) -> dict[UUID, datetime]:
    """Return until when those of these members of staff are away who are away at a time."""
    rows = Absence.objects.filter(user_id__in=list(user_ids), ended_at__isnull=True)
    return dict(rows.filter(starts_at__lte=at, ends_at__gt=at).values_list("user_id", "ends_at"))


def lock_staff(user_ids: Iterable[UUID]) -> None:
    """Lock these members of staff in the order of their ids, until the transaction ends."""
    rows = User.objects.select_for_update(no_key=True).filter(pk__in=list(user_ids)).order_by("pk")
    list(rows.values_list("pk", flat=True))


def locked_absence(absence_id: UUID, organization_id: UUID | None) -> Absence | None:
    """Lock and return an absence of an organization, or None."""
    rows = Absence.objects.select_for_update(of=("self",))
    return rows.filter(pk=absence_id, organization=organization_id).first()


def uncovered_places(one: Absence, at: datetime) -> list[CareTeamMember]:
    """Return the places of who is away that hold during the absence and that nobody covers then.

    In the order in which people are locked, as those are who move a whole caseload.
    """
    during = max(at, one.starts_at)
    covers = CareTeamMember.objects.covers().filter(cover_for=OuterRef("pk"), starts_at__lte=during)
    places = CareTeamMember.objects.memberships().running(during).filter(user_id=one.user_id)
    free = places.filter(~Exists(covers.filter(ends_at__gt=during)))
    return list(free.exclude(patient__status="deleted").order_by("patient__person_id", "pk"))


def uncovered_counts(absences: Iterable[Absence], at: datetime) -> dict[UUID, int]:
    """Return for each absence how many places nobody covers in it; two queries for all of them.

    Whose account was closed covers nobody.
    """
    rows = list(absences)
    users: dict[UUID | None, list[Absence]] = defaultdict(list)
    for one in rows:
        users[one.user_id].append(one)
    lent = CareTeamMember.objects.covers().filter(cover_for__user_id__in=[*users], ends_at__gt=at)
    lent = lent.filter(user__is_active=True)
    spells = defaultdict(list)
    for held, start, end in lent.values_list("cover_for_id", "starts_at", "ends_at"):
        spells[held].append((start, end))
    places = CareTeamMember.objects.memberships().filter(user_id__in=[*users]).exclude(ends_at__lte=at)
    places = places.exclude(patient__status="deleted")
    found = dict.fromkeys((one.pk for one in rows), 0)
    for place in places:
        for one in users[place.user_id]:
            during = max(at, one.starts_at)
            if place.holds(during):
                free = not any(start <= during < (end or during) for start, end in spells[place.pk])
                found[one.pk] += free
    return found


def covers_in(one: Absence, at: datetime) -> QuerySet[CareTeamMember]:
    """Return the covers that an absence made and that have not ended, in the order people are locked in."""
    rows = CareTeamMember.objects.covers().filter(cover_for__user_id=one.user_id, user_id=one.cover_id)
    rows = rows.filter(starts_at__lt=one.ends_at, ends_at__gt=max(at, one.starts_at))
    return rows.order_by("patient__person_id", "pk")


def lent_to(user: User, at: Moment) -> tuple[set[UUID], set[UUID]]:
    """Return whom the user covers now, and for which people: what those own about these is lent to them.

    People are told by their rows on record, as in all that stands here: a place and its cover may be on any
    row of a person, and what is owed hang under another.
    """
    pairs = list(covers_of(user, at).values_list("cover_for__user_id", "patient__person_id"))
    return {owner for owner, _ in pairs if owner}, {patient for _, patient in pairs}


def cover_spells(user: User, at: Moment) -> list[tuple[UUID, UUID, datetime, datetime]]:
    """Return (whom, for which person, from, until) of the covers by which the user stands in now."""
    # The database holds a cover to an end.
    rows = covers_of(user, at).filter(cover_for__user__isnull=False)
    return list(rows.values_list("cover_for__user_id", "patient__person_id", "starts_at", "ends_at"))  # type: ignore[arg-type]


def stood_in_for(user: User, patient_id: UUID, at: Moment) -> set[UUID]:
    """Return whom the user covers now for the person that a row is of."""
    rows = covers_of(user, at).filter(patient__in=Patient.objects.same_person(patient_id))
    return set(rows.filter(cover_for__user__isnull=False).values_list("cover_for__user_id", flat=True))


def stands_in_for(user: User, patient_id: UUID | None, owner_id: UUID | None, at: datetime) -> bool:
    """Whether the user covers somebody for the person that a row is of now."""
    if patient_id is None or owner_id is None:
        return False
    rows = covers_of(user, at).filter(patient__in=Patient.objects.same_person(patient_id))
    return rows.filter(cover_for__user_id=owner_id).exists()
