"""What a person takes, as they or their doctor say; free words are sealed."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import Q

from clinical.plans.in_error import EnteredInError
from cortex.crypto.fields import SealedCharField, SealedTextField
from cortex.records import OrgRecord
from patients.bounds import known_labels, not_before, one_of, sensitivity_field, source_keys


class MedicationStatus(models.TextChoices):
    """Whether it is taken."""

    ACTIVE = "active", "Taken now"
    ON_HOLD = "on_hold", "Paused"
    STOPPED = "stopped", "Stopped"


class Adherence(models.TextChoices):
    """How it is taken."""

    UNKNOWN = "unknown", "Not asked"
    AS_AGREED = "as_agreed", "As agreed"
    PARTLY = "partly", "Partly"
    NOT_TAKEN = "not_taken", "Not taken"


class MedicationSource(models.TextChoices):
    """Who says so."""

    PRESCRIBED = "prescribed", "Prescribed"
    SELF_REPORTED = "self_reported", "Self-reported"


class Medication(EnteredInError, OrgRecord):
    """One medication of one person, recorded only."""

    patient = models.ForeignKey(
        "patients.Patient", models.PROTECT, related_name="medications", db_index=False
    )
    name = SealedCharField(max_length=160)
    code_system = models.CharField(max_length=8, blank=True)
    code = models.CharField(max_length=16, blank=True)
    dose = SealedCharField(max_length=40, null=True, blank=True)
    unit = models.CharField(max_length=16, blank=True)
    route = models.CharField(max_length=16, blank=True)
    frequency = SealedCharField(max_length=80, null=True, blank=True)
    prn = models.BooleanField(default=False, help_text="Taken when needed.")
    start = models.DateField(null=True, blank=True)
    stop = models.DateField(null=True, blank=True)
    prescriber = SealedCharField(max_length=160, null=True, blank=True)
    indication = SealedCharField(max_length=200, null=True, blank=True)
    status = models.CharField(max_length=8, choices=MedicationStatus, default=MedicationStatus.ACTIVE)
    status_before = models.CharField(
        max_length=8, choices=MedicationStatus, blank=True, default="", db_default="",
        help_text="What it was when it was marked as entered in error; undoing gives it back.",
    )  # fmt: skip
    adherence = models.CharField(max_length=12, choices=Adherence, default=Adherence.UNKNOWN)
    side_effects = SealedTextField(max_length=2000, null=True, blank=True)
    source = models.CharField(max_length=16, choices=MedicationSource)
    lethal_quantity = models.BooleanField(
        default=False, help_text="Dangerous in overdose: feeds the means-safety prompt, never the score."
    )
    sensitivity_labels = sensitivity_field()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["pk"]
        constraints = [
            one_of("status", MedicationStatus.values, "medication_status_known"),
            one_of("adherence", Adherence.values, "medication_adherence_known"),
            one_of("source", MedicationSource.values, "medication_source_known"),
            one_of("code_system", ["", "rxnorm", "atc"], "medication_system_known"),
            known_labels("medication_labels_known"),
            models.CheckConstraint(
                condition=Q(status_before="")
                | Q(status_before__in=sorted(MedicationStatus.values), status="stopped"),
                name="medication_in_error_is_stopped",
            ),
            not_before("stop", "start", "medication_stops_not_before_start"),
            models.CheckConstraint(
                condition=Q(code_system="", code="") | (~Q(code_system="") & ~Q(code="")),
                name="medication_code_has_a_system",
            ),
            *source_keys("medication", "source003.TreatmentPlan"),
        ]
        indexes = [models.Index(fields=["patient", "status"], name="medication_patient")]

    def is_over(self, day: date) -> bool:
        """Whether it is no longer taken on a day of the person's: stopped, or its last day came.

        What is paused may be taken again. Nobody has to come back on the day that was planned for its end.
        """
        return self.status == MedicationStatus.STOPPED or (self.stop is not None and self.stop <= day)

    def is_labelled_by(self, user_id: UUID | None, *, prescribes: bool) -> bool:
        """Whether somebody sets its sensitivity labels: whoever recorded it, and whoever prescribes."""
        return prescribes or self.recorded_by_id in (None, user_id)

    def __str__(self) -> str:
        return f"medication {self.pk}"
