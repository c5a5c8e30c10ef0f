"""Reads of ways in and out: referrals that wait, how care ended, whose caseload holds whom."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from cortex.accounts.choices import Role
from cortex.accounts.models import User
from patients.care.models import CareTeamMember, PatientUserObjectPermission
from patients.codes import CareRole, EndingKind, GrantReason, ReferralStatus
from patients.pathway.models import CareEnding, Referral, ReferralQuerySet
from patients.registry.models import Patient

# Who may take somebody into care.
TREATING = (Role.THERAPIST, Role.PSYCHIATRIST)


def referrals_to(user: Any) -> ReferralQuerySet:
    """Return the waiting referrals that `user` answers: those naming them; as supervisor the house's."""
    waiting = Referral.objects.waiting().filter(organization_id=user.organization_id)
    return waiting if user.role == Role.SUPERVISOR else waiting.filter(asked=user)


def waiting_for(user: User) -> list[Referral]:
    """Return them with their people, the longest waiting first."""
    rows = referrals_to(user).select_related("patient", "asked", "made_by")
    return list(rows.order_by("received_at"))


def referral_for(user: User, referral_id: UUID) -> Referral | None:
    """Return a waiting referral that the user answers, or None."""
    return referrals_to(user).select_related("patient", "asked", "made_by").filter(pk=referral_id).first()


def answered_by(user: User, limit: int = 10) -> list[Referral]:
    """Return what somebody answered last; as supervisor, the house."""
    rows = Referral.objects.filter(organization_id=user.organization_id, decided_at__isnull=False)
    own = rows if user.role == Role.SUPERVISOR else rows.filter(Q(decided_by=user) | Q(made_by=user))
    return list(own.select_related("patient", "decided_by").order_by("-decided_at")[:limit])


def locked_referral(referral_id: UUID, organization_id: UUID | None) -> Referral | None:
    """Lock and return a referral of an organization, or None."""
    rows = Referral.objects.select_for_update(of=("self",)).select_related("patient")
    return rows.filter(pk=referral_id, organization=organization_id).first()


def last_referral(patient_ids: Iterable[UUID]) -> Referral | None:
    """Return the newest referral of a person."""
    rows = Referral.objects.filter(patient_id__in=list(patient_ids)).select_related("made_by", "decided_by")
    return rows.order_by("-received_at").first()


def accepted_referral(patient_ids: Iterable[UUID]) -> Referral | None:
    """Return the newest referral of a person that somebody accepted."""
    rows = Referral.objects.filter(patient_id__in=list(patient_ids), status=ReferralStatus.ACCEPTED)
    return rows.select_related("made_by", "decided_by").order_by("-received_at").first()


def endings(patient_ids: Iterable[UUID]) -> list[CareEnding]:
    """Return how a person's care ended so far, the latest first."""
    rows = CareEnding.objects.filter(patient_id__in=list(patient_ids))
    return list(rows.select_related("from_user", "to_user", "decided_by"))


def has_left(patient_ids: Iterable[UUID], at: datetime) -> bool:
    """Whether a person was discharged and nobody on the team stays past that; two queries at most."""
    ids = list(patient_ids)
    rows = CareEnding.objects.filter(patient_id__in=ids, kind=EndingKind.DISCHARGE, ended_at__lte=at)
    last = rows.order_by("-ended_at").values_list("access_ends_at", flat=True).first()
    if last is None:
        return False
    team = CareTeamMember.objects.running(at).filter(patient_id__in=ids, user__isnull=False)
    stays = team.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=last)).exclude(role=CareRole.CAREGIVER)
    return not stays.exists()


def locked_places(patient_ids: Iterable[UUID], at: datetime) -> list[CareTeamMember]:
    """Lock and return the places and covers of these people that hold now or later, in one order."""
    rows = CareTeamMember.objects.ever().select_for_update(of=("self",))
    rows = rows.filter(patient_id__in=list(patient_ids))
    return list(rows.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=at)).order_by("pk"))


def led_by(user_id: UUID, patient_ids: Iterable[UUID]) -> list[UUID]:
    """Return under which of a person's rows somebody leads their care."""
    rows = Patient.objects.filter(pk__in=list(patient_ids), primary_clinician_id=user_id)
    return list(rows.order_by("pk").values_list("pk", flat=True))


def open_grants(patient_ids: Iterable[UUID], at: datetime) -> QuerySet[PatientUserObjectPermission]:
    """Return single grants that hold now or later; break-glass is left to its own end."""
    rows = PatientUserObjectPermission.objects.filter(content_object_id__in=list(patient_ids))
    return rows.filter(ends_at__gt=at).exclude(reason_code=GrantReason.BREAK_GLASS)


def places_of(user_id: UUID, at: datetime) -> list[CareTeamMember]:
    """Return the running places of somebody on teams, covers left out, with their people."""
    rows = CareTeamMember.objects.memberships().running(at).filter(user_id=user_id)
    rows = rows.exclude(patient__status="deleted").select_related(
        "patient__primary_clinician", "patient__merged_into__primary_clinician"
    )
    return list(rows.order_by("patient__anonymous_id", "pk"))


def has_lasting_place(patient_ids: Iterable[UUID], user_id: UUID, at: datetime) -> bool:
    """Whether somebody has a place of their own without an end on the person's team."""
    rows = CareTeamMember.objects.memberships().running(at).filter(user_id=user_id, ends_at__isnull=True)
    return rows.filter(patient_id__in=list(patient_ids)).exists()


def is_treated(patient_ids: Iterable[UUID], at: datetime, besides: Iterable[UUID] = ()) -> bool:
    """Whether somebody with an account is on the person's team, other than by these places."""
    rows = CareTeamMember.objects.memberships().running(at).filter(user__isnull=False)
    return rows.filter(patient_id__in=list(patient_ids)).exclude(pk__in=list(besides)).exists()
