"""What is known of a person beside the patient row: profile, contacts, preferences, last place."""

from __future__ import annotations

from datetime import datetime

from django.db import models

from cortex.crypto.fields import SealedCharField, SealedJSONField, SealedTextField
from cortex.records import OrgRecord
from patients.bounds import between, not_before, source_keys


class PatientProfile(OrgRecord):
    """What the person says about themself; a clinician's diagnoses and medications are elsewhere."""

    patient = models.OneToOneField("patients.Patient", models.PROTECT, related_name="profile")
    self_stated_goals = SealedTextField(null=True, blank=True)
    self_reported_conditions = SealedTextField(null=True, blank=True)
    self_reported_medications = SealedTextField(null=True, blank=True)
    legacy_assessment_data = SealedJSONField(null=True, blank=True)
    privacy_settings = models.JSONField(default=dict, blank=True, help_text="Codes, numbers and flags only.")

    class Meta:
        constraints = [*source_keys("profile", "source000.user_profiles")]

    def __str__(self) -> str:
        return f"profile {self.pk}"


class EmergencyContact(OrgRecord):
    """Somebody to call; usable with the consent emergency_contact or in a recorded emergency."""

    patient = models.ForeignKey(
        "patients.Patient", models.PROTECT, related_name="emergency_contacts", db_index=False
    )
    name = SealedCharField(max_length=160, null=True, blank=True)
    relationship = SealedCharField(max_length=80, null=True, blank=True)
    phone = SealedCharField(max_length=40, null=True, blank=True)
    email = SealedCharField(max_length=254, null=True, blank=True)
    language = models.CharField(max_length=16, blank=True)
    note = SealedTextField(null=True, blank=True)
    legacy_text = SealedTextField(null=True, blank=True, help_text="One unparsed line, as a source had it.")
    order = models.PositiveSmallIntegerField(default=1, help_text="Whom to call first.")
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["order", "id"]
        constraints = [
            *source_keys("contact", "source000.user_profiles", "source003.User"),
            between("order", 1, 20, "contact_order_1_20"),
        ]
        indexes = [models.Index(fields=["patient", "order"], name="contact_patient_order")]

    def __str__(self) -> str:
        return f"emergency contact {self.pk}"


class PatientPreference(OrgRecord):
    """How the person likes their sessions."""

    patient = models.OneToOneField("patients.Patient", models.PROTECT, related_name="preference")
    voice_preference = models.CharField(max_length=64, blank=True)
    background_sound_type = models.CharField(max_length=64, blank=True)
    preferred_duration_minutes = models.PositiveSmallIntegerField(null=True, blank=True)
    notification_preferences = models.JSONField(default=dict, blank=True, help_text="Codes and flags only.")
    morning_routine_time = models.TimeField(null=True, blank=True)
    evening_routine_time = models.TimeField(null=True, blank=True)

    class Meta:
        constraints = [
            between("preferred_duration_minutes", 1, 240, "preference_minutes_1_240"),
            *source_keys("preference", "source002.user_preferences"),
        ]

    def __str__(self) -> str:
        return f"preferences {self.pk}"


class LastLocationQuerySet(models.QuerySet["LastLocation"]):
    """Places that still may be read."""

    def current(self, at: datetime) -> LastLocationQuerySet:
        """Keep those that have not expired."""
        return self.filter(expires_at__gt=at)


class LastLocation(OrgRecord):
    """Where the person's app last said they were; gone after 24 hours."""

    patient = models.OneToOneField("patients.Patient", models.PROTECT, related_name="last_location")
    place = SealedJSONField(help_text="{latitude, longitude, accuracy_m} or {text}.")
    seen_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    objects = LastLocationQuerySet.as_manager()

    class Meta:
        constraints = [not_before("expires_at", "seen_at", "location_expires_after_seen")]

    def __str__(self) -> str:
        return f"last place {self.pk}"
