"""Who cares for whom: care teams, planned covers, and single grants with a start and an end."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import CharField, F, Q, Value
from django.db.models.functions import Concat
from guardian.models import UserObjectPermissionBase

from cortex.clock import Moment
from cortex.crypto.fields import SealedCharField, SealedTextField
from cortex.ids import uuid7
from cortex.records import OrgRecord
from patients.bounds import not_before, one_of, source_keys
from patients.codes import CareRole, GrantReason

# People who may stand on a team without an account of their own.
WITHOUT_ACCOUNT = (CareRole.CAREGIVER, CareRole.PRIMARY_CARE)


def running(at: Moment, prefix: str = "") -> Q:
    """A half-open spell holds at its start and no longer at its end; an empty one never held."""
    started = Q(**{f"{prefix}starts_at__lte": at})
    return started & (Q(**{f"{prefix}ends_at__isnull": True}) | Q(**{f"{prefix}ends_at__gt": at}))


class CareTeamMemberQuerySet(models.QuerySet["CareTeamMember"]):
    """Who is on a team, and when."""

    def running(self, at: Moment) -> CareTeamMemberQuerySet:
        """Keep memberships and covers that hold at `at`; a cover also needs the covered one to hold."""
        covered = Q(cover_for__isnull=True) | running(at, "cover_for__")
        return self.filter(running(at) & covered)

    def ever(self) -> CareTeamMemberQuerySet:
        """Leave out those that ended before they began: they never held and never will."""
        return self.exclude(ends_at__lte=F("starts_at"))

    def of_user(self, user: Any) -> CareTeamMemberQuerySet:
        """Keep a member of staff's own, within their own organization; a caregiver's role opens nothing."""
        own = self.filter(user=user, patient__organization_id=user.organization_id)
        return own.exclude(role=CareRole.CAREGIVER)

    def covers(self) -> CareTeamMemberQuerySet:
        """Keep planned covers."""
        return self.filter(cover_for__isnull=False)

    def memberships(self) -> CareTeamMemberQuerySet:
        """Leave out planned covers."""
        return self.filter(cover_for__isnull=True)


class CareTeamMember(OrgRecord):
    """One person's place on a patient's team, or their planned cover of another's place."""

    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="care_team", db_index=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="care_places",
        db_index=False,
    )
    outside_name = SealedCharField(
        max_length=160, null=True, blank=True, help_text="A caregiver or family doctor without an account."
    )
    role = models.CharField(max_length=20, choices=CareRole.choices)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    cover_for = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="covered_by", db_index=False
    )

    objects = CareTeamMemberQuerySet.as_manager()

    class Meta:
        ordering = ["patient", "starts_at"]
        constraints = [
            one_of("role", CareRole.values, "care_role_known"),
            not_before("ends_at", "starts_at", "care_ends_not_before_start"),
            models.CheckConstraint(
                condition=Q(user__isnull=False) | Q(role__in=WITHOUT_ACCOUNT),
                name="care_account_unless_outside",
            ),
            models.CheckConstraint(
                condition=Q(cover_for__isnull=True) | Q(ends_at__isnull=False), name="care_cover_has_an_end"
            ),
            models.CheckConstraint(
                condition=Q(cover_for__isnull=True) | ~Q(cover_for=F("id")), name="care_cover_of_another"
            ),
            models.UniqueConstraint(
                fields=["patient", "user", "role"],
                condition=Q(ends_at__isnull=True, cover_for__isnull=True),
                name="care_place_once_while_open",
            ),
            *source_keys("care", "source003.TreatmentPlan"),
        ]
        indexes = [
            models.Index(fields=["user", "ends_at"], name="care_user_end"),
            models.Index(fields=["patient", "ends_at"], name="care_patient_end"),
            models.Index(fields=["cover_for"], condition=Q(cover_for__isnull=False), name="care_cover_for"),
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.pk}"

    def holds(self, at: datetime) -> bool:
        """Whether this place, by its own times, holds at `at`."""
        return self.starts_at <= at and (self.ends_at is None or self.ends_at > at)


class GrantQuerySet(models.QuerySet["PatientUserObjectPermission"]):
    """Single grants, and when they hold."""

    def running(self, at: Moment) -> GrantQuerySet:
        """Keep grants that hold at `at`."""
        return self.filter(running(at))

    def of_user(self, user: Any) -> GrantQuerySet:
        """Keep a person's own within their organization, named `grant:<reason>` and by what they open."""
        own = self.filter(user=user, content_object__organization_id=user.organization_id)
        name = Concat(Value("grant:"), F("reason_code"), output_field=CharField())
        return own.annotate(
            relation=name, opens_code=F("permission__codename"), person=F("content_object__person_id")
        )


class PatientUserObjectPermission(UserObjectPermissionBase):
    """django-guardian's direct permission row, with a start, an end and a reason; kept after its end."""

    sealed_subject = "content_object_id"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey("accounts.Organization", models.PROTECT, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="patient_grants")
    # guardian looks for this very name.
    content_object = models.ForeignKey("patients.Patient", models.PROTECT, related_name="grants")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reason_code = models.CharField(max_length=20, choices=GrantReason.choices)
    reason = SealedTextField(null=True, blank=True)
    granted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = GrantQuerySet.as_manager()  # type: ignore[misc, assignment]

    class Meta:
        verbose_name = "access grant"
        constraints = [
            one_of("reason_code", GrantReason.values, "grant_reason_known"),
            not_before("ends_at", "starts_at", "grant_ends_not_before_start"),
            models.UniqueConstraint(
                fields=["user", "permission", "content_object", "starts_at"], name="grant_once_per_start"
            ),
        ]
        indexes = [models.Index(fields=["user", "ends_at"], name="grant_user_end")]

    def __str__(self) -> str:
        return f"grant {self.pk}"
