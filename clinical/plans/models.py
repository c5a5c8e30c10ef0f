"""Treatment plans, their goals, progress and interventions; signed versions and approvals, written once."""

from __future__ import annotations

from datetime import date

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from clinical.plans.wording import CONCERNS, INTERVENTIONS
from cortex.crypto.fields import SealedCharField, SealedJSONField, SealedTextField
from cortex.records import AppendedRecord, OrgRecord
from patients.bounds import between, not_before, one_of, source_keys

OPEN = ("draft", "active", "on_hold")
LEVELS = ("", "low", "medium", "high", "critical")


class PlanStatus(models.TextChoices):
    """Where a plan stands."""

    DRAFT = "draft", "Draft"
    ACTIVE = "active", "Active"
    ON_HOLD = "on_hold", "On hold"
    COMPLETED = "completed", "Completed"
    DISCONTINUED = "discontinued", "Discontinued"


class MeasureType(models.TextChoices):
    """How a goal is measured."""

    NUMERIC = "numeric", "A number"
    MILESTONE = "milestone", "Milestones"
    FREQUENCY = "frequency", "How often"


class Direction(models.TextChoices):
    """Which way a number should go."""

    LOWER = "lower", "Lower is better"
    HIGHER = "higher", "Higher is better"


class GoalStatus(models.TextChoices):
    """Where a goal stands."""

    PROPOSED = "proposed", "Proposed"
    ACTIVE = "active", "Active"
    ACHIEVED = "achieved", "Achieved"
    PARTIALLY_ACHIEVED = "partially_achieved", "Partially achieved"
    CANCELLED = "cancelled", "Cancelled"


class ProgressKind(models.TextChoices):
    """What one line of progress says."""

    READING = "reading", "A reading"
    MILESTONE = "milestone", "A milestone"
    COUNT = "count", "Times done"


class Frequency(models.TextChoices):
    """How often something is done."""

    DAILY = "daily", "Daily"
    TWICE_WEEKLY = "twice_weekly", "Twice a week"
    WEEKLY = "weekly", "Weekly"
    FORTNIGHTLY = "fortnightly", "Every two weeks"
    MONTHLY = "monthly", "Monthly"
    AS_NEEDED = "as_needed", "As needed"


class EvidenceLevel(models.TextChoices):
    """How well an intervention is shown to work."""

    A = "A", "A: several good trials"
    B = "B", "B: some trials"
    C = "C", "C: weaker studies"
    D = "D", "D: expert opinion"


class TreatmentPlan(OrgRecord):
    """One plan of one person: its present content, which becomes a signed version when it is signed."""

    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="plans", db_index=False)
    version = models.PositiveSmallIntegerField(default=1, help_text="The version being written or in force.")
    signed_version = models.PositiveSmallIntegerField(null=True, help_text="The newest that was signed.")
    status = models.CharField(max_length=12, choices=PlanStatus, default=PlanStatus.DRAFT)
    start = models.DateField()
    target_end = models.DateField()
    presenting_problem = SealedTextField(max_length=4000)
    formulation = SealedTextField(max_length=8000, null=True, blank=True)
    risk_level = models.CharField(max_length=8, blank=True, help_text="The level on record when last saved.")
    safety_plan = models.ForeignKey(
        "crisis.SafetyPlan", models.PROTECT, null=True, blank=True, related_name="+",
        help_text="The version in force when last saved.",
    )  # fmt: skip
    review_interval_days = models.PositiveSmallIntegerField(null=True, blank=True)
    next_review_at = models.DateTimeField(null=True, blank=True)
    patient_agreed = models.BooleanField(default=False)
    consented_at = models.DateTimeField(null=True, blank=True)
    authored_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    signed_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-start"]
        constraints = [
            one_of("status", PlanStatus.values, "plan_status_known"),
            one_of("risk_level", LEVELS, "plan_level_known"),
            between("review_interval_days", 1, 180, "plan_interval_in_bounds"),
            models.CheckConstraint(condition=Q(target_end__gt=F("start")), name="plan_ends_after_start"),
            models.CheckConstraint(
                condition=Q(patient_agreed=True, consented_at__isnull=False)
                | Q(patient_agreed=False, consented_at__isnull=True),
                name="plan_agreement_has_time",
            ),
            # What nobody signed is in force for nobody.
            models.CheckConstraint(
                condition=Q(status__in=["draft", "discontinued"]) | Q(signed_version__isnull=False),
                name="plan_in_force_was_signed",
            ),
            models.CheckConstraint(
                condition=Q(signed_at__isnull=True) | Q(signed_version=F("version")),
                name="plan_signature_is_of_version",
            ),
            models.CheckConstraint(
                condition=Q(status__in=OPEN, ended_at__isnull=True)
                | Q(status__in=["completed", "discontinued"], ended_at__isnull=False),
                name="plan_end_has_time",
            ),
            models.UniqueConstraint(
                fields=["patient"], condition=Q(status="active"), name="plan_one_active_per_patient"
            ),
            models.UniqueConstraint(
                fields=["patient"], condition=Q(status__in=OPEN), name="plan_one_open_per_patient"
            ),
            *source_keys("plan", "source003.TreatmentPlan"),
        ]
        indexes = [
            models.Index(fields=["patient", "-start"], name="plan_patient"),
            models.Index(
                fields=["organization", "next_review_at"],
                condition=Q(status__in=["active", "on_hold"]),
                name="plan_reviews",
            ),
        ]

    def __str__(self) -> str:
        return f"plan {self.pk}"

    @property
    def is_open(self) -> bool:
        """Whether somebody works by it or on it."""
        return self.status in OPEN

    @property
    def is_signed(self) -> bool:
        """Whether the present content is what was signed."""
        return self.signed_at is not None


