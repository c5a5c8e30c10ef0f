"""What intake remembers of senders: item ids, so that nothing counts twice, and answers, to repeat them."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import ClassVar
from uuid import UUID

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

ITEM_LIFE = timedelta(days=90)
ANSWER_LIFE = timedelta(hours=24)


class Source(models.TextChoices):
    """Which kind of name a key is; keys of different kinds never meet."""

    ITEM = "item", "Item of a client"
    LEGACY = "legacy", "Key of an imported source"


class ExpiringQuerySet(models.QuerySet["models.Model"]):
    """Rows that leave by their own time."""

    def expired(self, at: datetime) -> ExpiringQuerySet:
        """Rows whose time has passed."""
        return self.filter(expires_at__lte=at)


class IntakeKey(models.Model):
    """One name that a sender gave to something of one patient, and the row that it became.

    The primary key is a digest of (source, sender, patient, key), so one index carries both the
    uniqueness and the lookup. Keys of imported sources have no expiry.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    organization = models.ForeignKey("accounts.Organization", models.PROTECT, related_name="+")
    source = models.CharField(max_length=8, choices=Source)
    sender = models.CharField(max_length=80, help_text="The client's id, or source.table of an import.")
    key = models.CharField(max_length=80)
    patient_id = models.UUIDField(null=True, help_text="Bare id: the key outlives the row.")
    result = models.CharField(max_length=16, default="stored")
    object_type = models.CharField(max_length=48, blank=True)
    object_id = models.UUIDField(null=True)
    words = models.BinaryField(null=True, help_text="Keyed digest of the words that were stored under it.")
    told = models.BinaryField(null=True, help_text="Keyed digest of the words that were evidence last.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[ExpiringQuerySet] = ExpiringQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = "intake key"
        constraints = [
            models.CheckConstraint(condition=Q(source__in=Source.values), name="intake_key_source_known"),
            models.CheckConstraint(
                condition=~Q(source="legacy") | Q(expires_at__isnull=True), name="intake_key_legacy_stays"
            ),
        ]
        indexes = [
            models.Index(
                fields=["expires_at"], condition=Q(expires_at__isnull=False), name="intake_key_expiry"
            ),
            models.Index(fields=["patient_id"], name="intake_key_patient"),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.pk}"


class IntakeRequest(models.Model):
    """The answer that one Idempotency-Key got, byte for byte, for 24 hours; it holds codes and ids only."""

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey("accounts.Organization", models.PROTECT, related_name="+")
    sender = models.CharField(max_length=80, help_text="client:<id> or patient:<id>.")
    idempotency_key = models.CharField(max_length=200)
    body_digest = models.BinaryField(help_text="Keyed digest of route and body.")
    status = models.PositiveSmallIntegerField()
    content_type = models.CharField(max_length=64)
    answer = models.BinaryField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField()

    objects: ClassVar[ExpiringQuerySet] = ExpiringQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = "kept answer"
        constraints = [
            models.UniqueConstraint(fields=["sender", "idempotency_key"], name="intake_request_once"),
            # A 429 or a 5xx is never kept: the sender must be able to try the same again.
            models.CheckConstraint(
                condition=Q(status__range=(200, 499)) & ~Q(status=429), name="intake_request_final"
            ),
        ]
        indexes = [models.Index(fields=["expires_at"], name="intake_request_expiry")]

    def __str__(self) -> str:
        return f"{self.status} for {self.sender}"


def key_id(source: str, sender: str, patient_id: UUID | None, key: str) -> UUID:
    """Return the primary key of an IntakeKey: 128 bits of a SHA-256 over its parts."""
    parts = "\x1f".join((source, sender, str(patient_id or ""), key))
    return UUID(bytes=hashlib.sha256(parts.encode()).digest()[:16])
