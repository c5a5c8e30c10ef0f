"""Sessions (one supertype), their voice detail and coded features, activities and feedback."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from cortex.crypto.fields import SealedJSONField, SealedTextField
from cortex.records import OrgRecord
from patients.bounds import (
    all_between,
    between,
    known_labels,
    not_before,
    one_of,
    sensitivity_field,
    source_keys,
)
from patients.codes import (
    VOICE_EMOTIONS,
    Channel,
    DissonanceType,
    Emotion,
    SessionKind,
    SessionStatus,
)

# K7: whatever happens to the extraction, words and full features of a voice session leave after this.
HARD_CAP = timedelta(days=14)

PROSODY = (
    "pitch_mean", "pitch_std", "pitch_range", "energy_mean", "energy_std", "speech_rate", "pause_ratio",
    "prosody_variance",
)  # fmt: skip


def code_list(length: int = 64) -> ArrayField:
    """A list of codes, empty unless given."""
    return ArrayField(models.CharField(max_length=length), default=list, blank=True)


def private(prefix: str = "") -> Q:
    """Return the condition on sessions that their person keeps to themself."""
    return Q(**{f"{prefix}kind": SessionKind.SELF_GUIDED, f"{prefix}is_shared": False})


class Session(OrgRecord):
    """One sitting of any kind (domain 1.4); `client_ref` is the name that the person's app gave it."""

    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="sessions", db_index=False)
    client_ref = models.CharField(max_length=64, blank=True)
    kind = models.CharField(max_length=16, choices=SessionKind.choices)
    subtype = models.CharField(max_length=64, blank=True)
    channel = models.CharField(max_length=12, choices=Channel.choices, blank=True)
    status = models.CharField(max_length=12, choices=SessionStatus.choices, default=SessionStatus.IN_PROGRESS)
    started_at = models.DateTimeField()
    start_is_inferred = models.BooleanField(
        default=False, help_text="Something of the session came before its start did."
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    duration_seconds = models.PositiveIntegerField(null=True, blank=True)
    mood_label = models.CharField(max_length=32, blank=True)
    tags = SealedJSONField(null=True, blank=True)
    metrics = SealedJSONField(null=True, blank=True)
    is_shared = models.BooleanField("shared with the care team", default=False)
    sensitivity_labels = sensitivity_field()
    received_at = models.DateTimeField()

    class Meta:
        ordering = ["-started_at"]
        constraints = [
            one_of("kind", SessionKind.values, "session_kind_known"),
            one_of("channel", ["", *Channel.values], "session_channel_known"),
            one_of("status", SessionStatus.values, "session_status_known"),
            not_before("ended_at", "started_at", "session_ends_not_before_start"),
            known_labels("session_labels_known"),
            models.UniqueConstraint(
                fields=["patient", "client_ref"], condition=~Q(client_ref=""), name="session_ref_once"
            ),
            *source_keys(
                "session",
                "source000.sessions",
                "source001.voice_sessions",
                "source002.sessions",
                "source003.Session",
                "source004.app.sessions",
            ),
        ]
        indexes = [
            models.Index(fields=["patient", "-started_at"], name="session_patient_time"),
            models.Index(fields=["kind", "status", "started_at"], name="session_kind_status"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    @property
    def is_private(self) -> bool:
        """Whether the person keeps it to themself: a self-guided session is theirs until they share it."""
        return self.kind == SessionKind.SELF_GUIDED and not self.is_shared

    @property
    def is_over(self) -> bool:
        """Whether nothing more is expected of it."""
        return self.status not in (SessionStatus.SCHEDULED, SessionStatus.IN_PROGRESS)


class VoiceSessionQuerySet(models.QuerySet["VoiceSession"]):
    """Voice detail as the purge asks for it."""

    def holding_words(self) -> VoiceSessionQuerySet:
        """Keep those that still hold a transcript or full features."""
        return self.filter(purged_at__isnull=True)

    def waiting_for_extraction(self) -> VoiceSessionQuerySet:
        """Keep those that hold something to extract, and were not found unreadable or without consent."""
        return self.holding_words().filter(patterns_extracted=False, processed=False, extraction_error="")

    def due_for_purge(self, at: datetime) -> VoiceSessionQuerySet:
        """Keep those whose time is over."""
        return self.holding_words().filter(delete_after__lte=at)


class VoiceSession(models.Model):
    """The spoken words and the full features of a voice session: short-lived (K7)."""

    session = models.OneToOneField(Session, models.PROTECT, primary_key=True, related_name="voice")
    organization = models.ForeignKey("accounts.Organization", models.PROTECT, related_name="+")
    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="voice_sessions")
    voice_features = SealedJSONField(null=True, blank=True)
    transcript_encrypted = SealedTextField(null=True, blank=True)
    transcript_language = models.CharField(max_length=16, blank=True)
    transcript_hash = models.BinaryField(null=True, blank=True)
    pii_present = models.BooleanField(default=False)
    replaced_chars = models.PositiveIntegerField(default=0)
    screened_at = models.DateTimeField(null=True, blank=True)
    lexicon_version = models.CharField(max_length=32, blank=True)
    processed = models.BooleanField(default=False)
    patterns_extracted = models.BooleanField(default=False)
    extracted_at = models.DateTimeField(null=True, blank=True)
    extraction_error = models.CharField(
        max_length=40,
        blank=True,
        default="",
        db_default="",
        help_text="Why it can't be read: the error's class. New content is tried again.",
    )
    delete_after = models.DateTimeField(db_index=True)
    purged_at = models.DateTimeField(null=True, blank=True)
    received_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    legacy_ids = models.JSONField(default=dict, blank=True)

    objects = VoiceSessionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(patterns_extracted=False) | Q(extracted_at__isnull=False),
                name="voice_extracted_has_a_time",
            ),
            models.CheckConstraint(
                condition=Q(purged_at__isnull=True)
                | Q(transcript_encrypted__isnull=True, voice_features__isnull=True),
                name="voice_purged_is_empty",
            ),
            *source_keys("voice", "source001.voice_sessions"),
        ]
        indexes = [
            models.Index(
                fields=["received_at"], condition=Q(patterns_extracted=False), name="voice_unextracted"
            ),
            models.Index(
                fields=["delete_after"], condition=Q(purged_at__isnull=True), name="voice_purge_due"
            ),
        ]

    def __str__(self) -> str:
        return f"voice {self.pk}"


