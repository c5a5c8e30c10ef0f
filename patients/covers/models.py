"""Planned covers as a table of their own to the back office; the columns are those of care teams."""

from __future__ import annotations

from typing import Any

from django.db import models

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
