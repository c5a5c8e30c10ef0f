"""Writes of care teams, planned covers and single grants: the rows that open a person to somebody."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.models import Permission
from django.db.models import Q, QuerySet

from cortex.access.context import opening
from cortex.accounts.choices import Role
from cortex.accounts.models import User
from cortex.accounts.queries import is_trainee
from cortex.audit import Actor, InputRefused, NotFound, Unchanged, action, record
from cortex.clock import clock
from cortex.horizon import refuse_far
from cortex.ui.zone import zone_of
from patients.care.models import WITHOUT_ACCOUNT, CareTeamMember, PatientUserObjectPermission
from patients.codes import CareRole, GrantReason, PatientStatus
from patients.registry.models import Patient
from patients.registry.predicate import CHART, VIEW
from patients.registry.queries import lock_person

# Break-glass: 4 hours, 12 at most (domain 7.4). Other grants end within a quarter and are renewed on purpose.
LONGEST = {GrantReason.BREAK_GLASS: timedelta(hours=12)}
LONGEST_OTHER = timedelta(days=92)
GIVABLE = frozenset({VIEW, CHART})
CLINICAL = frozenset({Role.COUNSELOR, Role.THERAPIST, Role.PSYCHIATRIST, Role.SUPERVISOR})
# Whose word makes a therapist or psychiatrist the supervisor of a team.
LEADING = frozenset({Role.SUPERVISOR, Role.ADMIN})
SENIOR = frozenset({Role.THERAPIST, Role.PSYCHIATRIST})


@action
def add_to_care_team(
    *,
    actor: Actor,
    patient_id: UUID,
    role: str,
    user_id: UUID | None = None,
    outside_name: str | None = None,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    at: datetime | None = None,
) -> CareTeamMember:
    """Put a member of staff (or, for caregivers and family doctors, an outside name) on a patient's team.

    Whoever supervises reads trainees' labelled notes and co-signs: nobody gives themself that place.
    Raises NotFound for an unknown patient or user, InputRefused for a role or times that don't fit,
    and InputRefused `already_on_team`.
    """
    at = clock(at)
    patient = _patient(actor, patient_id)
    start = starts_at or at
    _check_role(role, user_id)
    _check_spell(start, ends_at, at)
    _check_backdated(actor, patient, start, at)
    user = _clinician(user_id, patient) if user_id is not None else None
    if user is not None and role == CareRole.SUPERVISOR:
        _check_supervisor(actor, user)
    # The person's lock orders two who add the same colleague; a place of days to come is one as well.
    lock_person(patient.pk)
    if user is not None and _places_beside(patient, user, role, start, ends_at).exists():
        raise InputRefused(
            "They are on this team already, or from a later day on.", "already_on_team", field="user"
        )
    with opening(actor, purpose="care_team") as ctx:
        if outside_name:
            ctx.load_keys([patient.pk])
        member = CareTeamMember.objects.create(
            organization_id=patient.organization_id,
            patient=patient,
            user=user,
            outside_name=outside_name,
            role=role,
            starts_at=start,
            ends_at=ends_at,
        )
    if user is not None and role == CareRole.PRIMARY_THERAPIST and member.holds(at):
        _lead(Patient.objects.filter(pk=patient.pk, primary_clinician__isnull=True), user.pk, at)
    record(actor, "care_team.joined", member, codes={"role": role, "user": str(user_id or "")})
    return member


def _places_beside(
    patient: Patient, user: User, role: str, start: datetime, end: datetime | None
) -> QuerySet[CareTeamMember]:
    """Return somebody's places of this role that hold between `start` and `end` (None: for good)."""
    places = CareTeamMember.objects.memberships().ever().filter(patient=patient, user=user, role=role)
    unfinished = places.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=start))
    return unfinished if end is None else unfinished.filter(starts_at__lt=end)


