"""Clocks and duties of alerts: policies, due steps, notifications and pager endpoints."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q

from cortex.crypto.fields import SealedTextField
from cortex.records import OrgRecord, Record


class SlaPolicy(Record):
    """The clocks and the escalation chain of one level; an organization's own wins over the default.

    Medium opens no alert: it has the clocks of its tasks, an empty chain, and no other numbers.

    `chain` is a list of {"after": seconds, "who": "on_duty|second|supervisor|on_call|lead"}; the first is
    the notification itself.
    """

    organization = models.ForeignKey(
        "accounts.Organization",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Empty: the default of every organization.",
    )
    level = models.CharField(
        max_length=8, choices=[(v, v) for v in ("critical", "high", "waiting", "medium")]
    )
    acknowledge_seconds = models.PositiveIntegerField()
    contact_seconds = models.PositiveIntegerField()
    disposition_seconds = models.PositiveIntegerField()
    confirm_seconds = models.PositiveIntegerField(default=30)
    warn_claim_seconds = models.PositiveIntegerField()
    release_claim_seconds = models.PositiveIntegerField()
    check_in_seconds = models.PositiveIntegerField(default=1200)
    owner_gone_seconds = models.PositiveIntegerField(default=600)
    repeat_seconds = models.PositiveIntegerField()
    chain = models.JSONField()

    class Meta:
        verbose_name = "clock policy"
        verbose_name_plural = "clock policies"
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "level"], nulls_distinct=False, name="one_policy_per_level"
            )
        ]

    def __str__(self) -> str:
        return f"{self.level} clocks"


class StepKind(models.TextChoices):
    """What a due row asks for."""

    CHAIN = "chain", "Next step of the chain"
    CONFIRM = "confirm", "Was the step confirmed"
    WARN_CLAIM = "warn_claim", "Warn an inactive owner"
    RELEASE_CLAIM = "release_claim", "Release an inactive claim"
    CONTACT_OVERDUE = "contact_overdue", "First contact is overdue"
    CHECK_IN = "check_in", "Ask the supervisor to look in"
    DISPOSITION_OVERDUE = "disposition_overdue", "The outcome is overdue"
    OWNER_GONE = "owner_gone", "The owner stayed away"
    REVIEW_OVERDUE = "review_overdue", "A second review is overdue"
    STILL_HIGH = "still_high", "Look again a day after the end"


# These ask their own question when they fire, whatever has happened since; an older epoch fences all others.
UNFENCED = (StepKind.STILL_HIGH, StepKind.REVIEW_OVERDUE)
FENCED = tuple(kind for kind in StepKind if kind not in UNFENCED)


class AlertStepQuerySet(models.QuerySet["AlertStep"]):
    """Words for due rows."""

    def due(self, at: datetime) -> AlertStepQuerySet:
        """Rows that should have run by `at`."""
        return self.filter(done_at__isnull=True, due_at__lte=at)


class AlertStep(OrgRecord):
    """A duty with a due time, fenced by the epoch that its alert had when it was written."""

    alert = models.ForeignKey("crisis.RiskAlert", models.PROTECT, related_name="steps")
    kind = models.CharField(max_length=24, choices=StepKind)
    due_at = models.DateTimeField()
    epoch = models.PositiveIntegerField()
    position = models.PositiveSmallIntegerField(default=0)
    done_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=24, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    codes = models.JSONField(default=dict, blank=True)

    objects = AlertStepQuerySet.as_manager()

    class Meta:
        verbose_name = "due step"
        indexes = [models.Index(fields=["due_at"], condition=Q(done_at__isnull=True), name="step_due")]

    def __str__(self) -> str:
        return f"{self.kind} due {self.due_at:%H:%M:%S}"


class Channel(models.TextChoices):
    """How a person is told."""

    BOARD = "board", "The board"
    EMAIL = "email", "E-mail"
    WEBHOOK = "webhook", "Pager service"


class AttemptState(models.TextChoices):
    """How far a notification came."""

    PENDING = "pending", "Waiting to be sent or seen"
    SENT = "sent", "Sent, not confirmed"
    CONFIRMED = "confirmed", "Confirmed"
    FAILED = "failed", "Failed, will be tried again"
    DEAD = "dead", "Given up"
    OVERTAKEN = "overtaken", "No longer needed"


class NotificationAttempt(OrgRecord):
    """One attempt to tell one person (or one pager) about an alert's step, a task or a shift."""

    alert = models.ForeignKey(
        "crisis.RiskAlert", models.PROTECT, null=True, blank=True, related_name="notifications"
    )
    item = models.ForeignKey(
        "crisis.ReviewItem", models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    shift = models.ForeignKey(
        "crisis.DutyShift", models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    step = models.ForeignKey(AlertStep, models.PROTECT, null=True, related_name="notifications")
    event_id = models.UUIDField(null=True, help_text="The event on the feed that the person's board shows.")
    user = models.ForeignKey("accounts.User", models.PROTECT, null=True, blank=True, related_name="+")
    webhook = models.ForeignKey(
        "crisis.PagerEndpoint", models.PROTECT, null=True, blank=True, related_name="+"
    )
    channel = models.CharField(max_length=8, choices=Channel)
    state = models.CharField(max_length=12, choices=AttemptState, default=AttemptState.PENDING)
    next_try_at = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    error_code = models.CharField(max_length=48, blank=True)

    class Meta:
        verbose_name = "notification"
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    alert__isnull=False, item__isnull=True, shift__isnull=True, event_id__isnull=False
                )
                | Q(alert__isnull=True, item__isnull=False, shift__isnull=True)
                | Q(alert__isnull=True, item__isnull=True, shift__isnull=False),
                name="notification_of_one_thing",
            )
        ]
        indexes = [
            models.Index(
                fields=["next_try_at"], condition=Q(state__in=["pending", "failed"]), name="attempt_due"
            ),
            models.Index(
                fields=["user", "organization"],
                condition=Q(state="pending", channel="board"),
                name="attempt_board",
            ),
            models.Index(fields=["step"], name="attempt_step"),
            models.Index(fields=["alert"], condition=Q(state="confirmed"), name="attempt_confirmed"),
            models.Index(fields=["item"], condition=Q(item__isnull=False), name="attempt_item"),
            models.Index(fields=["shift"], condition=Q(shift__isnull=False), name="attempt_shift"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.state}"


class PagerEndpoint(OrgRecord):
    """A signed webhook that lets a pager service ring a phone; it is told no health data."""

    sealed_subject = "organization_id"

    name = models.CharField(max_length=80)
    url = models.URLField(max_length=400)
    secret = SealedTextField(help_text="Shared secret of the signature.")
    is_active = models.BooleanField(default=True)

    class Meta:
        verbose_name = "pager endpoint"

    def __str__(self) -> str:
        return self.name
