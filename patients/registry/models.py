"""The patient: whose care it is. Relations to staff and the details of the person stand beside this file."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from cortex.clock import Moment
from cortex.crypto.fields import SealedCharField, SealedDateField, SealedTextField
from cortex.records import OrgRecord
from patients.bounds import between, one_of, source_keys
from patients.codes import MINOR_BANDS, RETENTION_DAYS, AgeBand, PatientStatus
from patients.registry.predicate import VIEW, relationship_q


def new_pseudonym() -> str:
    """Return a fresh pseudonym: eight random digits say nothing and can be read out on the telephone."""
    return f"CX-{secrets.randbelow(90_000_000) + 10_000_000}"


class PatientQuerySet(models.QuerySet["Patient"]):
    """The words in which the other modules speak of patients."""

    def visible_to(
        self, user: Any, at: Moment, permission: str = VIEW, besides: frozenset[str] = frozenset()
    ) -> PatientQuerySet:
        """Keep those to whom `user` stands in a relationship at `at` that opens `permission`."""
        return self.filter(relationship_q(user, at, permission, besides))

    def of_organizations(self, organization_ids: Iterable[Any]) -> PatientQuerySet:
        """Keep those of these organizations."""
        return self.filter(organization_id__in=list(organization_ids))

    def active(self) -> PatientQuerySet:
        """Keep those who are in care: neither suspended nor erased."""
        return self.filter(status=PatientStatus.ACTIVE)

    def canonical(self) -> PatientQuerySet:
        """Keep one row per person: leave out those that were merged into another."""
        return self.filter(merged_into__isnull=True)

    def same_person(self, patient_id: Any) -> PatientQuerySet:
        """Keep every row of the person that `patient_id` is a row of."""
        person = self.model._default_manager.filter(pk=patient_id).values("person_id")
        return self.filter(person_id__in=person)


class Patient(OrgRecord):
    """A person in care. Rows of care and crisis survive an erasure, so nothing cascades from here."""

    sealed_subject = "id"

    anonymous_id = models.CharField("pseudonym", max_length=64, unique=True, default=new_pseudonym)
    status = models.CharField(max_length=12, choices=PatientStatus.choices, default=PatientStatus.ACTIVE)
    is_provisional = models.BooleanField(
        default=False, help_text="Opened by hand for a person not on record."
    )
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="merged_rows", db_index=False
    )
    person_id = models.GeneratedField(
        expression=Coalesce(F("merged_into_id"), F("id")),
        output_field=models.UUIDField(),
        db_persist=True,
    )

    given_name = SealedCharField(max_length=120, null=True, blank=True)
    middle_name = SealedCharField(max_length=120, null=True, blank=True)
    family_name = SealedCharField(max_length=120, null=True, blank=True)
    pronouns = SealedCharField(max_length=40, null=True, blank=True)
    sex = SealedCharField(max_length=20, null=True, blank=True)
    gender = SealedCharField(max_length=40, null=True, blank=True)
    email = SealedCharField(max_length=254, null=True, blank=True)
    email_hash = models.BinaryField(null=True, blank=True)
    phone = SealedCharField(max_length=40, null=True, blank=True)
    phone_hash = models.BinaryField(null=True, blank=True)
    date_of_birth = SealedDateField(null=True, blank=True)
    age_band = models.CharField(max_length=8, choices=AgeBand.choices, default=AgeBand.UNKNOWN)
    home_address = SealedTextField(null=True, blank=True)
    usual_places = SealedTextField(null=True, blank=True)
    mrn = SealedCharField("record number", max_length=64, null=True, blank=True)
    mrn_hash = models.BinaryField(null=True, blank=True)
    external_provider_ref = models.CharField(max_length=120, blank=True)
    risk_notes = SealedTextField(null=True, blank=True)

    language = models.CharField(max_length=16, default="en", help_text="en, sw, sheng, or another code.")
    locale = models.CharField(max_length=16, blank=True)
    timezone = models.CharField(max_length=64, blank=True, help_text="Empty: the organization's zone.")
    primary_clinician = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    data_retention_days = models.PositiveSmallIntegerField(default=90)
    registered_at = models.DateTimeField()
    last_active_at = models.DateTimeField(null=True, blank=True)

    objects = PatientQuerySet.as_manager()

    class Meta:
        ordering = ["anonymous_id"]
        permissions = [
            ("view_chart", "Can read the whole chart"),
            ("view_consents", "Can read consents and requests"),
        ]
        constraints = [
            one_of("status", PatientStatus.values, "patient_status_known"),
            one_of("age_band", AgeBand.values, "patient_age_band_known"),
            between("data_retention_days", *RETENTION_DAYS, "patient_retention_30_365"),
            models.CheckConstraint(
                condition=Q(merged_into__isnull=True) | ~Q(merged_into=F("id")),
                name="patient_not_merged_into_self",
            ),
            models.UniqueConstraint(
                fields=["organization", "email_hash"],
                condition=Q(status=PatientStatus.ACTIVE, merged_into__isnull=True),
                name="patient_email_once_if_active",
            ),
            models.UniqueConstraint(
                fields=["organization", "mrn_hash"],
                condition=Q(status=PatientStatus.ACTIVE, merged_into__isnull=True),
                name="patient_mrn_once_if_active",
            ),
            *source_keys(
                "patient",
                "source000.users",
                "source001.users",
                "source002.users",
                "source003.User",
                "source004.app.user_profiles",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "phone_hash"], name="patient_phone"),
            models.Index(fields=["organization", "status"], name="patient_org_status"),
            models.Index(fields=["person_id"], name="patient_person"),
            models.Index(
                fields=["merged_into"], condition=Q(merged_into__isnull=False), name="patient_merged_into"
            ),
        ]

    def __str__(self) -> str:
        return self.anonymous_id

    @property
    def is_minor(self) -> bool:
        """Whether the age band is one of a child's; an unknown age is not."""
        return self.age_band in MINOR_BANDS

    def zone(self) -> str:
        """Return the IANA zone that the person's days are counted in."""
        return self.timezone or self.organization.default_timezone