class Goal(OrgRecord):
    """One goal, SMART or none: what, how measured, why it can be reached, what it serves, by when."""

    plan = models.ForeignKey(TreatmentPlan, models.PROTECT, related_name="goals")
    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="+")
    specific = SealedTextField(max_length=1000)
    measure_type = models.CharField(max_length=12, choices=MeasureType)
    instrument = models.ForeignKey(
        "clinical.Instrument", models.PROTECT, null=True, blank=True, related_name="+"
    )
    metric = SealedCharField(
        max_length=120, null=True, blank=True, help_text="What is counted, without an instrument."
    )
    baseline = models.FloatField(null=True, blank=True)
    target = models.FloatField(null=True, blank=True)
    direction = models.CharField(max_length=8, choices=Direction, blank=True)
    current = models.FloatField(null=True, blank=True)
    window_days = models.PositiveSmallIntegerField(null=True, blank=True)
    achievable_note = SealedTextField(max_length=1000)
    diagnosis = models.ForeignKey(
        "clinical.Diagnosis", models.PROTECT, null=True, blank=True, related_name="+"
    )
    concerns = ArrayField(models.CharField(max_length=16), default=list, blank=True)
    starts_on = models.DateField()
    due_date = models.DateField()
    weight = models.PositiveSmallIntegerField(default=3)
    status = models.CharField(max_length=20, choices=GoalStatus, default=GoalStatus.PROPOSED)

    class Meta:
        ordering = ["-weight", "due_date", "pk"]
        constraints = [
            one_of("measure_type", MeasureType.values, "goal_measure_known"),
            one_of("status", GoalStatus.values, "goal_status_known"),
            one_of("direction", ["", *Direction.values], "goal_direction_known"),
            between("weight", 1, 5, "goal_weight_in_bounds"),
            between("window_days", 1, 90, "goal_window_in_bounds"),
            models.CheckConstraint(
                condition=Q(target__isnull=True) | Q(baseline__isnull=True) | ~Q(target=F("baseline")),
                name="goal_target_is_not_baseline",
            ),
            models.CheckConstraint(
                condition=~Q(measure_type="numeric")
                | Q(direction="lower", target__lt=F("baseline"))
                | Q(direction="higher", target__gt=F("baseline")),
                name="goal_number_has_a_way",
            ),
            models.CheckConstraint(
                condition=~Q(measure_type="frequency") | Q(target__gt=0, window_days__isnull=False),
                name="goal_frequency_has_a_window",
            ),
            models.CheckConstraint(
                condition=Q(diagnosis__isnull=False) | ~Q(concerns=[]), name="goal_serves_something"
            ),
            models.CheckConstraint(
                condition=Q(concerns__contained_by=list(CONCERNS)), name="goal_concerns_known"
            ),
            models.CheckConstraint(condition=Q(due_date__gt=F("starts_on")), name="goal_due_after_start"),
            *source_keys("goal", "source000.user_goals", "source003.TreatmentPlan"),
        ]

    def __str__(self) -> str:
        return f"goal {self.pk}"


