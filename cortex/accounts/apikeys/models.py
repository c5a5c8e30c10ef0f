"""Apps that send and their keys: only a prefix and a digest are kept, never a key."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from cortex.records import OrgRecord, Record


class ApiClient(OrgRecord):
    """An app or service that may send for one organization."""

    name = models.CharField(max_length=120)
    is_active = models.BooleanField(default=True)

    class Meta:
        verbose_name = "API client"
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="api_client_name_once")]

    def __str__(self) -> str:
        return self.name


class ApiKey(Record):
    """One key of a client: found by its prefix, proven by its digest, limited by scopes and times."""

    kind: ClassVar[str] = "key"

    client = models.ForeignKey(ApiClient, on_delete=models.PROTECT, related_name="keys")
    prefix = models.CharField(max_length=16, unique=True, editable=False)
    key_hash = models.CharField(max_length=64, editable=False)
    scopes = ArrayField(models.CharField(max_length=40), default=list)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    rotated_from = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="rotated_to"
    )
    overlap_until = models.DateTimeField(
        null=True, blank=True, help_text="After a rotation, the old key works until then."
    )
    created_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["-created_at"]
        verbose_name = "API key"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(prefix__regex=r"^[a-z0-9]{12}$"), name="api_key_prefix_shape"
            ),
            models.CheckConstraint(
                condition=models.Q(key_hash__regex=r"^[0-9a-f]{64}$"), name="api_key_hash_shape"
            ),
            models.CheckConstraint(condition=~models.Q(scopes=[]), name="api_key_has_scope"),
        ]

    def __str__(self) -> str:
        return f"{self.prefix}…"

    @property
    def organization_id(self) -> object:
        """The organization that the key's client sends for."""
        return self.client.organization_id

    def works_at(self, at: datetime) -> bool:
        """Whether the key opens anything at `at`: not revoked, not expired, not past its overlap."""
        ends = [time for time in (self.expires_at, self.revoked_at, self.overlap_until) if time is not None]
        return self.client.is_active and all(at < time for time in ends)

    def opens_at(self, at: datetime) -> bool:
        """Whether the key works at `at` and the organization that it sends for is active."""
        return self.works_at(at) and self.client.organization.is_active
