"""Reads of care teams, covers and grants."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import CharField, F, Min, QuerySet, UUIDField, Value
from django.db.models.functions import Coalesce

from cortex.accounts.models import User
from cortex.accounts.queries import is_trainee
from cortex.clock import Moment
from cortex.ops.postgres.questions import kept
from patients.care.models import (
    CareTeamMember,
    CareTeamMemberQuerySet,
    GrantQuerySet,
    PatientUserObjectPermission,
)
from patients.codes import CareRole
from patients.registry.models import Patient


def memberships_of(user: Any, at: Moment) -> CareTeamMemberQuerySet:
    """Return the running places of `user` on care teams, covers left out."""
    return CareTeamMember.objects.of_user(user).memberships().running(at)


def covers_of(user: Any, at: Moment) -> CareTeamMemberQuerySet:
    """Return the running planned covers by `user`."""
    return CareTeamMember.objects.of_user(user).covers().running(at)


def treated_ids(user: Any, at: Moment) -> set[UUID]:
    """Return the patients whom `user` treats or covers, with the row on record of each; two queries."""
    return {
        one for places_of in (memberships_of, covers_of)
        for pair in _treated(places_of, user.pk, user.organization_id, at) for one in pair
    }  # fmt: skip


def _treated_places(
    places_of: Callable[[Any, Moment], CareTeamMemberQuerySet], user_id: UUID, house_id: UUID, at: Moment
) -> QuerySet[CareTeamMember, tuple[UUID, UUID]]:
    rows = places_of(User(pk=user_id, organization_id=house_id), at)
    return rows.values_list("patient_id", "patient__person_id")


# Planned for each value, as `_lines` is: a plan for anybody can't know how few of a house are somebody's, and
# reads all its places and people.
_treated = kept(_treated_places, each_time=True)


@dataclass(frozen=True, slots=True)
class Treated:
    """A person whom somebody treats or covers, as a long list reads them: nothing that is sealed.

    `pk` is the id of the person's row on record, not that of the place, which may be on a row that was linked
    to it. `covers` names whom they stand in for, `covers_id` says who that is; both are None where they treat
    the person themselves.
    """

    pk: UUID
    person_id: UUID
    anonymous_id: str
    age_band: str
    timezone: str
    house_zone: str
    since: datetime
    covers: str | None
    covers_id: UUID | None = None

    def zone(self) -> str:
        """Return the IANA zone that the person's days are counted in."""
        return self.timezone or self.house_zone


def treated(user: Any, at: Moment, most: int) -> list[Treated]:
    """Return whom `user` treats or covers as values, at most `most` of each; own ones come first.

    Somebody may come twice, once for each place; who was deleted stays out. Two queries.
    """
    return [
        Treated(*row) for places_of in (memberships_of, covers_of)
        for row in _lines(places_of, user.pk, user.organization_id, at, most)
    ]  # fmt: skip


def _places(
    places_of: Callable[[Any, Moment], CareTeamMemberQuerySet], user_id: UUID, house_id: UUID, at: Moment,
    most: int,
) -> QuerySet[CareTeamMember, Any]:  # fmt: skip
    rows = places_of(User(pk=user_id, organization_id=house_id), at)
    rows = rows.annotate(standing=_on_record("status")).exclude(standing="deleted")
    # Of a membership nobody is covered: three hundred looks at every member of staff for a name.
    name = F("cover_for__user__full_name") if places_of is covers_of else Value(None, CharField())
    who = F("cover_for__user_id") if places_of is covers_of else Value(None, UUIDField())
    shown = {f"own_{name}": _on_record(name) for name in ("anonymous_id", "age_band", "timezone")}
    return rows.annotate(covered=name, covered_id=who, **shown).values_list(
        "patient__person_id", "patient__person_id", *shown, "patient__organization__default_timezone",
        "starts_at", "covered", "covered_id",
    )[:most]  # fmt: skip


def _on_record(name: str) -> Coalesce:
    """Return a column of a person's row on record, whichever row of theirs a place is on."""
    return Coalesce(F(f"patient__merged_into__{name}"), F(f"patient__{name}"))


_lines = kept(_places, each_time=True)


def grants_of(user: Any, at: Moment) -> GrantQuerySet:
    """Return the running single grants of `user`, annotated with `relation`, `opens_code` and `person`."""
    return PatientUserObjectPermission.objects.of_user(user).running(at)