class GoalProgress(OrgRecord):
    """One line of progress: a reading, a milestone with its weight, or so many times in one go."""

    goal = models.ForeignKey(Goal, models.PROTECT, related_name="progress", db_index=False)
    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="+")
    kind = models.CharField(max_length=12, choices=ProgressKind)
    title = SealedCharField(max_length=200, null=True, blank=True, help_text="What the milestone is.")
    weight = models.PositiveSmallIntegerField(null=True, blank=True)
    order = models.PositiveSmallIntegerField(default=0)
    value = models.FloatField(null=True, blank=True, help_text="The reading, or how many times.")
    observed_on = models.DateField(null=True, blank=True, help_text="Empty: a milestone that is not reached.")
    session = models.ForeignKey("patients.Session", models.PROTECT, null=True, blank=True, related_name="+")
    note = SealedTextField(max_length=1000, null=True, blank=True)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    taken_back_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["order", "pk"]
        constraints = [
            one_of("kind", ProgressKind.values, "progress_kind_known"),
            between("weight", 1, 5, "progress_weight_in_bounds"),
            models.CheckConstraint(
                condition=Q(kind="milestone", weight__isnull=False, value__isnull=True)
                | Q(kind="reading", value__isnull=False, observed_on__isnull=False)
                | Q(kind="count", value__gt=0, observed_on__isnull=False),
                name="progress_fits_its_kind",
            ),
            *source_keys("progress", "source003.TreatmentPlan"),
        ]
        indexes = [models.Index(fields=["goal", "-observed_on"], name="progress_goal")]

    def __str__(self) -> str:
        return f"progress {self.pk}"


class PlannedIntervention(OrgRecord):
    """One coded intervention of a plan: how often, how many sessions, for which goals."""

    plan = models.ForeignKey(TreatmentPlan, models.PROTECT, related_name="interventions")
    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="+")
    code = models.CharField(max_length=32, choices=[(key, one.title) for key, one in INTERVENTIONS.items()])
    frequency = models.CharField(max_length=12, choices=Frequency)
    sessions_planned = models.PositiveSmallIntegerField(null=True, blank=True)
    sessions_held = models.PositiveSmallIntegerField(default=0)
    held_on = models.DateField(null=True, blank=True, help_text="The person's day of the one counted last.")
    held_that_day = models.SmallIntegerField(default=0, db_default=0, help_text="How many on that day.")
    by_hand = models.SmallIntegerField(
        default=0, db_default=0, help_text="Of those, how many by hand that no session's log has named since."
    )
    evidence_level = models.CharField(max_length=1, choices=EvidenceLevel)
    goals = ArrayField(models.UUIDField(), default=list, blank=True, help_text="Goals of the same plan.")
    note = SealedTextField(max_length=1000, null=True, blank=True)
    ended_on = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            one_of("code", INTERVENTIONS, "intervention_code_known"),
            one_of("frequency", Frequency.values, "intervention_frequency_known"),
            one_of("evidence_level", EvidenceLevel.values, "intervention_evidence_known"),
            between("sessions_planned", 1, 200, "intervention_planned_in_bounds"),
            models.UniqueConstraint(
                fields=["plan", "code"], condition=Q(ended_on__isnull=True), name="intervention_once_per_plan"
            ),
            *source_keys("intervention", "source003.TreatmentPlan"),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.pk}"

    def runs(self, day: date) -> bool:
        """Whether it is being done on a day."""
        return self.ended_on is None or self.ended_on > day


class PlanVersion(AppendedRecord):
    """What was signed, whole and sealed: a trigger refuses every change."""

    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="+")
    plan = models.ForeignKey(TreatmentPlan, models.PROTECT, related_name="versions", db_index=False)
    version = models.PositiveSmallIntegerField()
    content = SealedJSONField(help_text="The plan as it was signed.")
    content_hash = models.BinaryField(help_text="HMAC of the content with the person's key.")
    signed_at = models.DateTimeField()
    signed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    patient_agreed = models.BooleanField(default=False)
    consented_at = models.DateTimeField(null=True, blank=True)
    needs_approval = models.BooleanField(default=False)

    class Meta:
        ordering = ["-version"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "version"], name="plan_version_once"),
            models.CheckConstraint(
                condition=Q(patient_agreed=True, consented_at__isnull=False)
                | Q(patient_agreed=False, consented_at__isnull=True),
                name="plan_version_agreement_has_time",
            ),
            not_before("signed_at", "consented_at", "plan_version_agreed_before_signing"),
        ]

    def __str__(self) -> str:
        return f"version {self.version} of {self.plan_id}"


class PlanApproval(AppendedRecord):
    """A supervisor's word on a signed version: approved, or given back with what is missing."""

    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="+")
    plan_version = models.OneToOneField(PlanVersion, models.PROTECT, related_name="approval")
    approved = models.BooleanField()
    note = SealedTextField(max_length=2000, null=True, blank=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    decided_at = models.DateTimeField()

    class Meta:
        ordering = ["-decided_at"]

    def __str__(self) -> str:
        return f"word on {self.plan_version_id}"
