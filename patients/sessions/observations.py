"""What was observed about how a person feels: emotions read or stated, and the daily check-in."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from cortex.crypto.fields import SealedJSONField, SealedTextField
from cortex.records import OrgRecord
from patients.bounds import (
    all_between,
    between,
    known_labels,
    one_of,
    sensitivity_field,
    source_keys,
)
from patients.codes import VOICE_EMOTIONS, Emotion, EmotionSource, ReviewStatus
from patients.sessions.messages import MonthlyQuerySet

SEVERITY_BANDS = ("minimal", "mild", "moderate", "severe")


class EmotionObservation(OrgRecord):
    """One reading of an emotion, of a session or of a message; cut by month on its key."""

    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="emotions", db_index=False)
    session = models.ForeignKey(
        "patients.Session",
        models.DO_NOTHING,
        null=True,
        blank=True,
        db_constraint=False,
        db_index=False,
        related_name="emotions",
    )
    message_id = models.UUIDField(null=True, blank=True)
    source = models.CharField(max_length=12, choices=EmotionSource.choices)
    label = models.CharField(max_length=16, choices=Emotion.choices, blank=True)
    valence = models.FloatField(null=True, blank=True)
    arousal = models.FloatField(null=True, blank=True)
    confidence = models.FloatField()
    plutchik = models.JSONField(default=dict, blank=True, help_text="{emotion: 0-1}")
    probabilities = models.JSONField(default=dict, blank=True, help_text="{canonical label: 0-1}")
    clinical_markers = SealedJSONField(null=True, blank=True)
    clinical_severity = models.CharField(max_length=8, blank=True)
    is_flagged = models.BooleanField(default=False)
    prosody_features = models.JSONField(default=dict, blank=True, help_text="Numbers only.")
    model_name = models.CharField(max_length=64, blank=True)
    model_version = models.CharField(max_length=32, blank=True)
    sensitivity_labels = sensitivity_field()
    review_status = models.CharField(
        max_length=10, choices=ReviewStatus.choices, default=ReviewStatus.UNREVIEWED
    )
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    reviewed_at = models.DateTimeField(null=True, blank=True)
    corrected_label = models.CharField(max_length=16, choices=Emotion.choices, blank=True)
    observed_at = models.DateTimeField()
    received_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    objects = MonthlyQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(session__isnull=True, message_id__isnull=False)
                | Q(session__isnull=False, message_id__isnull=True),
                name="emotion_of_one_thing",
            ),
            one_of("source", EmotionSource.values, "emotion_source_known"),
            one_of("label", ["", *Emotion.values], "emotion_label_known"),
            models.CheckConstraint(
                condition=~Q(source=EmotionSource.VOICE) | Q(label__in=["", *VOICE_EMOTIONS]),
                name="emotion_voice_label_known",
            ),
            all_between(("valence", "arousal"), -1, 1, "emotion_axes_1_1"),
            between("confidence", 0, 1, "emotion_confidence_0_1"),
            one_of("clinical_severity", ["", *SEVERITY_BANDS], "emotion_severity_known"),
            one_of("review_status", ReviewStatus.values, "emotion_review_known"),
            one_of("corrected_label", ["", *Emotion.values], "emotion_corrected_label_known"),
            models.CheckConstraint(
                condition=~Q(review_status=ReviewStatus.CORRECTED) | ~Q(corrected_label=""),
                name="emotion_correction_has_label",
            ),
            models.CheckConstraint(
                condition=Q(review_status=ReviewStatus.UNREVIEWED)
                | Q(reviewed_by__isnull=False, reviewed_at__isnull=False),
                name="emotion_review_has_a_reader",
            ),
            known_labels("emotion_labels_known"),
        ]
        indexes = [
            models.Index(fields=["patient", "-observed_at"], name="emotion_patient_time"),
            models.Index(fields=["review_status", "-observed_at"], name="emotion_review"),
            models.Index(fields=["message_id"], name="emotion_message"),
            models.Index(fields=["session"], name="emotion_session"),
            models.Index(fields=["expires_at"], name="emotion_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.source} emotion {self.pk}"


class DailyCheckIn(OrgRecord):
    """The person's own numbers for one local day; stress is reverse-scored when shown."""

    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="check_ins", db_index=False)
    date = models.DateField(help_text="The person's local day.")
    mood = models.PositiveSmallIntegerField(null=True, blank=True)
    sleep_quality = models.PositiveSmallIntegerField(null=True, blank=True)
    stress_level = models.PositiveSmallIntegerField(null=True, blank=True)
    focus_score = models.PositiveSmallIntegerField(null=True, blank=True)
    metrics = SealedJSONField(null=True, blank=True)
    notes = SealedTextField(null=True, blank=True)
    pii_present = models.BooleanField(default=False)
    replaced_chars = models.PositiveIntegerField(default=0)
    submitted_at = models.DateTimeField()
    received_at = models.DateTimeField()

    class Meta:
        verbose_name = "daily check-in"
        ordering = ["-date"]
        constraints = [
            models.UniqueConstraint(fields=["patient", "date"], name="checkin_once_a_day"),
            all_between(
                ("mood", "sleep_quality", "stress_level", "focus_score"), 1, 10, "checkin_scores_1_10"
            ),
            *source_keys("checkin", "source002.progress_tracking"),
        ]
        indexes = [models.Index(fields=["patient", "-date"], name="checkin_patient_date")]

    def __str__(self) -> str:
        return f"check-in {self.pk}"
