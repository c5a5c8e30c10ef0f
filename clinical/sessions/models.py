"""Who runs which therapy session: what happens in it stands in the session's own rows."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from cortex.records import OrgRecord


class SessionRunQuerySet(models.QuerySet["SessionRun"]):
    """Runs as pages ask for them."""

    def under_way(self) -> SessionRunQuerySet:
        """Keep those that nobody has ended."""
        return self.filter(ended_at__isnull=True)


class SessionRun(OrgRecord):
    """One therapy session in the hands of one clinician, from its start to its end."""

    session = models.OneToOneField("patients.Session", models.PROTECT, related_name="run")
    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="+", db_index=False)
    clinician = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    begun_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = SessionRunQuerySet.as_manager()

    class Meta:
        ordering = ["-begun_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["patient"], condition=Q(ended_at__isnull=True), name="session_run_one_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gte=F("begun_at")),
                name="session_run_ends_not_before_start",
            ),
        ]
        indexes = [
            models.Index(
                fields=["clinician"], condition=Q(ended_at__isnull=True), name="session_run_under_way"
            ),
        ]

    def __str__(self) -> str:
        return f"run of session {self.session_id}"
