"""Alerts, their timeline and the reviewers' verdicts; the rules of their moves are in `states`."""

from __future__ import annotations

from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from cortex.crypto.fields import SealedTextField
from cortex.records import AppendedRecord, OrgRecord
from crisis.alerts.states import OPEN, OWNED, WAITING, Status
from crisis.reviews.models import SecondReview


class Kind(models.TextChoices):
    """What an alert is about (domain 3.1)."""

    SELF_HARM = "self_harm", "Self-harm"
    HARM_TO_OTHERS = "harm_to_others", "Harm to others"
    SAFEGUARDING = "safeguarding", "Safeguarding"
    PSYCHOSIS = "psychosis_disorientation", "Psychosis or disorientation"
    MEDICAL = "medical", "Medical"
    OTHER = "other", "Other"
    COULD_NOT_SCREEN = "could_not_screen", "A message could not be screened"
    COULD_NOT_STORE = "could_not_store", "A message could not be stored"
    NO_COVER = "no_cover", "Nobody is on shift"
    CANARY = "canary", "A try of the watchdog's"


class Level(models.TextChoices):
    """Only high and critical raise an alert; medium is a review item."""

    HIGH = "high", "High"
    CRITICAL = "critical", "Critical"


RANK = {Level.HIGH: 0, Level.CRITICAL: 1}


class Source(models.TextChoices):
    """Who raised it."""

    ENGINE = "engine", "Signals"
    SOS = "sos", "SOS button"
    STAFF = "staff", "A member of staff"
    SYSTEM = "system", "Cortex"


class Disposition(models.TextChoices):
    """How a crisis ended (domain 3.4)."""

    COMMUNITY = "remained_community_with_plan", "Stayed at home with a plan"
    URGENT_OUTPATIENT = "urgent_outpatient_24_72h", "Urgent appointment within 24 to 72 hours"
    TRANSFERRED = "transferred_crisis_service", "Transferred to a crisis service"
    EMERGENCY_DEPARTMENT = "emergency_department", "Went to an emergency department"
    ADMITTED_VOLUNTARY = "admitted_voluntary", "Admitted, voluntary"
    ADMITTED_INVOLUNTARY = "admitted_involuntary", "Admitted, involuntary"
    EMERGENCY_SERVICES = "emergency_services_attended", "Emergency services attended"
    UNABLE_TO_LOCATE = "unable_to_locate", "Could not be located"
    DECLINED = "declined_help_capacity_present", "Declined help, able to decide"
    NOT_A_CRISIS = "not_a_crisis", "Not a crisis"
    DECEASED = "deceased", "Died"


# Domain 3.7: these take effect only after a second reader agreed.
REVIEWED_DISPOSITIONS = frozenset({Disposition.NOT_A_CRISIS, Disposition.UNABLE_TO_LOCATE})


class RiskAlertQuerySet(models.QuerySet["RiskAlert"]):
    """Words for alerts; who may see which is in `crisis.alerts.access`."""

    def open(self) -> RiskAlertQuerySet:
        """Alerts that somebody still has to end."""
        return self.filter(status__in=OPEN)

    def waiting(self) -> RiskAlertQuerySet:
        """Open alerts that nobody has claimed."""
        return self.filter(status__in=WAITING)

    def owned(self) -> RiskAlertQuerySet:
        """Open alerts with an owner."""
        return self.filter(status__in=OWNED)

    def for_cards(self) -> RiskAlertQuerySet:
        """Load all that a card shows, with its version: the feed number that this very state has.

        The version is read by the same statement as the row: a second one would see later commits, and put
        the number of a newer state on an older card.
        """
        last = AlertEvent.objects.filter(alert=models.OuterRef("pk")).order_by("-feed_number")
        asked = SecondReview.objects.filter(alert=models.OuterRef("pk"), decided_at__isnull=True)
        return self.select_related("patient__merged_into", "organization", "assigned_to").annotate(
            version=models.Subquery(last.values("feed_number")[:1]), review_pending=models.Exists(asked)
        )

    def urgent_first(self) -> RiskAlertQuerySet:
        """Order of the board: level, a waiting person first, then the longest wait."""
        return self.order_by(
            models.Case(models.When(level=Level.CRITICAL, then=0), default=1),
            models.Case(models.When(waiting_person=True, then=0), default=1),
            "level_since",
            "id",
        )


