"""Who is on duty now, and whom a step of the chain asks; reads only."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from cortex.accounts.models import Organization, Role, User
from crisis.duty.models import OVERTIME, DutyRole, DutyShift

# Who is asked when an organization has neither a lead nor a supervisor: a chain never ends at nobody.
CARERS = (Role.COUNSELOR, Role.THERAPIST, Role.PSYCHIATRIST)


def running_shift(user_id: UUID) -> DutyShift | None:
    """Return the person's running shift, a break included."""
    return DutyShift.objects.running().filter(user_id=user_id).first()


def forgotten_shift_ids(at: datetime) -> list[UUID]:
    """Return the shifts that nobody ended although their time has long passed."""
    running = DutyShift.objects.running().filter(planned_end__lte=at - OVERTIME)
    return list(running.values_list("pk", flat=True))


def planned_shifts(user_id: UUID, at: datetime) -> list[DutyShift]:
    """Return the person's planned shifts that have not passed, earliest first."""
    return list(DutyShift.objects.plannable(at).filter(user_id=user_id).order_by("planned_start")[:5])


def covered_by(user_id: UUID) -> set[UUID]:
    """Return the organizations that the person's running shift covers."""
    shift = running_shift(user_id)
    return set(shift.covers) if shift else set()


def has_cover(organization_id: UUID) -> bool:
    """Whether anybody is at the desk for this organization now: a break or a forgotten shift is no cover."""
    return DutyShift.objects.at_work().covering([organization_id]).exists()


def people_for(who: str, organization_id: UUID, *, besides: UUID | None = None) -> list[User]:
    """Return the people whom a step asks, resolved now; an empty list means that the step can't run.

    `who` is on_duty, second (another counselor than the owner), supervisor, reviewer (a supervisor on shift
    who is not the asker), on_call or lead.
    """
    people = _BY_STEP[who](organization_id)
    return [person for person in people if person.pk != besides or who not in ("second", "reviewer")]


def _on_shift(organization_id: UUID, *roles: str) -> list[User]:
    shifts = (
        DutyShift.objects.at_work().covering([organization_id]).filter(role__in=roles).select_related("user")
    )
    return [shift.user for shift in shifts]


def _on_duty(organization_id: UUID) -> list[User]:
    return _on_shift(organization_id, DutyRole.COUNSELOR, DutyRole.SUPERVISOR)


def _reviewers(organization_id: UUID) -> list[User]:
    return _on_shift(organization_id, DutyRole.SUPERVISOR)


def _second(organization_id: UUID) -> list[User]:
    return _on_shift(organization_id, DutyRole.COUNSELOR)


def _supervisors(organization_id: UUID) -> list[User]:
    on_shift = _on_shift(organization_id, DutyRole.SUPERVISOR)
    if on_shift:
        return on_shift
    return list(User.objects.filter(organization_id=organization_id, role=Role.SUPERVISOR, is_active=True))


def _on_call(organization_id: UUID) -> list[User]:
    return _on_shift(organization_id, DutyRole.ON_CALL)


def _leads(organization_id: UUID) -> list[User]:
    named = User.objects.filter(is_active=True, organization_id=organization_id)
    leads = [person for person in named if str(person.pk) in _lead_ids(person.organization)]
    return leads or _supervisors(organization_id) or list(named.filter(role__in=CARERS))


def _lead_ids(organization: object) -> list[str]:
    return [str(identifier) for identifier in getattr(organization, "settings", {}).get("leads", [])]


_BY_STEP = {
    "on_duty": _on_duty,
    "second": _second,
    "supervisor": _supervisors,
    "reviewer": _reviewers,
    "on_call": _on_call,
    "lead": _leads,
}


def roster(organizations: Iterable[UUID]) -> list[DutyShift]:
    """Return the running shifts that cover these organizations, with each person's open cases counted."""
    open_cases = Count(
        "user__claimed_alerts",
        filter=Q(user__claimed_alerts__status__in=["acknowledged", "in_contact", "monitoring"]),
        distinct=True,
    )
    return list(
        DutyShift.objects.running()
        .staffed()
        .covering(organizations)
        .select_related("user")
        .annotate(open_cases=open_cases)
        .order_by("role", "user__full_name")
    )


def shifts_of(organizations: list[UUID]) -> dict[UUID, list[tuple[object, ...]]]:
    """Return for each organization what tells its list of running shifts from another, in one query."""
    found: dict[UUID, list[tuple[object, ...]]] = {}
    shifts = DutyShift.objects.running().staffed().covering(organizations)
    for covers, *facts in shifts.values_list("covers", "pk", "status", "planned_end", "paused_until"):
        for organization_id in covers:
            found.setdefault(organization_id, []).append(tuple(facts))
    return found


def leads_of(user: User) -> bool:
    """Whether the person is named as a lead in their organization's settings."""
    return bool(user.organization_id) and str(user.pk) in _lead_ids(user.organization)


def covering_users(organization_id: UUID, user_ids: Iterable[UUID]) -> set[UUID]:
    """Return those of these people who may work at a desk and whose running shift covers an organization."""
    found = DutyShift.objects.running().staffed().covering([organization_id])
    found = found.filter(user_id__in=list(user_ids))
    return set(found.values_list("user_id", flat=True))


def may_be_covered_by(organization_id: UUID | None) -> QuerySet[Organization]:
    """Return the organizations that agreed to be covered by this one (settings: `covered_by`)."""
    return Organization.objects.filter(is_active=True, settings__covered_by__has_key=str(organization_id))


def works_for(user_id: UUID, organization_id: UUID) -> bool:
    """Whether an active person belongs to an organization."""
    return User.objects.filter(pk=user_id, organization_id=organization_id, is_active=True).exists()


def lead_ids(organization_id: UUID) -> list[UUID]:
    """Return the ids of the people whom an organization's settings name as leads."""
    organization = Organization.objects.filter(pk=organization_id).first()
    return [UUID(one) for one in _lead_ids(organization)] if organization else []
