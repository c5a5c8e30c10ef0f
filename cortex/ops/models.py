"""Rows of the house itself: flags, settings, retention, notices, heartbeats, telemetry, metrics."""

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from cortex.ids import uuid7
from cortex.ops.cspreports.models import CspViolation
from cortex.ops.letters.models import DeadLetter
from cortex.ops.slots.models import ScheduledJob, ScheduledSlot
from cortex.records import OrgRecord, Record

__all__ = [
    "CspViolation", "DeadLetter", "FeatureFlag", "Notification", "RetentionPolicy", "RetentionRun",
    "ScheduledJob", "ScheduledSlot", "ServiceHeartbeat", "ServiceMetric", "SystemSetting", "TelemetryEvent",
]  # fmt: skip

# What keeps people safe can't be switched off by a flag (domain K32).
SAFETY_FLAGS = r"^(safety|crisis|alert|escalation|screening|sos|audit|access)"


class FeatureFlag(Record):
    """A switch for part of the users; never for a safety function."""

    name = models.SlugField(max_length=100, unique=True)
    description = models.TextField(blank=True)
    is_enabled = models.BooleanField(default=False)
    rollout_percentage = models.PositiveSmallIntegerField(default=100, validators=[MaxValueValidator(100)])
    target_segments = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    target_regions = ArrayField(models.CharField(max_length=16), default=list, blank=True)
    conditions = models.JSONField(default=dict, blank=True)
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=Q(rollout_percentage__lte=100), name="flag_percentage"),
            models.CheckConstraint(
                condition=Q(starts_at__isnull=True) | Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")),
                name="flag_ends_after_start",
            ),
            models.CheckConstraint(
                condition=~Q(name__regex=SAFETY_FLAGS),
                name="flag_not_safety",
                violation_error_message="Safety functions can't be switched by a flag.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class SystemSetting(Record):
    """One version of a setting; the newest active version counts, old ones stay."""

    key = models.CharField(max_length=100)
    category = models.CharField(max_length=40, blank=True)
    value = models.JSONField()
    description = models.TextField(blank=True)
    is_active = models.BooleanField(default=True)
    version = models.PositiveIntegerField(default=1)
    updated_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["key", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["key", "version"], name="setting_version"),
            models.UniqueConstraint(fields=["key"], condition=Q(is_active=True), name="setting_one_active"),
        ]

    def __str__(self) -> str:
        return f"{self.key} v{self.version}"


class RetentionAction(models.TextChoices):
    """What a rule does with rows that are over age."""

    DELETE = "delete", "Delete"
    ANONYMISE = "anonymise", "Anonymise"
    ARCHIVE = "archive", "Archive"


class RetentionPolicy(Record):
    """How long one kind of row is kept, from which time on, and why."""

    model = models.CharField(max_length=100, help_text="As app.Model.")
    basis_field = models.CharField(max_length=64)
    days = models.PositiveIntegerField(help_text="Age in days from the basis.")
    action = models.CharField(max_length=12, choices=RetentionAction, default=RetentionAction.DELETE)
    legal_basis = models.CharField(max_length=200, blank=True)
    overridable_by = models.CharField(max_length=64, blank=True, help_text="The setting that may shorten it.")
    is_active = models.BooleanField(default=True)

    class Meta:
        verbose_name_plural = "retention policies"
        ordering = ["model"]
        constraints = [
            models.UniqueConstraint(fields=["model", "basis_field", "action"], name="policy_once"),
            models.CheckConstraint(condition=Q(action__in=RetentionAction.values), name="policy_action"),
        ]

    def __str__(self) -> str:
        return f"{self.model}: {self.days} d"


class RetentionRun(Record):
    """One night's work of one policy."""

    policy = models.ForeignKey(RetentionPolicy, on_delete=models.PROTECT, related_name="runs")
    is_dry_run = models.BooleanField(default=False)
    scanned = models.PositiveIntegerField(default=0)
    deleted = models.PositiveIntegerField(default=0)
    held = models.PositiveIntegerField(default=0, help_text="Kept by a legal hold or an open case.")
    errors = models.PositiveIntegerField(default=0)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(scanned__gte=F("deleted") + F("held")), name="run_counts_add_up"
            )
        ]

    def __str__(self) -> str:
        return f"{self.policy_id} {self.created_at:%Y-%m-%d}"


class Notification(OrgRecord):
    """A notice to one member of staff inside the product: a code and an object, no words about a patient."""

    recipient = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="notices")
    code = models.CharField(max_length=64)
    codes = models.JSONField(default=dict, blank=True, help_text="Codes, ids and numbers only.")
    object_type = models.CharField(max_length=64, blank=True)
    object_id = models.UUIDField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["recipient", "-id"], condition=Q(read_at__isnull=True), name="notice_unread")
        ]

    def __str__(self) -> str:
        return self.code


class ServiceHeartbeat(models.Model):
    """When a machine (sweeper, sequencer, beat) last did its round, by the database's clock."""

    name = models.CharField(max_length=40, primary_key=True)
    last_run_at = models.DateTimeField()
    detail = models.JSONField(default=dict, blank=True, help_text="Codes and numbers only.")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class TelemetryEvent(OrgRecord):
    """What an app reports about its own working, under a pseudonym that rotates; partitioned by month."""

    event_id = models.CharField(max_length=64, help_text="The sender's item id.")
    occurred_at = models.DateTimeField(help_text="Clamped: 60 days back, 5 minutes ahead.")
    sent_at = models.DateTimeField(null=True, blank=True, help_text="The time as the app sent it.")
    session_pseudonym = models.CharField(max_length=64, blank=True)
    user_pseudonym = models.CharField(max_length=64, blank=True)
    event_type = models.CharField(max_length=64)
    event_data = models.JSONField(default=dict, blank=True)
    geo_region = models.CharField(max_length=16, blank=True)
    device_type = models.CharField(max_length=40, blank=True)
    app_version = models.CharField(max_length=40, blank=True)
    performance_metrics = models.JSONField(default=dict, blank=True)
    error_data = models.JSONField(default=dict, blank=True)
    tags = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["organization", "event_type", "-id"], name="telemetry_type")]

    def __str__(self) -> str:
        return self.event_type


class ServiceMetric(models.Model):
    """One figure of one service at one minute; partitioned by month."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    legacy_ids = models.JSONField(default=dict, blank=True)
    service_name = models.CharField(max_length=64)
    recorded_at = models.DateTimeField()
    metric_name = models.CharField(max_length=100)
    metric_value = models.FloatField()
    tags = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["service_name", "metric_name", "-id"], name="metric_series")]

    def __str__(self) -> str:
        return f"{self.service_name} {self.metric_name}"
