"""A legal hold: whose records are kept, which and of which days, for which matter, until its release."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Cast

from cortex.crypto.fields import SealedTextField
from cortex.records import OrgRecord
from patients.bounds import not_before
from patients.codes import HeldRecords

# Nobody asks whose days a hold's are: a day more on either side holds what lies at the edge.
EDGE = timedelta(days=1)


class LegalHoldQuerySet(models.QuerySet["LegalHold"]):
    """Words for legal holds."""

    def running(self) -> LegalHoldQuerySet:
        """Keep those that nobody has released."""
        return self.filter(released_at__isnull=True)

    def covering(self, kind: str) -> LegalHoldQuerySet:
        """Keep those that hold records of this kind: they name it, or none at all."""
        return self.filter(Q(record_kinds=[]) | Q(record_kinds__contains=[kind]))

    def around(self, moment: Any) -> LegalHoldQuerySet:
        """Keep those whose days include a moment (or what SQL says it is); no day is no bound."""
        when = Value(moment, models.DateTimeField()) if isinstance(moment, datetime) else moment
        early, late = Cast(when - EDGE, models.DateField()), Cast(when + EDGE, models.DateField())
        begun = Q(covers_from__isnull=True) | Q(covers_from__lte=late)
        return self.filter(begun, Q(covers_until__isnull=True) | Q(covers_until__gte=early))


class LegalHold(OrgRecord):
    """One hold on one person's records; written once, and released once by somebody else.

    It holds every row of the person. `covers_from` and `covers_until` are days, both included (empty: no
    bound); `record_kinds` are of `HeldRecords` (empty: all). Kept for seven years after its release.
    """

    sealed_subject = "patient_id"

    patient = models.ForeignKey(
        "patients.Patient", models.PROTECT, related_name="legal_holds", db_index=False
    )
    matter = models.CharField("matter reference", max_length=80)
    covers_from = models.DateField("records from", null=True, blank=True)
    covers_until = models.DateField("records until", null=True, blank=True)
    record_kinds = ArrayField(
        models.CharField(max_length=16, choices=HeldRecords.choices), default=list, blank=True
    )
    reason = SealedTextField()
    issued_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    issued_at = models.DateTimeField()
    released_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    released_at = models.DateTimeField(null=True)
    release_reason = SealedTextField(null=True, blank=True)

    objects = LegalHoldQuerySet.as_manager()

    class Meta:
        ordering = ["-issued_at"]
        constraints = [
            not_before("covers_until", "covers_from", "hold_range_in_order"),
            models.CheckConstraint(
                condition=Q(record_kinds__contained_by=HeldRecords.values), name="hold_kinds_known"
            ),
            models.CheckConstraint(condition=~Q(matter=""), name="hold_names_a_matter"),
            models.CheckConstraint(
                condition=Q(released_at__isnull=True, released_by__isnull=True, release_reason__isnull=True)
                | Q(released_at__isnull=False, released_by__isnull=False, release_reason__isnull=False),
                name="hold_release_whole",
            ),
            models.CheckConstraint(
                condition=Q(released_by__isnull=True) | ~Q(released_by=F("issued_by")),
                name="hold_released_by_another",
            ),
            not_before("released_at", "issued_at", "hold_released_after_issue"),
            models.UniqueConstraint(
                fields=["patient", "matter"], condition=Q(released_at__isnull=True), name="hold_once_a_matter"
            ),
        ]
        indexes = [models.Index(fields=["patient", "-issued_at"], name="hold_patient")]

    def __str__(self) -> str:
        return f"legal hold {self.pk}"

    @property
    def is_running(self) -> bool:
        """Whether nobody has released it."""
        return self.released_at is None