@action
def end_care_team_place(*, actor: Actor, member_id: UUID, at: datetime | None = None) -> CareTeamMember:
    """End a place or a cover now; whoever covers it loses the way in with it.

    The person is locked before the place, as by everybody who ends or moves care: a place that ends may
    change who leads.
    """
    at = clock(at)
    known = _own(actor, CareTeamMember.objects.filter(pk=member_id)).values_list("patient_id", flat=True)
    for patient_id in known:
        lock_person(patient_id)
    member = _own(actor, CareTeamMember.objects.select_for_update()).filter(pk=member_id).first()
    if member is None:
        raise NotFound("There is no such place on a team.", "place_unknown")
    if member.ends_at is not None and member.ends_at <= at:
        return Unchanged(member)  # type: ignore[return-value]
    member.ends_at = max(at, member.starts_at)
    member.save(update_fields=["ends_at", "updated_at"])
    if member.user is not None and member.cover_for_id is None:
        _give_up_lead(member, member.user, at)
    record(actor, "care_team.left", member, codes={"role": member.role, "user": str(member.user_id or "")})
    return member


def _lead(people: QuerySet[Patient], user_id: UUID | None, at: datetime) -> None:
    """Say whose the tasks of these people are: the clinician who leads their care, or the desk's."""
    people.update(primary_clinician=user_id, updated_at=at)


def _give_up_lead(member: CareTeamMember, user: User, at: datetime) -> None:
    """Let the next primary therapist lead the care when the one who did leaves the team, else nobody.

    The team is the person's: a place on any of their rows keeps the lead, and who leaves leads none of them.
    """
    rows = Patient.objects.same_person(member.patient_id)
    places = CareTeamMember.objects.memberships().running(at).filter(patient__in=rows)
    if places.filter(user=user).exists():
        return
    others = places.filter(role=CareRole.PRIMARY_THERAPIST, user__isnull=False).order_by("starts_at")
    _lead(rows.filter(primary_clinician=user), others.values_list("user_id", flat=True).first(), at)


@action
def plan_cover(
    *,
    actor: Actor,
    member_id: UUID,
    user_id: UUID,
    starts_at: datetime,
    ends_at: datetime,
    at: datetime | None = None,
) -> CareTeamMember:
    """Let somebody stand in for a place on a team from `starts_at` until `ends_at`."""
    at = clock(at)
    places = _own(actor, CareTeamMember.objects.select_for_update())
    member = places.filter(pk=member_id, cover_for__isnull=True).first()
    if member is None or not (member.holds(at) or member.starts_at > at):
        raise NotFound("There is no such place on a team.", "place_unknown")
    _check_spell(starts_at, ends_at, at)
    patient = _patient(actor, member.patient_id)
    user = _clinician(user_id, patient)
    if user.pk == member.user_id:
        raise InputRefused("Nobody covers for themself.", "cover_of_self", field="user")
    cover = CareTeamMember.objects.create(
        organization_id=patient.organization_id,
        patient=patient,
        user=user,
        role=member.role,
        starts_at=starts_at,
        ends_at=ends_at,
        cover_for=member,
    )
    record(actor, "cover.planned", cover, codes={"for": str(member.user_id), "user": str(user.pk)})
    return cover


@action
def grant_access(
    *,
    actor: Actor,
    patient_id: UUID,
    user_id: UUID,
    reason_code: str,
    ends_at: datetime,
    permission: str = VIEW,
    reason: str | None = None,
    starts_at: datetime | None = None,
    at: datetime | None = None,
) -> PatientUserObjectPermission:
    """Let one member of staff see one patient for a while (consultation, second opinion, break-glass).

    Raises NotFound for an unknown patient or user and InputRefused for an unknown reason, a permission that
    can't be given, a spell longer than policy allows, or break-glass without a word of why.
    """
    at = clock(at)
    start = starts_at or at
    _check_spell(start, ends_at, at)
    if reason_code not in GrantReason.values or permission not in GIVABLE:
        raise InputRefused(
            "Choose a reason and a permission of the list.", "grant_unknown", field="reason_code"
        )
    longest = LONGEST.get(GrantReason(reason_code), LONGEST_OTHER)
    if reason_code == GrantReason.BREAK_GLASS and not (reason or "").strip():
        raise InputRefused("Say why the glass is broken: it is reviewed.", "required", field="why")
    if ends_at - start > longest:
        raise InputRefused("This is longer than such a grant may last.", "grant_too_long", field="ends_at")
    patient = _patient(actor, patient_id)
    user = _clinician(user_id, patient)
    given = PatientUserObjectPermission.objects.filter(user=user, content_object=patient, starts_at=start)
    if given.filter(permission=_permission(permission)).exists():
        raise InputRefused("They were given this already, from the same time.", "grant_twice", field="user")
    with opening(actor, purpose="grant") as ctx:
        if reason:
            ctx.load_keys([patient.pk])
        grant = PatientUserObjectPermission.objects.create(
            organization_id=patient.organization_id,
            user=user,
            permission=_permission(permission),
            content_object=patient,
            starts_at=start,
            ends_at=ends_at,
            reason_code=reason_code,
            reason=reason,
            granted_by_id=actor.id if actor.kind == "user" else None,
        )
    codes = {"reason": reason_code, "permission": permission, "user": str(user_id)}
    record(actor, "access.granted", grant, subject=patient.pk, codes=codes)
    return grant


