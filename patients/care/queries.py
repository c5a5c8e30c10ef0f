"""Reads of care teams, covers and grants."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from cortex.clock import Moment
from patients.care.models import (
    CareTeamMember,
    CareTeamMemberQuerySet,
    GrantQuerySet,
    PatientUserObjectPermission,
)
from patients.codes import CareRole


def memberships_of(user: Any, at: Moment) -> CareTeamMemberQuerySet:
    """Return the running places of `user` on care teams, covers left out."""
    return CareTeamMember.objects.of_user(user).memberships().running(at)


def covers_of(user: Any, at: Moment) -> CareTeamMemberQuerySet:
    """Return the running planned covers by `user`."""
    return CareTeamMember.objects.of_user(user).covers().running(at)


def grants_of(user: Any, at: Moment) -> GrantQuerySet:
    """Return the running single grants of `user`, annotated with `relation`, `opens_code` and `person`."""
    return PatientUserObjectPermission.objects.of_user(user).running(at)


def care_team(patient_id: UUID, at: datetime) -> list[CareTeamMember]:
    """Return the running places of a patient's team and covers, with their users."""
    rows = CareTeamMember.objects.filter(patient_id=patient_id).running(at)
    return list(rows.select_related("user", "cover_for__user").order_by("starts_at"))


def care_since(patient_id: UUID, at: datetime) -> datetime | None:
    """Return when the first of those who are on a person's team now came to it; None without a team."""
    return min((place.starts_at for place in care_team(patient_id, at)), default=None)


def supervised_by(user: Any, at: Moment, patient_ids: Collection[UUID] | None = None) -> list[UUID]:
    """Return the patients (of these, or all) on whose teams `user` stands as the supervisor at `at`."""
    rows = memberships_of(user, at).filter(role=CareRole.SUPERVISOR)
    if patient_ids is not None:
        rows = rows.filter(patient_id__in=patient_ids)
    return list(rows.values_list("patient_id", flat=True).distinct())


def open_grants(patient_id: UUID, at: datetime) -> list[PatientUserObjectPermission]:
    """Return the grants of a patient that hold at `at`, with their users."""
    rows = PatientUserObjectPermission.objects.filter(content_object_id=patient_id).running(at)
    return list(rows.select_related("user", "permission").order_by("ends_at"))
