"""The words of a conversation, and what the assistant did and why; partitioned rows are named by bare id."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models

from cortex.crypto.fields import SealedJSONField, SealedTextField
from cortex.ids import floor_of
from cortex.records import OrgRecord
from patients.bounds import known_labels, not_before, one_of, sensitivity_field, source_keys
from patients.codes import MessageRole, ToolStatus

# Domain 7.3: eighteen months.
MESSAGE_LIFE = timedelta(days=548)


class MonthlyQuerySet(models.QuerySet):  # type: ignore[type-arg]
    """For tables that are cut by month on their time-ordered key."""

    def in_window(self, start: datetime, end: datetime) -> MonthlyQuerySet:
        """Keep keys of [start, end), so that a query touches its months only."""
        return self.filter(pk__gte=floor_of(start), pk__lt=floor_of(end))


class Message(OrgRecord):
    """One utterance. The key's time is the sent time within bounds; `sent_at` is as the client said."""

    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="messages", db_index=False)
    # A session stub may leave by its own rule before its messages do: no constraint in the database.
    session = models.ForeignKey(
        "patients.Session",
        models.DO_NOTHING,
        null=True,
        blank=True,
        db_constraint=False,
        db_index=False,
        related_name="messages",
    )
    role = models.CharField(max_length=10, choices=MessageRole.choices)
    content = SealedTextField(null=True, blank=True)
    content_hash = models.BinaryField(null=True, blank=True)
    language = models.CharField(max_length=16, blank=True)
    pii_present = models.BooleanField(default=False)
    replaced_chars = models.PositiveIntegerField(default=0, help_text="Characters that could not be kept.")
    sensitivity_labels = sensitivity_field()
    metadata = SealedJSONField(null=True, blank=True)
    service_context = SealedJSONField(null=True, blank=True)
    safety_analysis = SealedJSONField(null=True, blank=True)
    performance_data = models.JSONField(default=dict, blank=True, help_text="Numbers and codes only.")
    screened_at = models.DateTimeField(null=True, blank=True)
    lexicon_version = models.CharField(max_length=32, blank=True)
    sent_at = models.DateTimeField()
    received_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    objects = MonthlyQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            one_of("role", MessageRole.values, "message_role_known"),
            known_labels("message_labels_known"),
        ]
        indexes = [
            models.Index(fields=["patient", "-id"], name="message_patient"),
            models.Index(fields=["session", "id"], name="message_session"),
            models.Index(fields=["expires_at"], name="message_expiry"),
        ]

    def __str__(self) -> str:
        return f"message {self.pk}"


class ToolAction(OrgRecord):
    """A tool that the assistant used for the person."""

    patient = models.ForeignKey(
        "patients.Patient", models.PROTECT, related_name="tool_actions", db_index=False
    )
    session = models.ForeignKey(
        "patients.Session", models.PROTECT, null=True, blank=True, related_name="tool_actions"
    )
    tool_name = models.CharField(max_length=64)
    params = SealedJSONField(null=True, blank=True)
    status = models.CharField(max_length=10, choices=ToolStatus.choices)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    error = SealedTextField(null=True, blank=True)
    received_at = models.DateTimeField()

    class Meta:
        ordering = ["-started_at"]
        constraints = [
            one_of("status", ToolStatus.values, "tool_status_known"),
            not_before("finished_at", "started_at", "tool_finished_not_before_start"),
            *source_keys("tool", "source004.app.tool_actions"),
        ]
        indexes = [models.Index(fields=["patient", "-started_at"], name="tool_patient_time")]

    def __str__(self) -> str:
        return f"{self.tool_name} {self.pk}"


class AssistantRationale(OrgRecord):
    """Why the assistant answered as it did; one per message, named by bare id."""

    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="rationales", db_index=False)
    message_id = models.UUIDField(unique=True)
    policy_selected = models.CharField(max_length=64, blank=True)
    target_state = models.CharField(max_length=64, blank=True)
    selected_tools = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    citations = SealedJSONField(null=True, blank=True)
    received_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["patient", "-id"], name="rationale_patient")]

    def __str__(self) -> str:
        return f"rationale {self.pk}"