@action
def end_grant(*, actor: Actor, grant_id: UUID, at: datetime | None = None) -> PatientUserObjectPermission:
    """End a grant now; the row stays."""
    at = clock(at)
    grants = _own(actor, PatientUserObjectPermission.objects.select_for_update())
    grant = grants.filter(pk=grant_id).first()
    if grant is None:
        raise NotFound("There is no such grant.", "grant_unknown")
    if grant.ends_at <= at:
        return Unchanged(grant)  # type: ignore[return-value]
    grant.ends_at = max(at, grant.starts_at)
    grant.save(update_fields=["ends_at"])
    codes = {"reason": grant.reason_code, "user": str(grant.user_id)}
    record(actor, "access.ended", grant, subject=grant.content_object_id, codes=codes)
    return grant


def _own(actor: Actor, rows: QuerySet[Any]) -> QuerySet[Any]:
    """Keep the rows of the actor's own organization: nobody opens a person of another house to anybody."""
    return rows if actor.is_unbound else rows.filter(organization_id__in=actor.org_ids)


def _patient(actor: Actor, patient_id: UUID) -> Patient:
    people = _own(actor, Patient.objects.exclude(status=PatientStatus.DELETED))
    patient = people.filter(pk=patient_id).first()
    if patient is None:
        raise NotFound("There is no such person on record.", "patient_unknown")
    return patient


def _clinician(user_id: UUID, patient: Patient) -> User:
    user = User.objects.filter(pk=user_id, is_active=True, organization_id=patient.organization_id).first()
    if user is None:
        raise NotFound("There is no such member of staff.", "user_unknown")
    if user.role not in CLINICAL:
        raise InputRefused("Only people who treat can be given a patient.", "role_not_clinical", field="user")
    return user


def _permission(codename: str) -> Permission:
    return Permission.objects.get(content_type__app_label="patients", codename=codename)


def _check_role(role: str, user_id: UUID | None) -> None:
    if role not in CareRole.values:
        raise InputRefused("Choose a role of the list.", "care_role_unknown", field="role")
    if user_id is None and role not in WITHOUT_ACCOUNT:
        raise InputRefused("This role needs a member of staff.", "care_role_needs_user", field="user")


def _check_supervisor(actor: Actor, user: User) -> None:
    """Refuse a supervisor's place to whoever asks it for themself, is in training, or was named by a peer."""
    if user.pk == actor.id:
        raise InputRefused(
            "Nobody makes themself the supervisor. Ask a supervisor or an administrator to do it.",
            "supervisor_self",
            field="user",
        )
    if is_trainee(user):
        raise InputRefused(
            "They are in training themself. Choose a supervisor.", "supervisor_trainee", field="user"
        )
    named = actor.kind == "system" or actor.role in LEADING
    if user.role != Role.SUPERVISOR and not (named and user.role in SENIOR):
        raise InputRefused(
            "Choose a supervisor. A supervisor or an administrator may also name a therapist.",
            "supervisor_role",
            field="user",
        )


def _check_backdated(actor: Actor, patient: Patient, start: datetime, at: datetime) -> None:
    """Refuse a place from before yesterday: who treated when was so, or comes by an import."""
    if actor.is_system or start > at - timedelta(days=1):
        return
    zone = zone_of(patient.organization.default_timezone)
    if start.astimezone(zone).date() < at.astimezone(zone).date() - timedelta(days=1):
        raise InputRefused("A place begins yesterday at the earliest.", "backdated", field="starts_at")


def _check_spell(starts_at: datetime, ends_at: datetime | None, at: datetime) -> None:
    refuse_far(at, starts_at=starts_at, ends_at=ends_at)
    if ends_at is not None and ends_at <= starts_at:
        raise InputRefused("It must end after it starts.", "spell_empty", field="ends_at")
