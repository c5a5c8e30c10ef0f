"""Billing codes (public numbers, labels of our own) and lines; a line holds no word about a person."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from clinical.scheduling.billing.coding import Code
from cortex.records import OrgRecord, Record
from patients.bounds import between, one_of, source_keys


class System(models.TextChoices):
    """Whose numbers they are."""

    CPT = "cpt", "CPT"
    HCPCS = "hcpcs", "HCPCS"
    OWN = "own", "Own tariff"


class Service(models.TextChoices):
    """What a code is for; the suggestion looks only among those of the service."""

    PSYCHOTHERAPY = "psychotherapy", "Psychotherapy"
    INTAKE = "intake", "Intake"
    INTAKE_MEDICAL = "intake_medical", "Intake with a medical part"
    CRISIS = "crisis", "Crisis"
    FAMILY = "family", "Family"
    FAMILY_APART = "family_apart", "Family without the person"
    GROUP = "group", "Group"
    MULTI_FAMILY = "multi_family", "Several families"
    MEASURE = "measure", "Measures and testing"
    PHONE = "phone", "Telephone"
    COLLABORATIVE = "collaborative", "Collaborative care"
    SAFETY = "safety", "Safety planning and follow-up"
    EM_ADDON = "em_addon", "With an E/M service"
    NO_SHOW = "no_show", "Missed appointment"


class BillingCode(Record):
    """One code; without an organization it is common to its jurisdiction ("" is every one)."""

    organization = models.ForeignKey(
        "accounts.Organization", models.PROTECT, null=True, blank=True, related_name="+",
        help_text="Empty: offered to everybody in the jurisdiction.",
    )  # fmt: skip
    code = models.CharField(max_length=16)
    system = models.CharField(max_length=8, choices=System)
    own_label = models.CharField(max_length=80, help_text="In our own words: descriptors are their owner's.")
    service = models.CharField(max_length=16, choices=Service)
    min_minutes = models.PositiveSmallIntegerField(default=0)
    max_minutes = models.PositiveSmallIntegerField(null=True, blank=True)
    unit_minutes = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Counted once per so many minutes; empty: once."
    )
    is_addon = models.BooleanField(default=False)
    requires = ArrayField(
        models.CharField(max_length=16), default=list, blank=True, help_text="One of these on the same day."
    )
    active_from = models.DateField()
    active_to = models.DateField(null=True, blank=True)
    jurisdiction = models.CharField(max_length=8, blank=True, help_text="ISO 3166 code; empty: everywhere.")
    amount_cents = models.PositiveIntegerField(null=True, blank=True, help_text="One's own tariff per unit.")
    currency = models.CharField(max_length=3, blank=True)

    class Meta:
        ordering = ["system", "code"]
        constraints = [
            one_of("system", System.values, "billing_code_system_known"),
            one_of("service", Service.values, "billing_code_service_known"),
            models.CheckConstraint(
                condition=Q(max_minutes__isnull=True) | Q(max_minutes__gte=F("min_minutes")),
                name="billing_code_minutes_in_order",
            ),
            models.CheckConstraint(
                condition=Q(active_to__isnull=True) | Q(active_to__gte=F("active_from")),
                name="billing_code_days_in_order",
            ),
            models.UniqueConstraint(
                fields=["organization", "code", "jurisdiction", "active_from"], nulls_distinct=False,
                name="billing_code_once",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.code} {self.own_label}"

    def read(self) -> Code:
        """Return the code as the rules see it."""
        return Code(
            code=self.code, service=self.service, least=self.min_minutes, most=self.max_minutes,
            unit_minutes=self.unit_minutes, is_addon=self.is_addon, requires=tuple(self.requires),
            active_from=self.active_from, active_to=self.active_to, key=self.pk,
        )  # fmt: skip


class LineStatus(models.TextChoices):
    """Where a line stands; nothing is ever sent by itself."""

    PROPOSED = "proposed", "Proposed"
    CONFIRMED = "confirmed", "Confirmed"
    VOID = "void", "Void"


class BillingLine(OrgRecord):
    """What is billed of one sitting: code, minutes, units, amount; a person confirms it, and takes it out."""

    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="+")
    provider = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    session = models.ForeignKey(
        "patients.Session", models.PROTECT, null=True, blank=True, related_name="billing_lines"
    )
    appointment = models.ForeignKey(
        "clinical.Appointment", models.PROTECT, null=True, blank=True, related_name="billing_lines"
    )
    billing_code = models.ForeignKey(BillingCode, models.PROTECT, related_name="+")
    code = models.CharField(max_length=16, help_text="As it stood when the line was made.")
    system = models.CharField(max_length=8, choices=System)
    own_label = models.CharField(max_length=80)
    service_date = models.DateField()
    minutes = models.PositiveSmallIntegerField()
    units = models.PositiveSmallIntegerField(default=1)
    amount_cents = models.PositiveIntegerField(null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    status = models.CharField(max_length=12, choices=LineStatus, default=LineStatus.PROPOSED)
    warnings = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    exported_at = models.DateTimeField(null=True, help_text="When it was first taken out as a file.")

    class Meta:
        ordering = ["-service_date", "-id"]
        constraints = [
            one_of("status", LineStatus.values, "billing_line_status_known"),
            one_of("system", System.values, "billing_line_system_known"),
            between("units", 1, 96, "billing_line_units_1_96"),
            between("minutes", 0, 1440, "billing_line_minutes_a_day"),
            models.CheckConstraint(
                condition=Q(session__isnull=False) | Q(appointment__isnull=False),
                name="billing_line_has_a_sitting",
            ),
            models.UniqueConstraint(
                fields=["session", "code"], condition=~Q(status=LineStatus.VOID),
                name="billing_line_once_per_session",
            ),
            models.UniqueConstraint(
                fields=["appointment", "code"], condition=~Q(status=LineStatus.VOID),
                name="billing_line_once_per_appointment",
            ),
            *source_keys("billing_line", "source003.Session"),
        ]  # fmt: skip
        indexes = [models.Index(fields=["provider", "-service_date"], name="billing_line_provider")]

    def __str__(self) -> str:
        return f"{self.code} {self.service_date}"