class RiskAlert(OrgRecord):
    """A work item for a human: all codes and times, so that it shows even when the keys are down."""

    sealed_subject = "sealed_for"

    # Not a column: the action that returns this row could not seal the note that came with it.
    note_lost = False
    # Nor this: the other alerts of the person on which that action wrote the same entry.
    logged_beside: tuple[RiskAlert, ...] = ()

    patient = models.ForeignKey("patients.Patient", models.PROTECT, null=True, blank=True, related_name="+")
    kind = models.CharField(max_length=32, choices=Kind)
    level = models.CharField(max_length=8, choices=Level)
    status = models.CharField(max_length=16, choices=[(s.value, s.value) for s in Status], default=Status.NEW)
    source = models.CharField(max_length=8, choices=Source, default=Source.ENGINE)
    reason_code = models.CharField(max_length=48)
    rules_fired = ArrayField(models.CharField(max_length=16), default=list, blank=True)
    factors = models.JSONField(default=list, blank=True, help_text="Coded factors with shares; no words.")
    evidence = ArrayField(
        models.UUIDField(), default=list, blank=True, help_text="The ledger's rows that it was raised on."
    )
    missing_inputs = ArrayField(models.CharField(max_length=32), default=list, blank=True)
    score = models.DecimalField(max_digits=4, decimal_places=2, null=True)
    last_notified_score = models.DecimalField(max_digits=4, decimal_places=2, null=True)
    assessment_id = models.UUIDField(null=True, help_text="The evaluation behind it.")
    waiting_person = models.BooleanField(default=False, help_text="Pressed an SOS button and is waiting.")
    third_party = models.BooleanField(default=False, help_text="Somebody else told us.")
    hand_note = SealedTextField(null=True, blank=True, help_text="Why staff raised it, and who called.")

    hand_token = models.UUIDField(null=True, help_text="The form that staff raised it by: one alert each.")

    assigned_to = models.ForeignKey(
        "accounts.User", models.PROTECT, null=True, blank=True, related_name="claimed_alerts"
    )
    epoch = models.PositiveIntegerField(default=0, help_text="Raised by every change; fences old timers.")
    policy = models.JSONField(default=dict, help_text="The clocks and chain, copied when it opened.")
    chain_position = models.PositiveSmallIntegerField(default=0, help_text="Next step of the chain.")
    chain_beside = models.BooleanField(default=False, help_text="The chain runs beside an absent owner.")
    has_unconfirmed_step = models.BooleanField(default=False)

    raised_at = models.DateTimeField()
    level_since = models.DateTimeField(help_text="Clocks run from here.")
    sent_at = models.DateTimeField(null=True)
    notified_at = models.DateTimeField(null=True)
    claimed_at = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True, help_text="First claim.")
    first_response_at = models.DateTimeField(null=True, help_text="First attempt to reach the person.")
    contact_at = models.DateTimeField(null=True)
    last_entry_at = models.DateTimeField(null=True)
    owner_gone_at = models.DateTimeField(null=True)
    claim_due_at = models.DateTimeField()
    contact_due_at = models.DateTimeField()
    disposition_due_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, blank=True, related_name="+")
    disposition = models.CharField(max_length=40, choices=Disposition, blank=True)
    resolution_notes = SealedTextField(null=True, blank=True)
    no_follow_up_reason = SealedTextField(null=True, blank=True)
    merged_into = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")

    objects = RiskAlertQuerySet.as_manager()

    class Meta:
        verbose_name = "alert"
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "kind"],
                condition=Q(status__in=OPEN, patient__isnull=False),
                name="one_open_alert_per_kind",
            ),
            models.UniqueConstraint(
                fields=["organization"],
                condition=Q(status__in=OPEN, kind="no_cover"),
                name="one_open_no_cover",
            ),
            models.CheckConstraint(condition=Q(level__in=Level.values), name="alert_level_known"),
            models.CheckConstraint(
                condition=Q(status__in=[s.value for s in Status]), name="alert_status_known"
            ),
            models.CheckConstraint(
                condition=Q(score__isnull=True) | Q(score__range=(0, 1)), name="alert_score_0_1"
            ),
            models.CheckConstraint(
                condition=Q(status__in=OWNED, assigned_to__isnull=False) | ~Q(status__in=OWNED),
                name="owned_alert_has_owner",
            ),
            models.CheckConstraint(
                condition=Q(patient__isnull=False) | Q(kind__in=["no_cover", "canary"]),
                name="alert_has_patient",
            ),
            models.CheckConstraint(
                condition=Q(level_since__gte=F("raised_at")), name="level_since_not_before"
            ),
        ]
        indexes = [
            models.Index(
                fields=["organization", "level", "level_since"],
                condition=Q(status__in=OPEN),
                name="alert_open",
            ),
            models.Index(fields=["status", "level", "created_at"], name="alert_status_level"),
            models.Index(fields=["assigned_to", "status"], name="alert_owner"),
            models.Index(
                fields=["assigned_to", "resolved_at"],
                condition=Q(resolved_at__isnull=False),
                name="alert_owner_ended",
            ),
            models.Index(fields=["organization", "-resolved_at"], name="alert_resolved"),
            models.Index(fields=["organization", "-raised_at"], name="alert_raised"),
            models.Index(fields=["patient", "-raised_at"], name="alert_patient"),
            models.Index(
                fields=["hand_token"], condition=Q(hand_token__isnull=False), name="alert_hand_token"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.level} {self.kind} ({self.status})"

    @property
    def sealed_for(self) -> UUID:
        """Whose key seals the words: the patient's, or the organization's when there is none."""
        return self.patient_id or self.organization_id

    @property
    def person_id(self) -> UUID | None:
        """The person whom it is about, whichever of their rows it was raised on."""
        return self.patient.person_id if self.patient else None

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to end it."""
        return self.status in OPEN

    @property
    def is_owned(self) -> bool:
        """Whether somebody works on it."""
        return self.status in OWNED


class AlertEvent(AppendedRecord):
    """One change of an alert, with the number of the organization's feed; written once."""

    sealed_subject = "sealed_for"

    alert = models.ForeignKey(RiskAlert, models.PROTECT, related_name="events")
    feed_number = models.BigIntegerField()
    kind = models.CharField(max_length=32)
    occurred_at = models.DateTimeField(db_default=Now())
    actor_kind = models.CharField(max_length=8)
    actor_id = models.UUIDField(null=True)
    actor_label = models.CharField(max_length=160)
    status = models.CharField(max_length=16)
    level = models.CharField(max_length=8)
    codes = models.JSONField(default=dict, blank=True)
    note = SealedTextField(null=True, blank=True)
    sealed_for = models.UUIDField(help_text="Whose key seals the note.")

    class Meta:
        verbose_name = "alert event"
        constraints = [
            models.UniqueConstraint(fields=["organization", "feed_number"], name="one_event_per_number"),
        ]
        indexes = [models.Index(fields=["alert", "feed_number"], name="event_alert")]

    def __str__(self) -> str:
        return f"{self.kind} #{self.feed_number}"


class Verdict(models.TextChoices):
    """What the alert turned out to be (domain 4.7)."""

    TRUE_CRISIS = "true_crisis", "A crisis"
    ELEVATED = "elevated_not_crisis", "Distress, but no crisis"
    NOT_RISK_LANGUAGE = "not_risk_language", "The words did not mean it"
    WRONG_PERSON = "wrong_person", "About somebody else"
    VOICE_ERROR = "voice_error", "The voice signal was wrong"
    ALREADY_KNOWN = "already_known", "Already known and in hand"
    DUPLICATE = "duplicate", "A duplicate"
    UNSURE = "unsure", "Not sure"


class AlertFeedback(OrgRecord):
    """The owner's verdict on an alert, required when it ends; it never tunes weights by itself."""

    alert = models.ForeignKey(RiskAlert, models.PROTECT, related_name="feedback")
    verdict = models.CharField(max_length=24, choices=Verdict)
    reason_code = models.CharField(max_length=48, blank=True)
    given_by = models.ForeignKey("accounts.User", models.PROTECT, related_name="+")
    given_at = models.DateTimeField()

    class Meta:
        verbose_name = "alert feedback"
        verbose_name_plural = "alert feedback"
        constraints = [
            models.CheckConstraint(condition=Q(verdict__in=Verdict.values), name="feedback_verdict_known")
        ]

    def __str__(self) -> str:
        return self.verdict
