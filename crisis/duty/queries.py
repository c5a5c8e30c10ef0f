"""Who is on duty now, and whom a step of the chain asks; reads only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import (
    BooleanField,
    Exists,
    F,
    Func,
    IntegerField,
    OuterRef,
    QuerySet,
    TextField,
    UUIDField,
    Value,
)
from django.db.models.functions import Cast
from django.utils.dateparse import parse_datetime

from cortex.accounts.choices import DESK_ROLES
from cortex.accounts.models import Organization, Role, User
from cortex.ops.postgres.questions import kept
from crisis.duty.models import OVERTIME, DutyRole, DutyShift, DutyShiftQuerySet, DutyStatus, covers_now

# Who is asked when an organization has neither a lead nor a supervisor: a chain never ends at nobody.
CARERS = (Role.COUNSELOR, Role.THERAPIST, Role.PSYCHIATRIST)
# Domain 3.7: who may decide as the second reader.
READERS = (Role.THERAPIST, Role.PSYCHIATRIST, Role.SUPERVISOR)
# What a shift lets its person be asked for is asked of their role too: a chain that calls a supervisor or the
# clinician on call must not end at somebody who may not decide.
MAY_BE = {DutyRole.SUPERVISOR: READERS, DutyRole.ON_CALL: READERS}


def running_shift(user_id: UUID) -> DutyShift | None:
    """Return the person's running shift, a break included."""
    return DutyShift.objects.running().filter(user_id=user_id).first()


def muted_seconds(listener: DutyShift | User, at: datetime) -> int:
    """Return for how many seconds the alarm stays muted: by a shift, or by an account without one."""
    if isinstance(listener, DutyShift):
        until = listener.muted_until
    else:
        until = parse_datetime(listener.preferences.get("muted_until") or "")
    return max(0, int((until - at).total_seconds())) if until else 0


def just_ended_shift(user_id: UUID, at: datetime) -> DutyShift | None:
    """Return the shift whose end the person may still take back."""
    ended = DutyShift.objects.filter(user_id=user_id).just_ended(at).order_by("-ended_at")
    return ended.first()


def forgotten_shift_ids(at: datetime) -> list[UUID]:
    """Return the shifts that nobody ended although their time has long passed."""
    running = DutyShift.objects.running().filter(planned_end__lte=at - OVERTIME)
    return list(running.values_list("pk", flat=True))


def untold_start_ids(at: datetime) -> list[UUID]:
    """Return running shifts that nobody had planned and of which the supervisors weren't told yet."""
    unplanned = DutyShift.objects.running().filter(is_planned=False, start_told_at__isnull=True)
    return list(unplanned.values_list("pk", flat=True))


def overrun_break_ids(at: datetime) -> list[UUID]:
    """Return the shifts whose break is over, without the person back, and of which nobody was told yet."""
    paused = DutyShift.objects.filter(status=DutyStatus.PAUSED, paused_until__lte=at)
    return list(paused.filter(break_told_at__isnull=True).values_list("pk", flat=True))


def locked_shift(shift_id: UUID) -> DutyShift | None:
    """Lock and return a running shift with its person and organization."""
    rows = DutyShift.objects.select_for_update(of=("self",)).select_related("user", "organization")
    return rows.running().filter(pk=shift_id).first()


def lets_clinicians_start(organization_id: UUID) -> bool:
    """Whether therapists and psychiatrists may start a shift that nobody planned (settings)."""
    return Organization.objects.filter(pk=organization_id, settings__unplanned_clinicians=True).exists()


def planned_shifts(user_id: UUID, at: datetime) -> list[DutyShift]:
    """Return the person's planned shifts that have not passed, earliest first."""
    return list(DutyShift.objects.coming(at).filter(user_id=user_id).order_by("planned_start")[:5])


def covered_by(user_id: UUID) -> set[UUID]:
    """Return the organizations that the person's running shift covers, while they agree to it."""
    return set(_covered_by(user_id))


@kept
def _covered_by(user_id: UUID) -> QuerySet[Organization, UUID]:
    return organizations_covered(user_id).values_list("pk", flat=True)


def organizations_covered(user_id: Any) -> QuerySet[Organization]:
    """Return the organizations of `covered_by` as a condition in SQL; `user_id` may be an expression."""
    own = DutyShift.objects.running().of_desk().filter(user_id=user_id)
    return Organization.objects.filter(
        Exists(own.filter(covers_now(OuterRef("pk"), OuterRef("settings__covered_by"))))
    )


