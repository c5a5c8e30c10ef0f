"""A question whether somebody comes down from critical: who asked and why, and what a second reader said."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from cortex.crypto.fields import SealedTextField
from cortex.records import OrgRecord


class StepDown(OrgRecord):
    """One question about one person (domain 3.7, 3.8); taken back it is decided by nobody, and not agreed."""

    sealed_subject = "patient_id"

    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="+", db_index=False)
    asked_by = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField(help_text="By when a second reader should decide; silence lowers nothing.")
    findings = models.JSONField(default=dict, help_text="What held when it was asked, as codes and times.")
    reason = SealedTextField(null=True, blank=True)
    decided_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    agreed = models.BooleanField(null=True, blank=True)
    decision_note = SealedTextField(null=True, blank=True)

    class Meta:
        verbose_name = "step down from critical"
        verbose_name_plural = "steps down from critical"
        constraints = [
            models.UniqueConstraint(
                fields=["patient"], condition=Q(decided_at__isnull=True), name="step_down_one_pending"
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("asked_by")),
                name="step_down_reader_is_another",
            ),
            models.CheckConstraint(
                condition=Q(decided_at__isnull=True, agreed__isnull=True, decided_by__isnull=True)
                | Q(decided_at__isnull=False, agreed__isnull=False),
                name="step_down_decided_whole",
            ),
            models.CheckConstraint(
                condition=~Q(agreed=True) | Q(decided_by__isnull=False), name="step_down_agreed_by_somebody"
            ),
        ]
        indexes = [
            models.Index(fields=["patient", "-asked_at"], name="step_down_patient"),
            models.Index(
                fields=["organization", "due_at"],
                condition=Q(decided_at__isnull=True),
                name="step_down_waiting",
            ),
        ]

    def __str__(self) -> str:
        return f"step down of {self.patient_id}"

    @property
    def is_waiting(self) -> bool:
        """Whether a second reader has yet to decide."""
        return self.decided_at is None

    @property
    def is_withdrawn(self) -> bool:
        """Whether it was taken back before anybody decided."""
        return self.decided_at is not None and self.decided_by_id is None