def care_team(patient_id: UUID, at: datetime) -> list[CareTeamMember]:
    """Return the running places of a person's team and covers, on any of their rows, with their users.

    A cover whose account was closed stands in for nobody.
    """
    return _care_team(patient_id, at)


@kept
def _care_team(patient_id: UUID, at: datetime) -> QuerySet[CareTeamMember]:
    rows = CareTeamMember.objects.filter(patient__in=Patient.objects.same_person(patient_id)).running(at)
    rows = rows.exclude(cover_for__isnull=False, user__is_active=False)
    return rows.select_related("user", "cover_for__user").order_by("starts_at")


def seat(place: CareTeamMember) -> tuple[UUID, str, UUID | None]:
    """Return who stands on a team by a place, in which role and for whom: the same, whichever row it is on.

    Whoever has no account is nobody else; a cover comes with the place that it is of.
    """
    return place.user_id or place.pk, place.role, place.cover_for.user_id if place.cover_for else None


def seats(team: Iterable[CareTeamMember]) -> list[CareTeamMember]:
    """Return a team as it is shown and signed, where a place on each row of a person is one.

    Of these it is the place that lasts longest, the first to begin among equals.
    """
    found: dict[tuple[UUID, str, UUID | None], CareTeamMember] = {}
    for one in team:
        known = found.setdefault(seat(one), one)
        if known.ends_at is not None and (one.ends_at is None or one.ends_at > known.ends_at):
            found[seat(one)] = one
    return list(found.values())


def care_since(patient_id: UUID, at: datetime) -> datetime | None:
    """Return when the first of those who are on a person's team now came to it; None without a team."""
    return min((place.starts_at for place in care_team(patient_id, at)), default=None)


def care_began(
    people: Collection[UUID], linked: Mapping[UUID, tuple[UUID, ...]], at: datetime
) -> dict[UUID, datetime]:
    """Return, of each of these rows on record that has a team, when the first who is on it now came.

    `linked` are the rows linked to them: care began with the earliest place on any, as `care_since` has it.
    One query.
    """
    rows = dict(_began([*people, *(row for others in linked.values() for row in others)], at))
    found = {}
    for pk in people:
        moments = [rows[row] for row in (pk, *linked.get(pk, ())) if row in rows]
        if moments:
            found[pk] = min(moments)
    return found


@kept
def _began(patient_ids: list[UUID], at: datetime) -> QuerySet[CareTeamMember, tuple[UUID, datetime]]:
    rows = CareTeamMember.objects.filter(patient_id__in=patient_ids).running(at).order_by()
    rows = rows.exclude(cover_for__isnull=False, user__is_active=False)
    return rows.values("patient_id").annotate(began=Min("starts_at")).values_list("patient_id", "began")


def supervised_by(user: Any, at: Moment, patient_ids: Collection[UUID] | None = None) -> list[UUID]:
    """Return the patients (of these, or all) on whose teams `user` stands as the supervisor at `at`, with the
    row on record of each.

    Whoever is in training supervises nobody, whatever place they have.
    """
    few = None if patient_ids is None else list(patient_ids)
    pairs = _supervised(user.pk, user.organization_id, at, few)
    return sorted({one for pair in pairs for one in pair})


@kept
def _supervised(
    user_id: UUID, house_id: UUID, at: Moment, patient_ids: list[UUID] | None
) -> QuerySet[CareTeamMember, tuple[UUID, UUID]]:
    rows = memberships_of(User(pk=user_id, organization_id=house_id), at).filter(role=CareRole.SUPERVISOR)
    rows = rows.exclude(user__staff_profile__is_trainee=True)
    if patient_ids is not None:
        rows = rows.filter(patient_id__in=patient_ids)
    return rows.values_list("patient_id", "patient__person_id").distinct()


def is_supervised_by(user: User, team: Iterable[CareTeamMember]) -> bool:
    """Whether somebody stands as the supervisor, for nobody else, on a team that was read already.

    Whoever is in training does not; only of those who have the place it is asked.
    """
    places = (
        one.user_id == user.pk and one.role == CareRole.SUPERVISOR and not one.cover_for_id for one in team
    )
    return any(places) and not is_trainee(user)


def open_grants(patient_id: UUID, at: datetime) -> list[PatientUserObjectPermission]:
    """Return the grants of a patient that hold at `at`, with their users."""
    rows = PatientUserObjectPermission.objects.filter(content_object_id=patient_id).running(at)
    return list(rows.select_related("user", "permission").order_by("ends_at"))
