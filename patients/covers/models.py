"""Planned absences, and planned covers as the back office lists them (columns of care teams)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from cortex.records import OrgRecord
from patients.care.models import CareTeamMember, CareTeamMemberQuerySet


class PlannedCoverManager(models.Manager.from_queryset(CareTeamMemberQuerySet)):  # type: ignore[misc]
    """Finds covers alone."""

    def get_queryset(self) -> Any:
        """Return the covers."""
        return super().get_queryset().covers()


class PlannedCover(CareTeamMember):
    """Somebody who stands in for a place on a team for a while."""

    objects = PlannedCoverManager()  # type: ignore[misc]

    class Meta:
        proxy = True
        verbose_name = "planned cover"


class AbsenceQuerySet(models.QuerySet["Absence"]):
    """Words for planned absences."""

    def standing(self, at: datetime) -> AbsenceQuerySet:
        """Keep those that run or are to come."""
        return self.filter(ends_at__gt=at, ended_at__isnull=True)


class Absence(OrgRecord):
    """Somebody is away from then until then, and one colleague stands in for them with all their people.

    Each person's cover is a row of the care team; it starts and ends by itself.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="absences", db_index=False
    )
    cover = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    planned_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True, help_text="When they came back early, or it was called off.")

    objects = AbsenceQuerySet.as_manager()

    class Meta:
        ordering = ["-starts_at"]
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="absence_ends_after_start"),
            models.CheckConstraint(condition=~Q(cover=F("user")), name="absence_covered_by_another"),
        ]
        indexes = [models.Index(fields=["user", "ends_at"], name="absence_user_end")]

    def __str__(self) -> str:
        return f"absence {self.pk}"

    def runs(self, at: datetime) -> bool:
        """Whether they are away at `at`."""
        return self.ended_at is None and self.starts_at <= at < self.ends_at
