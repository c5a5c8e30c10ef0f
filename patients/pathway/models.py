"""A referral that waits for an answer, and the end of somebody's care with its closing summary."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from cortex.crypto.fields import SealedCharField, SealedTextField
from cortex.records import AppendedRecord, OrgRecord
from patients.bounds import one_of
from patients.codes import (
    DeclineReason,
    EndingKind,
    EndingReason,
    ReferralSource,
    ReferralStatus,
    Urgency,
)


class ReferralQuerySet(models.QuerySet["Referral"]):
    """Words for referrals."""

    def waiting(self) -> ReferralQuerySet:
        """Keep those that nobody answered."""
        return self.filter(status=ReferralStatus.WAITING)


class Referral(OrgRecord):
    """Somebody sent a person here; one clinician, or the supervisors until one is named, answers."""

    sealed_subject = "patient_id"

    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="referrals", db_index=False)
    source = models.CharField(max_length=16, choices=ReferralSource.choices)
    urgency = models.CharField(max_length=8, choices=Urgency.choices, default=Urgency.ROUTINE)
    reason = SealedTextField()
    referrer = SealedCharField(max_length=160, null=True, blank=True, help_text="Who outside sent them.")
    received_at = models.DateTimeField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    asked = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+",
        db_index=False, help_text="Empty: the supervisors name somebody.",
    )  # fmt: skip
    status = models.CharField(max_length=8, choices=ReferralStatus.choices, default=ReferralStatus.WAITING)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    decline_code = models.CharField(max_length=16, choices=DeclineReason.choices, blank=True)
    decision_note = SealedTextField(null=True, blank=True)

    objects = ReferralQuerySet.as_manager()

    class Meta:
        constraints = [
            one_of("source", ReferralSource.values, "referral_source_known"),
            one_of("urgency", Urgency.values, "referral_urgency_known"),
            one_of("status", ReferralStatus.values, "referral_status_known"),
            one_of("decline_code", ["", *DeclineReason.values], "referral_decline_known"),
            models.CheckConstraint(
                condition=Q(status=ReferralStatus.WAITING, decided_at__isnull=True)
                | (~Q(status=ReferralStatus.WAITING) & Q(decided_at__isnull=False)),
                name="referral_decided_when_not_waiting",
            ),
            models.CheckConstraint(
                condition=(Q(status=ReferralStatus.DECLINED) & ~Q(decline_code=""))
                | (~Q(status=ReferralStatus.DECLINED) & Q(decline_code="")),
                name="referral_declined_with_a_reason",
            ),
            models.UniqueConstraint(
                fields=["patient"], condition=Q(status=ReferralStatus.WAITING), name="referral_one_waiting"
            ),
        ]
        indexes = [
            models.Index(
                fields=["organization", "received_at"],
                condition=Q(status=ReferralStatus.WAITING),
                name="referral_waiting",
            ),
            models.Index(fields=["asked"], condition=Q(status=ReferralStatus.WAITING), name="referral_asked"),
            models.Index(fields=["patient", "-received_at"], name="referral_patient"),
        ]

    def __str__(self) -> str:
        return f"referral {self.pk}"


class CareEnding(AppendedRecord):
    """Care by somebody ended: discharge, or transfer to a colleague; written once.

    `access_ends_at` is when the former team's way in closed, which may be some days after the decision so
    that notes can be finished.
    """

    sealed_subject = "patient_id"

    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="endings", db_index=False)
    kind = models.CharField(max_length=12, choices=EndingKind.choices)
    reason_code = models.CharField(max_length=16, choices=EndingReason.choices)
    from_user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    to_user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    to_outside = SealedCharField(max_length=200, null=True, blank=True, help_text="Who goes on elsewhere.")
    summary = SealedTextField(null=True, blank=True, help_text="The closing summary.")
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField()
    access_ends_at = models.DateTimeField()

    class Meta:
        ordering = ["-ended_at", "-id"]
        constraints = [
            one_of("kind", EndingKind.values, "ending_kind_known"),
            one_of("reason_code", EndingReason.values, "ending_reason_known"),
            models.CheckConstraint(
                condition=Q(kind=EndingKind.TRANSFER, to_user__isnull=False)
                | Q(kind=EndingKind.DISCHARGE, to_user__isnull=True),
                name="ending_transfer_names_who",
            ),
            models.CheckConstraint(
                condition=Q(kind=EndingKind.TRANSFER) | Q(summary__isnull=False),
                name="ending_discharge_has_summary",
            ),
            models.CheckConstraint(
                condition=Q(to_user__isnull=True) | Q(from_user__isnull=True) | ~Q(to_user=F("from_user")),
                name="ending_to_another",
            ),
            models.CheckConstraint(
                condition=Q(access_ends_at__gte=F("ended_at")), name="ending_access_not_before"
            ),
        ]
        indexes = [models.Index(fields=["patient", "-ended_at"], name="ending_patient")]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
