"""Consents: append-only; the newest row of a type that has not expired is what counts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from cortex.crypto.fields import SealedCharField
from cortex.records import AppendedRecord
from patients.bounds import not_before, one_of, source_keys
from patients.codes import ConsentMethod, ConsentType
from patients.privacy.records import Decision
from patients.privacy.scope import is_limited, window_of


class ConsentQuerySet(models.QuerySet["Consent"]):
    """Consents as they are asked for."""

    def of(self, patient_ids: Iterable[Any], types: Iterable[str]) -> ConsentQuerySet:
        """Keep rows of these people and types."""
        return self.filter(patient_id__in=list(patient_ids), consent_type__in=list(types))

    def newest(self, at: datetime) -> ConsentQuerySet:
        """Keep the newest row of each (person, type) that was recorded by `at`; equal times go by id."""
        known = self.filter(recorded_at__lte=at)
        return known.order_by("patient_id", "consent_type", "-recorded_at", "-id").distinct(
            "patient_id", "consent_type"
        )


class Consent(AppendedRecord):
    """One grant or withdrawal of one type by a person or their guardian; never changed afterwards."""

    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="consents", db_index=False)
    consent_type = models.CharField("type", max_length=32, choices=ConsentType.choices)
    granted = models.BooleanField(default=False)
    scope = models.JSONField(
        default=dict,
        blank=True,
        help_text="Codes and dates: purposes, data_categories, recipients, channels, from, to, exclusions.",
    )
    version = models.CharField(max_length=32, blank=True, help_text="Of the wording that was shown.")
    language = models.CharField(max_length=16, blank=True)
    method = models.CharField(max_length=8, choices=ConsentMethod.choices, default=ConsentMethod.APP)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    recorded_by_client = models.UUIDField(null=True, blank=True, help_text="The API client, by bare id.")
    recorded_at = models.DateTimeField(help_text="From when it counts: a withdrawal counts from its receipt.")
    said_at = models.DateTimeField(
        null=True, blank=True, help_text="When the person decided, by the clock of who sent it."
    )
    expires_at = models.DateTimeField(null=True, blank=True)
    guardian = SealedCharField(max_length=160, null=True, blank=True, help_text="Who consented for a child.")
    evidence_ref = models.CharField(max_length=120, blank=True, help_text="Where the paper or record lies.")
    legacy_ids = models.JSONField(default=dict, blank=True)

    objects = ConsentQuerySet.as_manager()

    class Meta:
        ordering = ["-recorded_at", "-id"]
        constraints = [
            one_of("consent_type", ConsentType.values, "consent_type_known"),
            one_of("method", ConsentMethod.values, "consent_method_known"),
            not_before("expires_at", "recorded_at", "consent_expires_after_record"),
            *source_keys("consent", "source004.compliance.consents"),
        ]
        indexes = [
            models.Index(fields=["patient", "consent_type", "-recorded_at", "-id"], name="consent_newest"),
            models.Index(
                fields=["expires_at"],
                condition=Q(granted=True, expires_at__isnull=False),
                name="consent_expiry",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.consent_type} {'granted' if self.granted else 'withdrawn'}"

    @property
    def decision(self) -> Decision:
        """What this row says, and whose clock timed it; older rows count from when they were said."""
        sender = self.recorded_by_id or self.recorded_by_client
        return Decision(
            self.granted, self.recorded_at, self.said_at or self.recorded_at, sender, self.expires_at,
            window_of(self.scope), is_limited(self.scope),
        )  # fmt: skip

    def holds(self, at: datetime) -> bool:
        """Whether this row, being the newest, allows something at `at`."""
        return self.decision.holds(at)
