"""What people add to a timeline: pins, and their words on what a machine found; the entries are elsewhere."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from cortex.crypto.fields import SealedTextField
from cortex.records import AppendedRecord, OrgRecord
from patients.bounds import not_before, one_of


class TimelinePin(OrgRecord):
    """One entry that the team keeps in view; taken off, it stays as a row with its end."""

    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="+", db_index=False)
    source = models.CharField(max_length=24, help_text="The key of the timeline's source.")
    item_id = models.UUIDField(help_text="Bare: the entry may leave by its own rule.")
    pinned_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    pinned_at = models.DateTimeField()
    unpinned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    unpinned_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "timeline pin"
        ordering = ["-pinned_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "source", "item_id"],
                condition=Q(unpinned_at__isnull=True),
                name="pin_once_while_it_holds",
            ),
            models.CheckConstraint(
                condition=Q(unpinned_at__isnull=True, unpinned_by__isnull=True)
                | Q(unpinned_at__isnull=False, unpinned_by__isnull=False),
                name="pin_end_has_a_person",
            ),
            not_before("unpinned_at", "pinned_at", "pin_ends_not_before_start"),
        ]
        indexes = [models.Index(fields=["patient", "-pinned_at"], name="pin_patient")]

    def __str__(self) -> str:
        return f"pin of {self.source} {self.item_id}"


class Verdict(models.TextChoices):
    """What a clinician says of a machine's finding."""

    ACCEPTED = "accepted", "Accepted"
    REJECTED = "rejected", "Rejected"
    COMMENTED = "commented", "Commented"


class FindingKind(models.TextChoices):
    """What a machine's finding is."""

    EVIDENCE = "evidence", "Signal"
    LEVEL = "level", "Level"


class FindingReview(AppendedRecord):
    """One clinician's word on one finding; written once, and no level changes by it."""

    sealed_subject = "patient_id"

    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=10, choices=FindingKind)
    finding_id = models.UUIDField(help_text="Bare: the finding may leave by its own rule.")
    code = models.CharField(max_length=40, help_text="What was found, as a code.")
    said_by = models.CharField(max_length=80, help_text="Engine, lexicon or model with its version.")
    verdict = models.CharField(max_length=10, choices=Verdict)
    comment = SealedTextField(null=True, blank=True)
    reviewed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    reviewed_at = models.DateTimeField()

    class Meta:
        verbose_name = "finding review"
        ordering = ["-reviewed_at", "-id"]
        constraints = [
            one_of("kind", FindingKind.values, "finding_kind_known"),
            one_of("verdict", Verdict.values, "finding_verdict_known"),
            models.CheckConstraint(
                condition=~Q(verdict=Verdict.COMMENTED) | Q(comment__isnull=False),
                name="finding_comment_has_words",
            ),
        ]
        indexes = [
            models.Index(fields=["patient", "finding_id", "-reviewed_at"], name="finding_patient"),
            models.Index(fields=["said_by", "verdict"], name="finding_said_by"),
        ]

    def __str__(self) -> str:
        return f"{self.verdict} {self.kind} {self.finding_id}"