class SessionFeature(OrgRecord):
    """What a session leaves behind for patterns and baselines (K8): codes and numbers, never text."""

    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="features", db_index=False)
    session = models.OneToOneField(Session, models.PROTECT, related_name="feature")
    observed_at = models.DateTimeField()
    pitch_mean = models.FloatField(null=True, help_text="Hz")
    pitch_std = models.FloatField(null=True, help_text="Hz, within the session")
    pitch_range = models.FloatField(null=True, help_text="Hz")
    energy_mean = models.FloatField(null=True, help_text="dB")
    energy_std = models.FloatField(null=True, help_text="dB, within the session")
    speech_rate = models.FloatField(null=True, help_text="Syllables per second")
    pause_ratio = models.FloatField(null=True, help_text="0-1")
    prosody_variance = models.FloatField(null=True)
    speech_seconds = models.FloatField(null=True)
    signal_ok = models.BooleanField(null=True)
    is_ill = models.BooleanField(null=True)
    is_intoxicated = models.BooleanField(null=True)
    voice_emotion = models.CharField(max_length=16, choices=Emotion.choices, blank=True)
    voice_confidence = models.FloatField(null=True)
    voice_valence = models.FloatField(null=True)
    text_emotion = models.CharField(max_length=16, choices=Emotion.choices, blank=True)
    text_confidence = models.FloatField(null=True)
    text_valence = models.FloatField(null=True)
    stated_emotion = models.CharField(max_length=16, choices=Emotion.choices, blank=True)
    stated_confidence = models.FloatField(null=True)
    stated_valence = models.FloatField(null=True)
    topic_codes = code_list()
    coping_codes = code_list()
    deflection_codes = code_list()
    risk_cue_codes = code_list()
    language_shares = models.JSONField(default=dict, blank=True, help_text="{code: share of tokens, 0-1}")
    token_count = models.PositiveIntegerField(null=True)
    declined_help = models.BooleanField(null=True)
    named_feeling = models.BooleanField(null=True)
    dissonance_score = models.FloatField(null=True)
    dissonance_gap = models.FloatField(null=True, help_text="Stated minus voice valence, -2 to 2.")
    dissonance_type = models.CharField(max_length=16, choices=DissonanceType.choices, blank=True)

    class Meta:
        ordering = ["-observed_at"]
        constraints = [
            all_between(
                (
                    "voice_confidence",
                    "text_confidence",
                    "stated_confidence",
                    "dissonance_score",
                    "pause_ratio",
                ),
                0,
                1,
                "feature_shares_0_1",
            ),
            all_between(("voice_valence", "text_valence", "stated_valence"), -1, 1, "feature_valences_1_1"),
            between("dissonance_gap", -2, 2, "feature_gap_2_2"),
            between("speech_seconds", 0, 86_400, "feature_speech_seconds"),
            one_of("voice_emotion", ["", *VOICE_EMOTIONS], "feature_voice_emotion_known"),
            one_of("text_emotion", ["", *Emotion.values], "feature_text_emotion_known"),
            one_of("stated_emotion", ["", *Emotion.values], "feature_stated_emotion_known"),
            one_of("dissonance_type", ["", *DissonanceType.values], "feature_dissonance_known"),
        ]
        indexes = [models.Index(fields=["patient", "-observed_at"], name="feature_patient_time")]

    def __str__(self) -> str:
        return f"features {self.pk}"


