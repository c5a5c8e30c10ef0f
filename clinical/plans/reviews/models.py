"""Reviews of plans, written once: what was seen, what the person said, what was decided."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from clinical.plans.wording import DECISIONS
from cortex.crypto.fields import SealedTextField
from cortex.records import AppendedRecord
from patients.bounds import between, one_of, source_keys


class PlanReview(AppendedRecord):
    """One review that was held."""

    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="+")
    plan = models.ForeignKey("clinical.TreatmentPlan", models.PROTECT, related_name="reviews", db_index=False)
    plan_version = models.PositiveSmallIntegerField()
    due_at = models.DateTimeField()
    held_at = models.DateTimeField()
    reviewed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    progress = models.FloatField(null=True, help_text="The plan's share, 0 to 1.")
    pace = models.CharField(max_length=12, blank=True)
    goals = models.JSONField(default=list, help_text="[{goal, share, pace}]")
    measures = models.JSONField(default=dict, help_text="{instrument: total}")
    risk_level = models.CharField(max_length=8, blank=True)
    consent_valid = models.BooleanField(help_text="Whether the consent to treatment still holds.")
    patient_view = SealedTextField(max_length=4000)
    summary = SealedTextField(max_length=4000, null=True, blank=True)
    decision = models.CharField(max_length=12, choices=list(DECISIONS.items()))
    next_review_at = models.DateTimeField(null=True)
    legacy_ids = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-held_at"]
        constraints = [
            one_of("decision", DECISIONS, "review_decision_known"),
            between("progress", 0, 1, "review_progress_is_a_share"),
            models.CheckConstraint(
                condition=Q(decision="discharge", next_review_at__isnull=True)
                | (~Q(decision="discharge") & Q(next_review_at__isnull=False)),
                name="review_has_a_next_unless_discharged",
            ),
            *source_keys("review", "source003.TreatmentPlan"),
        ]
        indexes = [models.Index(fields=["plan", "-held_at"], name="review_plan")]

    def __str__(self) -> str:
        return f"review {self.pk}"