def desk_organizations(user: User) -> set[UUID]:
    """Return the organizations whose cards the person sees now: covered by shift, supervised, or led."""
    covered = covered_by(user.pk)
    if user.organization_id is not None and hears_off_shift(user):
        covered.add(user.organization_id)
    return covered


def hears_off_shift(user: User) -> bool:
    """Whether the person has the desk of their own service without a shift, too."""
    return user.organization_id is not None and (user.role == Role.SUPERVISOR or leads_of(user))


def has_cover(organization_id: UUID) -> bool:
    """Whether anybody is at the desk for this organization now: a break or a forgotten shift is no cover."""
    return bool(_anybody_at_desk([organization_id]))


@kept
def _anybody_at_desk(organizations: list[UUID]) -> QuerySet[DutyShift, UUID]:
    return _at_desk(organizations).order_by().values_list("pk", flat=True)[:1]


def without_cover(organizations: QuerySet[Organization]) -> set[UUID]:
    """Return the ids of those of these organizations that nobody is at the desk for; one query."""
    here = covers_now(OuterRef("pk"), OuterRef("settings__covered_by"))
    left = organizations.filter(~Exists(DutyShift.objects.at_work().filter(here)))
    return set(left.values_list("pk", flat=True))


def _at_desk(organizations: list[UUID]) -> DutyShiftQuerySet:
    return DutyShift.objects.at_work().covering(organizations).filter(user__is_active=True)


def is_at_work(user_id: UUID, organization_id: UUID) -> bool:
    """Whether this person is at the desk for this organization now, not on a break or a forgotten shift."""
    return DutyShift.objects.at_work().covering([organization_id]).filter(user_id=user_id).exists()


def people_for(who: str, organization_id: UUID, *, besides: UUID | None = None) -> list[User]:
    """Return the people whom one step asks; see `Desk.people_for`."""
    return desk_of(organization_id).people_for(who, besides=besides)


def desk_of(organization_id: UUID) -> Desk:
    """Return who is at the desk of an organization now, in one query."""
    return Desk(organization_id, _people_at_desk([organization_id]))


@kept
def _people_at_desk(organizations: list[UUID]) -> QuerySet[DutyShift]:
    return _at_desk(organizations).select_related("user")


@dataclass(frozen=True, slots=True)
class Desk:
    """Who was at the desk when it was read: one look serves all steps that fire in one transaction."""

    organization_id: UUID
    shifts: list[DutyShift]
    known: dict[str, list[User]] = field(default_factory=dict, compare=False, repr=False)

    @property
    def staff(self) -> list[User]:
        """Everybody of the organization whose account is open, on shift or not; read when first asked for."""
        if "staff" not in self.known:
            people = User.objects.filter(is_active=True, organization_id=self.organization_id)
            self.known["staff"] = list(people.select_related("organization"))
        return self.known["staff"]

    @property
    def is_covered(self) -> bool:
        """Whether anybody is there."""
        return bool(self.shifts)

    def people_for(self, who: str, *, besides: UUID | None = None) -> list[User]:
        """Return the people whom a step asks; an empty list means that the step can't run.

        `who` is on_duty, second (another counselor than the owner), supervisor, reviewer (somebody on shift
        who may decide as second reader), on_call or lead. `besides` is the owner: nobody is told about
        themselves by a step that asks for somebody else.
        """
        return _BY_STEP[who](self, besides)

    def on_shift(self, *roles: str) -> list[User]:
        """Return the people who are there in these roles, and may be."""
        there = (shift for shift in self.shifts if shift.role in roles)
        return [shift.user for shift in there if may_be(shift.role, shift.user.role)]


def may_be(duty_role: str, role: str) -> bool:
    """Whether somebody of this role may have such a shift."""
    asked = MAY_BE.get(DutyRole(duty_role))
    return asked is None or role in asked


def role_of(user_id: UUID) -> str:
    """Return somebody's role, empty for nobody."""
    return User.objects.filter(pk=user_id).values_list("role", flat=True).first() or ""


def _others(people: Iterable[User], besides: UUID | None) -> list[User]:
    return [person for person in people if person.pk != besides]


def _on_duty(desk: Desk, besides: UUID | None) -> list[User]:
    """Everybody at the desk; whoever is on call when they are the only ones there."""
    at_the_board = [shift.user for shift in desk.shifts if shift.role != DutyRole.ON_CALL]
    return at_the_board or [shift.user for shift in desk.shifts]