class SessionActivity(OrgRecord):
    """Something done inside a session: an exercise, an entry, an interaction."""

    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="activities", db_index=False)
    session = models.ForeignKey(Session, models.PROTECT, related_name="activities")
    activity_type = models.CharField(max_length=64)
    activity_data = SealedJSONField(null=True, blank=True)
    started_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True, blank=True)
    duration_seconds = models.PositiveIntegerField(null=True, blank=True)
    outcome_score = models.FloatField(null=True, blank=True)
    user_feedback = SealedTextField(null=True, blank=True)
    ai_analysis = SealedJSONField(null=True, blank=True)
    pii_present = models.BooleanField(default=False)
    replaced_chars = models.PositiveIntegerField(default=0)
    received_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "session activities"
        ordering = ["-started_at"]
        constraints = [
            between("outcome_score", 0, 1, "activity_outcome_0_1"),
            not_before("completed_at", "started_at", "activity_completed_not_before_start"),
            *source_keys("activity", "source000.session_activities", "source003.Session"),
        ]
        indexes = [
            models.Index(fields=["patient", "-started_at"], name="activity_patient_time"),
            models.Index(fields=["session", "started_at"], name="activity_session"),
        ]

    def __str__(self) -> str:
        return f"{self.activity_type} {self.pk}"


class SessionFeedback(OrgRecord):
    """What the person thought of a session; raw answers keep their scale (K4)."""

    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="feedback")
    session = models.ForeignKey(Session, models.PROTECT, related_name="feedback")
    author = models.CharField(
        max_length=12, choices=[("patient", "Patient"), ("staff", "Staff")], default="patient"
    )
    satisfaction_raw = models.PositiveSmallIntegerField(null=True, blank=True)
    satisfaction_scale = models.PositiveSmallIntegerField(default=5)
    effectiveness_raw = models.PositiveSmallIntegerField(null=True, blank=True)
    effectiveness_scale = models.PositiveSmallIntegerField(default=10)
    feedback_text = SealedTextField(null=True, blank=True)
    physical_effects = SealedJSONField(null=True, blank=True)
    mental_effects = SealedJSONField(null=True, blank=True)
    pii_present = models.BooleanField(default=False)
    replaced_chars = models.PositiveIntegerField(default=0)
    given_at = models.DateTimeField()
    received_at = models.DateTimeField()

    class Meta:
        ordering = ["-given_at"]
        verbose_name_plural = "session feedback"
        constraints = [
            models.CheckConstraint(
                condition=Q(satisfaction_raw__isnull=True)
                | Q(satisfaction_raw__gte=1, satisfaction_raw__lte=5, satisfaction_scale=5),
                name="feedback_satisfaction_1_5",
            ),
            models.CheckConstraint(
                condition=Q(effectiveness_raw__isnull=True)
                | Q(effectiveness_raw__gte=1, effectiveness_raw__lte=F("effectiveness_scale")),
                name="feedback_effectiveness_in_scale",
            ),
            models.CheckConstraint(
                condition=Q(effectiveness_scale__in=[5, 10]), name="feedback_scale_5_or_10"
            ),
            one_of("author", ["patient", "staff"], "feedback_author_known"),
            *source_keys(
                "feedback", "source000.sessions", "source002.sessions", "source002.session_feedback"
            ),
        ]
        indexes = [models.Index(fields=["session", "given_at"], name="feedback_session")]

    def __str__(self) -> str:
        return f"feedback {self.pk}"
