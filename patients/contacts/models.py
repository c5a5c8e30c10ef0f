"""An exception from the consent emergency_contact: who opened whose contacts, why, and who read that."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from cortex.clock import Moment
from cortex.crypto.fields import SealedTextField
from cortex.records import OrgRecord
from patients.bounds import one_of

# What imminent danger is: an alert of such a level.
DANGER = ("high", "critical")
LONGEST = timedelta(hours=4)
# Whom to call is a short list: the table of contacts holds the order to this.
MOST = 20


class ContactExceptionQuerySet(models.QuerySet["ContactException"]):
    """Words for exceptions."""

    def running(self, at: Moment) -> ContactExceptionQuerySet:
        """Keep those that hold at `at`."""
        return self.filter(opened_at__lte=at, ends_at__gt=at)

    def unreviewed(self) -> ContactExceptionQuerySet:
        """Keep those that nobody else has read yet."""
        return self.filter(reviewed_at__isnull=True)


class ContactException(OrgRecord):
    """One person's contacts, open to one member of staff for some hours without consent."""

    sealed_subject = "patient_id"

    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="+", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    alert_id = models.UUIDField(help_text="The alert that its user had.")
    level = models.CharField(max_length=8, help_text="The alert's level then.")
    reason = SealedTextField(max_length=2000)
    opened_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    review_due_at = models.DateTimeField()
    reviewed_at = models.DateTimeField(null=True)
    reviewed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    objects = ContactExceptionQuerySet.as_manager()

    class Meta:
        ordering = ["-opened_at"]
        constraints = [
            one_of("level", DANGER, "contact_exception_in_danger"),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("opened_at")) & Q(ends_at__lte=F("opened_at") + LONGEST),
                name="contact_exception_ends_soon",
            ),
            models.CheckConstraint(
                condition=Q(reviewed_at__isnull=True, reviewed_by__isnull=True)
                | Q(reviewed_at__isnull=False, reviewed_by__isnull=False),
                name="contact_exception_review_whole",
            ),
            models.CheckConstraint(
                condition=Q(reviewed_by__isnull=True) | ~Q(reviewed_by=F("user")),
                name="contact_exception_read_by_another",
            ),
        ]
        indexes = [
            models.Index(fields=["patient", "user", "-ends_at"], name="contact_exception_runs"),
            models.Index(
                fields=["organization", "review_due_at"], condition=Q(reviewed_at__isnull=True),
                name="contact_exception_to_read",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"contact exception {self.pk}"
