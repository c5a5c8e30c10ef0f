"""What a human should look at without an alarm: review items, follow-ups and second readings."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import models
from django.db.models import Q
from django.urls import reverse

from cortex.crypto.fields import SealedTextField
from cortex.records import AppendedRecord, OrgRecord

# What asks whether a person's level is right: whoever reviewed it says so, and the ledger keeps it.
RISK_REVIEWS = ("risk_review", "level_stands_after_end")
# What asks for a look at a safety plan: going through the plan itself ends it.
PLAN_REVIEW = "safety_plan_review"
# What waits to be signed: these end by themselves once it is.
PAPERS = frozenset({"note_unsigned", "addendum_unsigned"})
# The first try to reach somebody whose signals came to medium (domain 3.5).
FIRST_CONTACT = "first_contact"
# What the clocks of medium time (domain 3.5).
MEDIUM_TASKS = ("risk_review", FIRST_CONTACT)
# Whether a welfare check is sent to somebody whom no try reached (domain 3.4, 3.9): a supervisor's to decide.
WELFARE = "welfare_check"
# And what it found: whoever was sent is rung back (domain 3.6).
WELFARE_SENT = "welfare_check_sent"
# A week outside the false-alarm budget (domain 4.7): the rules are a supervisor's to look at.
ALARM_BUDGET = "alarm_budget"
VERIFY_LINES = "verify_resources"
# Tasks about no person: nobody is reached by them, and no measure offered.
OF_NOBODY = frozenset({ALARM_BUDGET, VERIFY_LINES})
# The how-manieth escalation of a task tells the supervisors: a day after it was due, or at once.
TOLD_AT = {FIRST_CONTACT: 1, WELFARE: 1, WELFARE_SENT: 1}
TOLD_LATER = 2


class ReviewItemQuerySet(models.QuerySet["ReviewItem"]):
    """Words for review items."""

    def open(self) -> ReviewItemQuerySet:
        """Items that nobody has done."""
        return self.filter(done_at__isnull=True)

    def overdue(self, at: datetime) -> ReviewItemQuerySet:
        """Open items whose time has come and that were not escalated for it."""
        return self.open().filter(next_escalation_at__lte=at)


class ReviewItem(OrgRecord):
    """A task with an owner (the primary clinician, else the desk) and a due time that the sweeper keeps."""

    sealed_subject = "sealed_for"

    patient = models.ForeignKey("patients.Patient", models.PROTECT, null=True, blank=True, related_name="+")
    reason_code = models.CharField(max_length=48)
    source_type = models.CharField(max_length=32, blank=True)
    source_id = models.UUIDField(null=True)
    owner = models.ForeignKey(
        "accounts.User", models.PROTECT, null=True, blank=True, related_name="+", help_text="Empty: the desk."
    )
    due_at = models.DateTimeField()
    next_escalation_at = models.DateTimeField(null=True)
    escalations = models.PositiveSmallIntegerField(default=0)
    done_at = models.DateTimeField(null=True)
    done_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, blank=True, related_name="+")
    outcome = models.CharField(max_length=32, blank=True)
    outcome_note = SealedTextField(null=True, blank=True)

    objects = ReviewItemQuerySet.as_manager()

    class Meta:
        verbose_name = "review item"
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "reason_code"],
                condition=Q(done_at__isnull=True),
                nulls_distinct=True,
                name="one_open_item_per_reason",
            )
        ]
        indexes = [
            models.Index(
                fields=["organization", "due_at"], condition=Q(done_at__isnull=True), name="review_open"
            ),
            models.Index(fields=["next_escalation_at"], condition=Q(done_at__isnull=True), name="review_due"),
            # What somebody owes opens the person to them, and is counted beside the navigation.
            models.Index(fields=["owner", "due_at"], condition=Q(done_at__isnull=True), name="review_owner"),
        ]

    def __str__(self) -> str:
        return self.reason_code

    @property
    def is_told_now(self) -> bool:
        """Whether the escalation that was just counted is the one that tells the supervisors."""
        return self.escalations == TOLD_AT.get(self.reason_code, TOLD_LATER)

    @property
    def supervisors_told(self) -> bool:
        """Whether it was overdue for so long that the supervisors were told."""
        return self.escalations >= TOLD_AT.get(self.reason_code, TOLD_LATER)

    def page_for(self, user_id: UUID | None, stands_in_for: Collection[UUID] = ()) -> str:
        """Return the page of a task for whoever owns it, or stands in for its owner about this person.

        "" for others, who may not find it there.
        """
        is_theirs = self.owner_id == user_id or self.owner_id in stands_in_for
        return reverse("crisis:review_detail", args=[self.pk]) if is_theirs else ""

    @property
    def sealed_for(self) -> object:
        """Whose key seals the note."""
        return self.patient_id or self.organization_id


class FollowUpStatus(models.TextChoices):
    """Where a follow-up stands."""

    DUE = "due", "Due"
    DONE = "done", "Done"
    MISSED = "missed", "Missed"
    CANCELLED = "cancelled", "Cancelled"


# Missed is not over: somebody still owes the contact.
STANDING = (FollowUpStatus.DUE, FollowUpStatus.MISSED)


class FollowUp(OrgRecord):
    """A contact that was promised when an alert ended; its date is a swept row."""

    sealed_subject = "patient_id"

    alert = models.ForeignKey("crisis.RiskAlert", models.PROTECT, related_name="follow_ups")
    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="+")
    due_at = models.DateTimeField()
    status = models.CharField(max_length=12, choices=FollowUpStatus, default=FollowUpStatus.DUE)
    owner = models.ForeignKey("accounts.User", models.PROTECT, null=True, blank=True, related_name="+")
    label = models.CharField(max_length=16, help_text="Which contact of the series, for instance 72h.")
    swept_at = models.DateTimeField(null=True, help_text="When a review item was made because it passed.")
    done_at = models.DateTimeField(null=True)
    done_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, blank=True, related_name="+")
    outcome = models.CharField(max_length=32, blank=True)
    note = SealedTextField(null=True, blank=True)
    supervisor_at = models.DateTimeField(
        null=True, blank=True, help_text="When a supervisor is asked about a welfare check, unless reached."
    )
    cancelled_for = models.UUIDField(
        null=True, blank=True, help_text="The alert whose end cancelled what another one had promised."
    )

    # Not stored: the open alerts that what was just logged raised or joined.
    raised: tuple[object, ...] = ()

    class Meta:
        verbose_name = "follow-up"
        indexes = [
            models.Index(fields=["due_at", "status"], name="followup_due"),
            models.Index(fields=["organization", "status", "due_at"], name="followup_org"),
            # What somebody owes opens the person to them.
            models.Index(
                fields=["owner", "due_at"], condition=Q(status__in=("due", "missed")), name="followup_owner"
            ),
            models.Index(
                fields=["supervisor_at"], condition=Q(supervisor_at__isnull=False), name="followup_supervisor"
            ),
        ]

    def __str__(self) -> str:
        return f"follow-up {self.label}"


class ContactChannel(models.TextChoices):
    """How somebody tried to reach a person, or whoever stands for them."""

    PHONE = "phone", "Phone"
    CHAT = "chat", "Chat"
    SMS = "sms", "Text message"
    IN_PERSON = "in_person", "In person"
    EMERGENCY_CONTACT = "emergency_contact", "Their emergency contact"


class FollowUpAttempt(AppendedRecord):
    """One try to make a promised contact that nobody answered; written once."""

    sealed_subject = "patient_id"

    follow_up = models.ForeignKey(FollowUp, models.PROTECT, related_name="attempts")
    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="+")
    channel = models.CharField(max_length=20, choices=ContactChannel)
    attempted_at = models.DateTimeField()
    attempted_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")
    note = SealedTextField(null=True, blank=True)

    class Meta:
        verbose_name = "follow-up attempt"
        constraints = [
            models.CheckConstraint(
                condition=Q(channel__in=ContactChannel.values), name="followup_attempt_channel"
            )
        ]

    def __str__(self) -> str:
        return f"tried by {self.channel}"


class SecondReview(OrgRecord):
    """A second reader before something takes effect (domain 3.7); the reviewer is never the one who asked."""

    sealed_subject = "sealed_for"
    sealed_person = "alert__patient_id"

    alert = models.ForeignKey("crisis.RiskAlert", models.PROTECT, related_name="second_reviews")
    kind = models.CharField(
        max_length=24, choices=[("false_alarm", "False alarm"), ("disposition", "Outcome")]
    )
    asked_by = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField()
    request = models.JSONField(default=dict, help_text="Codes of what takes effect when agreed.")
    request_note = SealedTextField(null=True, blank=True)
    decided_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    agreed = models.BooleanField(null=True)
    decision_note = SealedTextField(null=True, blank=True)

    class Meta:
        verbose_name = "second review"
        constraints = [
            models.UniqueConstraint(
                fields=["alert"], condition=Q(decided_at__isnull=True), name="one_pending_review_per_alert"
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=models.F("asked_by")),
                name="reviewer_is_another",
            ),
        ]

    def __str__(self) -> str:
        return f"second review, {self.kind}"

    @property
    def sealed_for(self) -> object:
        """Whose key seals the notes."""
        return self.alert.sealed_for
