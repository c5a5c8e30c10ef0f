"""Diagnoses by code; a code is checked against the table before it is stored."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from clinical.plans.in_error import EnteredInError
from cortex.crypto.fields import SealedTextField
from cortex.records import OrgRecord
from patients.bounds import known_labels, not_before, one_of, sensitivity_field, source_keys

ICD10CM = "icd10cm"


class DiagnosisStatus(models.TextChoices):
    """How sure a diagnosis is, and whether it still holds."""

    PROVISIONAL = "provisional", "Provisional"
    CONFIRMED = "confirmed", "Confirmed"
    REMISSION = "remission", "In remission"
    RULED_OUT = "ruled_out", "Ruled out"


class DiagnosisQuerySet(models.QuerySet["Diagnosis"]):
    """Words for diagnoses."""

    def standing(self) -> DiagnosisQuerySet:
        """Leave out what was ruled out."""
        return self.exclude(status=DiagnosisStatus.RULED_OUT)


class Diagnosis(EnteredInError, OrgRecord):
    """What one person was found to have."""

    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="diagnoses", db_index=False)
    code_system = models.CharField(max_length=12, default=ICD10CM)
    code = models.CharField(max_length=12)
    title = models.CharField(max_length=200, help_text="The title of the code when it was recorded.")
    status = models.CharField(max_length=12, choices=DiagnosisStatus)
    status_before = models.CharField(
        max_length=12, choices=DiagnosisStatus, blank=True, default="", db_default="",
        help_text="What it was when it was marked as entered in error; undoing gives it back.",
    )  # fmt: skip
    onset = models.DateField(null=True, blank=True)
    resolved_on = models.DateField(null=True, blank=True)
    note = SealedTextField(max_length=2000, null=True, blank=True)
    sensitivity_labels = sensitivity_field()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    objects = DiagnosisQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        verbose_name_plural = "diagnoses"
        constraints = [
            one_of("status", DiagnosisStatus.values, "diagnosis_status_known"),
            one_of("code_system", ["icd10cm", "icd10", "icd11"], "diagnosis_system_known"),
            known_labels("diagnosis_labels_known"),
            models.CheckConstraint(
                condition=Q(status_before="")
                | Q(status_before__in=sorted(DiagnosisStatus.values), status="ruled_out"),
                name="diagnosis_in_error_is_ruled_out",
            ),
            not_before("resolved_on", "onset", "diagnosis_resolved_not_before_onset"),
            models.UniqueConstraint(
                fields=["patient", "code_system", "code"],
                condition=~Q(status="ruled_out"),
                name="diagnosis_code_once_while_it_stands",
            ),
            *source_keys("diagnosis", "source003.TreatmentPlan"),
        ]
        indexes = [models.Index(fields=["patient", "status"], name="diagnosis_patient")]

    def __str__(self) -> str:
        return f"diagnosis {self.pk}"


class DiagnosisFavourite(OrgRecord):
    """A code that one member of staff keeps at hand, or (`hidden`) a starter that they put away."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    code = models.CharField(max_length=12)
    hidden = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "code"], name="favourite_once")]

    def __str__(self) -> str:
        return self.code