def _reviewers(desk: Desk, besides: UUID | None) -> list[User]:
    return _others(desk.on_shift(DutyRole.SUPERVISOR), besides)


def _second(desk: Desk, besides: UUID | None) -> list[User]:
    """The counselors besides the owner; when nobody owns it, the only one on shift was asked first."""
    counselors = desk.on_shift(DutyRole.COUNSELOR)
    if besides is None and len(counselors) < 2:
        return []
    return _others(counselors, besides)


def _supervisors(desk: Desk, besides: UUID | None) -> list[User]:
    on_shift = _others(desk.on_shift(DutyRole.SUPERVISOR), besides)
    if on_shift:
        return on_shift
    return _others([person for person in desk.staff if person.role == Role.SUPERVISOR], besides)


def _on_call(desk: Desk, besides: UUID | None) -> list[User]:
    return _others(desk.on_shift(DutyRole.ON_CALL), besides)


def _leads(desk: Desk, besides: UUID | None) -> list[User]:
    """The leads, else the supervisors, else the carers; if there is nobody but the owner, the owner."""
    leads = [person for person in desk.staff if leads_of(person)]
    carers = [person for person in desk.staff if person.role in CARERS]
    for asked in (leads, _supervisors(desk, besides), carers):
        if others := _others(asked, besides):
            return others
    return leads or _supervisors(desk, None) or carers


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
    # Whoever covers two services is as busy on both rosters: the function counts past the rows' scope.
    open_cases = Func(F("user_id"), function="crisis_open_cases", output_field=IntegerField())
    return list(
        DutyShift.objects.running()
        .of_desk()
        .covering(organizations)
        .select_related("user")
        .annotate(open_cases=open_cases)
        .order_by("role", "user__full_name")
    )


def shifts_of(organizations: list[UUID]) -> dict[UUID, list[tuple[object, ...]]]:
    """Return for each organization what tells its list of running shifts from another, in one query."""
    found: dict[UUID, list[tuple[object, ...]]] = {}
    shifts = DutyShift.objects.running().of_desk().covering(organizations)
    for covers, *facts in shifts.values_list("covers", "pk", "status", "planned_end", "paused_until"):
        for organization_id in set(covers) & set(organizations):
            found.setdefault(organization_id, []).append(tuple(facts))
    return found


def leads_of(user: User) -> bool:
    """Whether the person works at the desk and is named as a lead in their organization's settings."""
    return (
        user.role in DESK_ROLES
        and user.organization is not None
        and str(user.pk) in user.organization.lead_ids
    )


def organization_led(user: User) -> QuerySet[Organization]:
    """Return the person's organization where it names them as a lead: what `leads_of` says, in SQL."""
    own = Cast(Value(user.pk, output_field=UUIDField()), TextField())
    named = Func(F("settings__leads"), own, function="jsonb_exists", output_field=BooleanField())
    return Organization.objects.filter(named, pk=user.organization_id)


def covering_users(organization_id: UUID, user_ids: Iterable[UUID]) -> set[UUID]:
    """Return those of these active people whose running shift covers an organization."""
    shifts = DutyShift.objects.running().of_desk().covering([organization_id])
    found = shifts.filter(user_id__in=list(user_ids))
    return set(found.values_list("user_id", flat=True))


def may_be_covered_by(organization_id: UUID | None) -> QuerySet[Organization]:
    """Return the organizations that agree to be covered by this one (settings: `covered_by`)."""
    return Organization.objects.filter(is_active=True, settings__covered_by__has_key=str(organization_id))


def agreeing(organization_id: UUID) -> set[UUID]:
    """Return the ids of the organizations that agree to be covered by this one."""
    return set(may_be_covered_by(organization_id).values_list("pk", flat=True))


def works_for(user_id: UUID, organization_id: UUID) -> bool:
    """Whether an active person works at the desk of an organization."""
    staff = User.objects.filter(pk=user_id, organization_id=organization_id, is_active=True)
    return staff.filter(role__in=DESK_ROLES).exists()


def lead_ids(organization_id: UUID) -> list[UUID]:
    """Return the ids of the active people of the desk whom an organization's settings name as leads."""
    organization = Organization.objects.filter(pk=organization_id).first()
    if organization is None or not organization.lead_ids:
        return []
    staff = User.objects.filter(
        pk__in=organization.lead_ids, organization=organization, is_active=True, role__in=DESK_ROLES
    )
    return list(staff.values_list("pk", flat=True))
