"""Safety plans in versions, the lines of those that were finished, and when somebody looked at one again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from cortex.crypto.fields import SealedCharField, SealedJSONField, SealedTextField
from cortex.records import AppendedRecord, OrgRecord
from crisis.safetyplans import rules
from crisis.safetyplans.wording import BESIDE, DISCARDED, RETIRED, SECTIONS
from patients.bounds import between, not_before, one_of

MOST_TEXT = 300
MOST_CONTACT = 120
MOST_LINES = 12


class PlanStatus(models.TextChoices):
    """Where a version stands."""

    DRAFT = "draft", "Draft"
    CURRENT = "current", "In force"
    SUPERSEDED = "superseded", "Replaced"
    RETIRED = "retired", "Retired"


OVER = (PlanStatus.SUPERSEDED, PlanStatus.RETIRED)


def person_of_staff(**more: Any) -> models.ForeignKey[Any, Any]:
    """A member of staff who did something with a plan."""
    return models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", **more)


class SafetyPlanQuerySet(models.QuerySet["SafetyPlan"]):
    """Words for safety plans."""

    def current(self) -> SafetyPlanQuerySet:
        """Keep those that are in force."""
        return self.filter(status=PlanStatus.CURRENT)

    def standing(self) -> SafetyPlanQuerySet:
        """Keep those that are in force or being written."""
        return self.filter(status__in=(PlanStatus.DRAFT, PlanStatus.CURRENT))

    def beside(self) -> SafetyPlanQuerySet:
        """Keep the words that lie beside a plan; no version and no draft."""
        return self.filter(status=PlanStatus.RETIRED, retire_reason=BESIDE)

    def finished(self) -> SafetyPlanQuerySet:
        """Keep the versions that were finished, in force or over."""
        return self.filter(version__isnull=False)


class SafetyPlan(OrgRecord):
    """One version of one person's plan; a draft has no number, and holds its lines until it is finished."""

    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="+", db_index=False)
    version = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Empty: never finished.")
    status = models.CharField(max_length=12, choices=PlanStatus, default=PlanStatus.DRAFT)
    revision = models.PositiveIntegerField(default=1, help_text="Counts the saves of the draft.")
    spell = models.UUIDField(null=True, blank=True, help_text="The open page that saved last.")
    spell_number = models.IntegerField(default=0, db_default=0, help_text="Its newest save.")
    draft = SealedJSONField(null=True, blank=True, help_text="The lines by section, until it is finished.")
    created_with_patient = models.BooleanField(default=False)
    is_complete = models.BooleanField(default=False, help_text="As it was finished (domain 3.3).")
    means_review_on = models.DateField(null=True, blank=True, help_text="When step 6 is looked at again.")
    authored_by = person_of_staff()
    saved_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    reviewed_at = models.DateTimeField(null=True, blank=True)
    reviewed_by = person_of_staff(null=True, blank=True)
    next_review_at = models.DateTimeField(null=True, blank=True)
    supersedes = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True, help_text="When it was replaced or retired.")
    ended_by = person_of_staff(null=True, blank=True)
    retire_reason = models.CharField(max_length=12, blank=True)

    objects = SafetyPlanQuerySet.as_manager()

    class Meta:
        verbose_name = "safety plan"
        ordering = ["-version"]
        constraints = [
            one_of("status", PlanStatus.values, "safety_plan_status_known"),
            one_of("retire_reason", ["", BESIDE, DISCARDED, *RETIRED], "safety_plan_reason_known"),
            models.UniqueConstraint(
                fields=["patient"], condition=Q(status="current"), name="safety_plan_one_current"
            ),
            models.UniqueConstraint(
                fields=["patient"], condition=Q(status="draft"), name="safety_plan_one_draft"
            ),
            models.UniqueConstraint(fields=["patient", "version"], name="safety_plan_version_once"),
            # What was finished has its number, its time and its first look, and no draft any more.
            models.CheckConstraint(
                condition=Q(
                    version__isnull=False,
                    finished_at__isnull=False,
                    reviewed_at__isnull=False,
                    next_review_at__isnull=False,
                    draft__isnull=True,
                )
                | Q(
                    version__isnull=True,
                    finished_at__isnull=True,
                    reviewed_at__isnull=True,
                    next_review_at__isnull=True,
                    status__in=["draft", "retired"],
                ),
                name="safety_plan_finished_whole",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "current"], ended_at__isnull=True)
                | Q(status__in=["superseded", "retired"], ended_at__isnull=False),
                name="safety_plan_end_has_time",
            ),
            models.CheckConstraint(
                condition=Q(status="retired") & ~Q(retire_reason="")
                | ~Q(status="retired") & Q(retire_reason=""),
                name="safety_plan_retired_with_a_reason",
            ),
            models.CheckConstraint(
                condition=~Q(status="draft") | Q(draft__isnull=False), name="safety_plan_draft_has_lines"
            ),
            not_before("reviewed_at", "finished_at", "safety_plan_reviewed_after_finishing"),
            not_before("next_review_at", "reviewed_at", "safety_plan_next_after_review"),
        ]
        indexes = [
            models.Index(
                fields=["next_review_at"], condition=Q(status="current"), name="safety_plan_due"
            ),
            models.Index(
                fields=["means_review_on"], condition=Q(status="current"), name="safety_plan_means"
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"safety plan {self.pk}"

    @property
    def is_draft(self) -> bool:
        """Whether somebody is still writing it."""
        return self.status == PlanStatus.DRAFT

    @property
    def is_beside(self) -> bool:
        """Whether it is no version, but words that were kept beside the plan."""
        return self.retire_reason == BESIDE

    @property
    def token(self) -> str:
        """Return what a form has seen that was drawn from it as it stands."""
        return f"{self.pk}:{self.revision}"

    @property
    def in_force(self) -> bool:
        """Whether it is the person's plan now."""
        return self.status == PlanStatus.CURRENT

    def protects(self, at: datetime) -> bool:
        """Whether it counts as a protective factor at `at`."""
        return rules.protects(
            in_force=self.in_force, complete=self.is_complete, with_patient=self.created_with_patient,
            reviewed_at=self.reviewed_at, at=at,
        )  # fmt: skip


class SafetyPlanItem(AppendedRecord):
    """One line of a finished version; a trigger refuses every change, a change is a new version."""

    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="+", db_index=False)
    plan = models.ForeignKey(SafetyPlan, models.PROTECT, related_name="items", db_index=False)
    section = models.CharField(max_length=28, choices=[(one.key, one.title) for one in SECTIONS])
    order = models.PositiveSmallIntegerField()
    text = SealedTextField(max_length=MOST_TEXT)
    contact = SealedCharField(
        max_length=MOST_CONTACT, null=True, blank=True, help_text="A number, a place, or who holds the means."
    )

    class Meta:
        verbose_name = "line of a safety plan"
        verbose_name_plural = "lines of safety plans"
        ordering = ["section", "order"]
        constraints = [
            one_of("section", [one.key for one in SECTIONS], "safety_item_section_known"),
            between("order", 0, MOST_LINES - 1, "safety_item_order_in_bounds"),
            models.UniqueConstraint(fields=["plan", "section", "order"], name="safety_item_place_once"),
        ]
        indexes = [models.Index(fields=["patient"], name="safety_item_patient")]

    def __str__(self) -> str:
        return f"{self.section} {self.order} of {self.plan_id}"


class SafetyPlanReview(AppendedRecord):
    """Somebody went through a version and found it still right; written once."""

    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="+", db_index=False)
    plan = models.ForeignKey(SafetyPlan, models.PROTECT, related_name="reviews")
    reviewed_at = models.DateTimeField()
    reviewed_by = person_of_staff()

    class Meta:
        verbose_name = "review of a safety plan"
        verbose_name_plural = "reviews of safety plans"
        ordering = ["-reviewed_at"]
        indexes = [models.Index(fields=["patient", "-reviewed_at"], name="safety_review_patient")]

    def __str__(self) -> str:
        return f"review of {self.plan_id}"
