"""The demo's shifts: twelve hours each, and the next one when they are over; no model lives here."""

from __future__ import annotations

from datetime import datetime, timedelta

from clinical.backoffice import queries, world
from cortex.accounts.models import Organization, User
from cortex.accounts.queries import user_by_email
from cortex.audit import Actor
from cortex.audit.actors import actor_of_user
from crisis.duty.actions import end_shift, plan_shift, start_shift
from crisis.duty.models import DutyShift, DutyStatus

LENGTH = timedelta(hours=12)
AGREEMENT = "Night cover agreement 7 (fictional)"
ON_CALL_PHONE = "+254 700 200 001"


def machine(organization: Organization | None = None) -> Actor:
    """Return the demo itself as the actor, within both of its organizations."""
    scope = tuple(one.pk for one in organizations().values())
    own = organization.pk if organization else None
    return Actor("system", None, "system:demo", "system", organization_id=own, org_ids=scope)


def organizations() -> dict[str, Organization]:
    """Return those of the demo's organizations that are there, by slug."""
    slugs = [one["slug"] for one in world.read("people")["organizations"]]
    return {slug: found for slug in slugs if (found := queries.organization(slug)) is not None}


def renew_shifts(now: datetime) -> int:
    """Give everybody of the demo's roster whose shift is over in the plan the next one; return how many.

    A shift that a person ended by hand stays ended until its planned end, and nobody's own start is taken:
    who is to start by themself (`planned`) only finds a shift that waits.
    """
    homes, renewed = organizations(), 0
    for slug, role, _, email, duty in world.read("people")["staff"]:
        user = user_by_email(email)
        if duty and user is not None:
            renewed += _renew(homes, homes[slug], user, role, duty, now)
    return renewed


def _renew(
    homes: dict[str, Organization], home: Organization, user: User, role: str, duty: str, now: datetime
) -> bool:
    shift = queries.last_shift(user.pk)
    is_over = shift is None or shift.planned_end <= now
    starts_by_hand = duty == "planned"
    if is_over and shift is not None and shift.is_running and not starts_by_hand:
        end_shift(actor=actor_of_user(user))
    if shift is None or is_over:
        covers = list(homes.values()) if role == "supervisor" else []
        shift = _plan(home, user, "on_call" if duty == "on_call" else role, covers, now)
    # Also one that an interrupted run planned and did not start.
    if shift.status == DutyStatus.PLANNED and shift.planned_start <= now and not starts_by_hand:
        start_shift(actor=actor_of_user(user), shift_id=shift.pk, sound_tested=True, at=now)
    return is_over


def _plan(home: Organization, user: User, role: str, covers: list[Organization], now: datetime) -> DutyShift:
    return plan_shift(
        actor=machine(home),
        user_id=user.pk,
        role=role,
        organization_id=home.pk,
        planned_start=now,
        planned_end=now + LENGTH,
        covers=[one.pk for one in covers],
        phone=ON_CALL_PHONE if role == "on_call" else "",
        agreement=AGREEMENT if covers else "",
    )
