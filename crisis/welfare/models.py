"""What a supervisor decided on a welfare check: send one, send none, or keep trying; written once."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from cortex.crypto.fields import SealedTextField
from cortex.records import AppendedRecord


class Decision(models.TextChoices):
    """What a supervisor may decide."""

    SEND = "send", "Send a welfare check"
    DONT_SEND = "dont_send", "Send none"
    TRY_AGAIN = "try_again", "Try again first"


# What ends the question; trying again only puts it off.
FINAL = (Decision.SEND, Decision.DONT_SEND)


class WelfareDecision(AppendedRecord):
    """One decision about one person, by a supervisor, with why and whom they asked to go."""

    sealed_subject = "patient_id"

    item = models.OneToOneField("crisis.ReviewItem", models.PROTECT, related_name="welfare")
    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="+", db_index=False)
    decision = models.CharField(max_length=12, choices=Decision)
    decided_by = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")
    decided_at = models.DateTimeField()
    contact = models.CharField(max_length=12, help_text="How it stood with the emergency contact.")
    tries = models.PositiveSmallIntegerField(default=0)
    again_by = models.DateTimeField(null=True, blank=True)
    reason = SealedTextField(null=True, blank=True)
    reference = SealedTextField(null=True, blank=True)

    class Meta:
        verbose_name = "decision on a welfare check"
        verbose_name_plural = "decisions on welfare checks"
        constraints = [
            models.CheckConstraint(condition=Q(decision__in=Decision.values), name="welfare_decision_known"),
            models.CheckConstraint(
                condition=Q(decision="try_again", again_by__isnull=False)
                | (~Q(decision="try_again") & Q(again_by__isnull=True)),
                name="welfare_again_by",
            ),
        ]
        indexes = [models.Index(fields=["patient", "-decided_at"], name="welfare_patient")]

    def __str__(self) -> str:
        return f"welfare check: {self.decision}"

    @property
    def is_final(self) -> bool:
        """Whether it ends the question."""
        return self.decision in FINAL
