"""Allergies and intolerances, in the terms of FHIR's AllergyIntolerance; free words are sealed."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from cortex.crypto.fields import SealedCharField, SealedTextField
from cortex.records import OrgRecord
from patients.bounds import one_of


class AllergyKind(models.TextChoices):
    """What it is; an adverse reaction is one of which nobody knows yet which of the two."""

    ALLERGY = "allergy", "Allergy"
    INTOLERANCE = "intolerance", "Intolerance"
    ADVERSE_REACTION = "adverse-reaction", "Adverse reaction"


class Category(models.TextChoices):
    """What the substance is."""

    MEDICATION = "medication", "Medication"
    FOOD = "food", "Food"
    ENVIRONMENT = "environment", "Environment"
    BIOLOGIC = "biologic", "Vaccine or blood product"


class Criticality(models.TextChoices):
    """How much harm it can do the next time."""

    LOW = "low", "Low"
    HIGH = "high", "High: life or an organ may be in danger"
    UNABLE = "unable-to-assess", "Can't be said yet"


class ClinicalStatus(models.TextChoices):
    """Whether it still holds."""

    ACTIVE = "active", "Active"
    INACTIVE = "inactive", "Inactive"
    RESOLVED = "resolved", "Resolved"


class Verification(models.TextChoices):
    """How sure it is."""

    UNCONFIRMED = "unconfirmed", "Unconfirmed"
    CONFIRMED = "confirmed", "Confirmed"
    REFUTED = "refuted", "Refuted"
    ENTERED_IN_ERROR = "entered-in-error", "Entered in error"


class AllergySource(models.TextChoices):
    """Who says so."""

    PERSON = "person", "The person"
    DOCTOR = "doctor", "A doctor"
    DOCUMENT = "document", "A document"


SURE = tuple(one for one in Verification if one is not Verification.ENTERED_IN_ERROR)
NONE_KNOWN = Q(none_known=True, substance__isnull=True, kind="", category="", criticality="")
SOMETHING = (
    Q(none_known=False, substance__isnull=False)
    & Q(kind__in=sorted(AllergyKind.values))
    & Q(category__in=sorted(Category.values))
    & Q(criticality__in=sorted(Criticality.values))
)


class Allergy(OrgRecord):
    """One allergy or intolerance of one person, or (`none_known`) the statement that none is known."""

    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="allergies", db_index=False)
    none_known = models.BooleanField(default=False, help_text="Says that no allergy is known.")
    substance = SealedCharField(max_length=160, null=True, blank=True)
    kind = models.CharField(max_length=16, choices=AllergyKind, blank=True)
    category = models.CharField(max_length=12, choices=Category, blank=True)
    criticality = models.CharField(max_length=16, choices=Criticality, blank=True)
    clinical_status = models.CharField(max_length=8, choices=ClinicalStatus, default=ClinicalStatus.ACTIVE)
    verification = models.CharField(max_length=16, choices=Verification, default=Verification.UNCONFIRMED)
    verification_before = models.CharField(
        max_length=16, choices=[(one.value, one.label) for one in SURE], blank=True,
        help_text="What it was when it was marked as entered in error; undoing gives it back.",
    )  # fmt: skip
    reaction = SealedTextField(max_length=2000, null=True, blank=True)
    since = models.DateField(null=True, blank=True)
    source = models.CharField(max_length=8, choices=AllergySource)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name_plural = "allergies"
        ordering = ["pk"]
        constraints = [
            one_of("clinical_status", ClinicalStatus.values, "allergy_status_known"),
            one_of("verification", Verification.values, "allergy_verification_known"),
            one_of("source", AllergySource.values, "allergy_source_known"),
            models.CheckConstraint(condition=NONE_KNOWN | SOMETHING, name="allergy_is_something_or_none"),
            models.CheckConstraint(
                condition=Q(
                    verification=Verification.ENTERED_IN_ERROR,
                    verification_before__in=sorted(one.value for one in SURE),
                )
                | (~Q(verification=Verification.ENTERED_IN_ERROR) & Q(verification_before="")),
                name="allergy_error_knows_what_was",
            ),
            models.UniqueConstraint(
                fields=["patient"], name="allergy_none_known_once",
                condition=Q(none_known=True, clinical_status=ClinicalStatus.ACTIVE)
                & ~Q(verification=Verification.ENTERED_IN_ERROR),
            ),
        ]  # fmt: skip
        indexes = [models.Index(fields=["patient"], name="allergy_patient")]

    @property
    def is_in_error(self) -> bool:
        """Whether somebody said that it should not be here."""
        return self.verification == Verification.ENTERED_IN_ERROR

    @property
    def holds(self) -> bool:
        """Whether it is said today: active, not refuted and no error."""
        is_sure = self.verification in (Verification.UNCONFIRMED, Verification.CONFIRMED)
        return is_sure and self.clinical_status == ClinicalStatus.ACTIVE

    @property
    def stands(self) -> bool:
        """Whether it is an allergy that holds: the banner names it."""
        return self.holds and not self.none_known

    @property
    def says_none(self) -> bool:
        """Whether it is the statement that none is known, and holds."""
        return self.holds and self.none_known

    @property
    def is_severe(self) -> bool:
        """Whether the next time may cost a life or an organ."""
        return self.criticality == Criticality.HIGH

    def __str__(self) -> str:
        return f"allergy {self.pk}"
