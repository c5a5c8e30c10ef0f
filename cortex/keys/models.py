"""The one table of the key store; it lives on the alias `keys` and has no relation to any other."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from cortex.ids import uuid7


class Purpose(models.TextChoices):
    """Whose key it is."""

    PATIENT = "patient", "Patient"
    ORGANIZATION = "organization", "Organization"


class SubjectKeyQuerySet(models.QuerySet["SubjectKey"]):
    """Filters over keys."""

    def live(self) -> SubjectKeyQuerySet:
        """Keys that still open something."""
        return self.filter(destroyed_at=None)

    def unconfirmed(self) -> SubjectKeyQuerySet:
        """Keys whose subject was never seen in the main database."""
        return self.filter(confirmed_at=None, destroyed_at=None)


class SubjectKey(models.Model):
    """One version of a subject's data key, wrapped by a master key; a destroyed one stays as a tombstone."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    subject = models.UUIDField(help_text="Bare id of the patient or organization.")
    version = models.PositiveIntegerField(default=1)
    wrapped = models.BinaryField(null=True, help_text="Under the master key; empty once destroyed.")
    master_key_id = models.CharField(max_length=200, blank=True)
    purpose = models.CharField(max_length=16, choices=Purpose.choices, default=Purpose.PATIENT)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    wanted_at = models.DateTimeField(db_default=Now(), help_text="When a writer last asked for it to exist.")
    rotated_at = models.DateTimeField(null=True, blank=True, help_text="When a newer version took over.")
    destroyed_at = models.DateTimeField(null=True, blank=True)
    confirmed_at = models.DateTimeField(null=True, blank=True, help_text="When its subject was seen.")

    objects: ClassVar[models.Manager[SubjectKey]] = SubjectKeyQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subject", "version"], name="subject_key_version"),
            models.CheckConstraint(
                condition=models.Q(version__gte=1, version__lte=0xFFFF), name="subject_key_version_16_bits"
            ),
            models.CheckConstraint(
                condition=models.Q(destroyed_at=None, wrapped__isnull=False)
                | models.Q(destroyed_at__isnull=False, wrapped=None),
                name="subject_key_destroyed_is_gone",
            ),
            models.CheckConstraint(
                condition=models.Q(purpose__in=Purpose.values), name="subject_key_purpose_known"
            ),
        ]
        indexes = [
            models.Index(
                fields=["wanted_at"], name="subject_key_unconfirmed", condition=models.Q(confirmed_at=None)
            )
        ]

    def __str__(self) -> str:
        return f"key {self.version} of {self.subject}"
