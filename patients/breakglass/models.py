"""A chart that was opened from outside its team: why, and what the review found."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from cortex.clock import Moment
from cortex.crypto.fields import SealedTextField
from cortex.records import OrgRecord
from patients.bounds import one_of
from patients.codes import GlassReason, GlassVerdict


class BreakGlassQuerySet(models.QuerySet["BreakGlassGrant"]):
    """Words for opened charts."""

    def running(self, at: Moment) -> BreakGlassQuerySet:
        """Keep those that hold at `at`."""
        return self.filter(grant__starts_at__lte=at, grant__ends_at__gt=at)

    def unreviewed(self) -> BreakGlassQuerySet:
        """Keep those that compliance has not judged."""
        return self.filter(reviewed_at__isnull=True)


class BreakGlassGrant(OrgRecord):
    """One clinician's way into one chart for some hours; `grant` is the access that ends by itself.

    Its id is the id of the access grant, which is what the access log's `break_glass` names. The words of
    why lie sealed on the access grant.
    """

    sealed_subject = "patient_id"

    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    grant = models.OneToOneField(
        "patients.PatientUserObjectPermission", models.PROTECT, related_name="broken_glass"
    )
    reason_code = models.CharField(max_length=20, choices=GlassReason.choices)
    protected_at = models.DateTimeField(
        null=True, help_text="When psychotherapy and Part 2 notes were confirmed a second time."
    )
    review_due_at = models.DateTimeField()
    reviewed_at = models.DateTimeField(null=True)
    reviewed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    verdict = models.CharField(max_length=16, choices=GlassVerdict.choices, blank=True)
    review_note = SealedTextField(null=True, blank=True)
    incident_closed_at = models.DateTimeField(null=True)
    incident_note = SealedTextField(null=True, blank=True, help_text="What was done about it.")

    objects = BreakGlassQuerySet.as_manager()

    class Meta:
        verbose_name = "break-glass grant"
        constraints = [
            one_of("reason_code", GlassReason.values, "glass_reason_known"),
            one_of("verdict", ["", *GlassVerdict.values], "glass_verdict_known"),
            models.CheckConstraint(
                condition=Q(reviewed_at__isnull=True, reviewed_by__isnull=True, verdict="")
                | (Q(reviewed_at__isnull=False, reviewed_by__isnull=False) & ~Q(verdict="")),
                name="glass_review_whole",
            ),
            models.CheckConstraint(
                condition=Q(reviewed_by__isnull=True) | ~Q(reviewed_by=F("user")),
                name="glass_reviewer_is_another",
            ),
            models.CheckConstraint(
                condition=Q(incident_closed_at__isnull=True) | Q(verdict=GlassVerdict.INAPPROPRIATE),
                name="glass_incident_of_inappropriate",
            ),
        ]
        indexes = [
            models.Index(
                fields=["organization", "review_due_at"],
                condition=Q(reviewed_at__isnull=True),
                name="glass_to_review",
            ),
            models.Index(fields=["organization", "-id"], name="glass_org"),
        ]

    def __str__(self) -> str:
        return f"break-glass {self.pk}"

    def holds(self, at: datetime) -> bool:
        """Whether the chart is still open by it."""
        return self.grant.starts_at <= at < self.grant.ends_at

    @property
    def is_open_incident(self) -> bool:
        """Whether it was found inappropriate and nobody wrote yet what was done about it."""
        return self.verdict == GlassVerdict.INAPPROPRIATE and self.incident_closed_at is None
