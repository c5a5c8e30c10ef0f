"""Writes of planned absences: a colleague covers everybody, and it comes back by itself or early."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from cortex.accounts.choices import Role
from cortex.accounts.queries import active_users
from cortex.audit import Actor, InputRefused, NotFound, RuleBroken, Unchanged, action, record
from cortex.clock import clock
from cortex.horizon import refuse_far
from cortex.ops.notices.actions import notify
from patients.care.actions import end_care_team_place, plan_cover
from patients.covers import queries
from patients.covers.models import Absence
from patients.pathway.queries import TREATING

LONGEST = timedelta(days=183)
COVER_AWAY = "They are away themselves then."
PLANNERS = frozenset({Role.SUPERVISOR, Role.ADMIN})


@action
def plan_absence(
    *, actor: Actor, user_id: UUID, cover_id: UUID, starts_at: datetime, ends_at: datetime,
    at: datetime | None = None,
) -> Absence:  # fmt: skip
    """Let a colleague stand in for somebody with every person they treat, from then until then.

    One's own, or as supervisor or administrator anybody's of the house. Raises NotFound, InputRefused with
    the field, RuleBroken `absence_overlaps`, and `stands_in` for who stands in for somebody themselves then:
    a cover's cover sees none of these people.
    """
    at = clock(at)
    starts_at = max(starts_at, at)
    house = actor.person.organization_id
    if house is None or (user_id != actor.id and actor.role not in PLANNERS):
        raise NotFound("There is no such member of staff.", "user_unknown")
    refuse_far(at, starts_at=starts_at, ends_at=ends_at)
    if not starts_at < ends_at <= starts_at + LONGEST:
        raise InputRefused("It must end after it starts, within half a year.", "spell_empty", field="ends_at")
    if cover_id == user_id:
        raise InputRefused("Nobody covers for themself.", "cover_of_self", field="cover")
    staff = set(active_users(organization_id=house, roles=TREATING).values_list("pk", flat=True))
    if user_id not in staff:
        raise NotFound("There is no such member of staff.", "user_unknown")
    if cover_id not in staff:
        raise InputRefused("Choose a therapist or psychiatrist.", "user_unknown", field="cover")
    # Two who plan at once, also each in the other's place: the second sees what the first has planned.
    queries.lock_staff([user_id, cover_id])
    if queries.overlapping(user_id, starts_at, ends_at):
        raise RuleBroken("An absence is planned for that time already.", "absence_overlaps")
    if queries.overlapping(cover_id, starts_at, ends_at):
        raise InputRefused(COVER_AWAY, "cover_away", field="cover")
    if names := queries.stood_in_during(user_id, starts_at, ends_at):
        who = "You stand" if user_id == actor.id else "They stand"
        raise RuleBroken(
            f"{who} in for {_join(names)} in that time. Let a colleague do that first.", "stands_in"
        )
    one = Absence.objects.create(
        organization_id=house, user_id=user_id, cover_id=cover_id, starts_at=starts_at, ends_at=ends_at,
        planned_by=actor.user,
    )  # fmt: skip
    count = _cover_all(actor, one, at)
    record(actor, "absence.planned", one, codes={"cover": str(cover_id), "people": count})
    notify(
        actor=actor, organization_id=house, user_ids=[cover_id, user_id], code="cover",
        object_type="patients.Absence", object_id=one.pk, codes={"for": str(user_id)},
    )  # fmt: skip
    return one


@action
def cover_newcomers(*, actor: Actor, absence_id: UUID, at: datetime | None = None) -> int:
    """Cover those too who joined since the absence was planned; return how many that were.

    RuleBroken `cover_gone` where the cover's account was closed.
    """
    at = clock(at)
    one = _own(actor, absence_id)
    if not one.cover.is_active:
        raise RuleBroken(
            f"The account of {one.cover.full_name} is closed. End this absence and plan it anew.",
            "cover_gone",
        )
    count = _cover_all(actor, one, at)
    if not count:
        return Unchanged(0)  # type: ignore[return-value]
    record(actor, "absence.extended", one, codes={"people": count})
    return count


def _cover_all(actor: Actor, one: Absence, at: datetime) -> int:
    places = queries.uncovered_places(one, at)
    for place in places:
        plan_cover(
            actor=actor, member_id=place.pk, user_id=one.cover_id, starts_at=max(at, one.starts_at),
            ends_at=one.ends_at, at=at,
        )  # fmt: skip
    return len(places)


@action
def end_absence(*, actor: Actor, absence_id: UUID, at: datetime | None = None) -> Absence:
    """Come back early, or call it off: every cover of it ends now."""
    at = clock(at)
    one = _own(actor, absence_id)
    if one.ended_at is not None or one.ends_at <= at:
        return Unchanged(one)  # type: ignore[return-value]
    for cover in queries.covers_in(one, at):
        end_care_team_place(actor=actor, member_id=cover.pk, at=at)
    one.ended_at = at
    one.save(update_fields=["ended_at", "updated_at"])
    record(actor, "absence.ended", one)
    return one


def _join(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _own(actor: Actor, absence_id: UUID) -> Absence:
    one = queries.locked_absence(absence_id, actor.organization_id)
    if one is None or (one.user_id != actor.id and actor.role not in PLANNERS):
        raise NotFound("This does not exist, or it is not yours.", "not_found")
    return one
