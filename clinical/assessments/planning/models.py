"""What one organization offers, where one person's schedule differs, and which overdue measure was chased."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from cortex.records import OrgRecord
from patients.bounds import between, one_of


class InstrumentSwitch(OrgRecord):
    """Whether one organization offers an instrument, whatever the house says; a licence may differ there."""

    instrument = models.ForeignKey("clinical.Instrument", models.PROTECT, related_name="switches")
    is_offered = models.BooleanField()

    class Meta:
        verbose_name_plural = "instrument switches"
        constraints = [
            models.UniqueConstraint(fields=["organization", "instrument"], name="instrument_switch_once")
        ]

    def __str__(self) -> str:
        return f"{self.instrument_id} {'on' if self.is_offered else 'off'}"


class PlanReason(models.TextChoices):
    """Why a person's schedule differs; a code, since no words about a person are needed."""

    PERSON_ASKED = "person_asked", "The person asked"
    BURDEN = "burden", "Too much for now"
    CLOSER = "closer", "Watched more closely"
    STABLE = "stable", "Stable for long"
    NOT_FITTING = "not_fitting", "The measure doesn't fit the person"


class MeasurePlan(OrgRecord):
    """One person's own schedule of one measure: another interval, or a pause."""

    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="+")
    key = models.CharField(max_length=16, help_text="The instrument's key: it outlives versions.")
    interval_days = models.PositiveSmallIntegerField(null=True, blank=True)
    is_paused = models.BooleanField(default=False)
    paused_until = models.DateField(null=True, blank=True, help_text="Empty: until somebody resumes it.")
    reason = models.CharField(max_length=16, choices=PlanReason)
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    set_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["patient", "key"], name="measure_plan_once"),
            between("interval_days", 1, 365, "measure_plan_interval_1_365"),
            one_of("reason", PlanReason.values, "measure_plan_reason_known"),
            models.CheckConstraint(
                condition=Q(is_paused=True) | Q(paused_until__isnull=True, interval_days__isnull=False),
                name="measure_plan_says_something",
            ),
        ]

    def __str__(self) -> str:
        return f"plan of {self.key}"


class MeasureChase(OrgRecord):
    """That an overdue measure was made a task, and that the clinician was told, once for each due time."""

    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="+", db_index=False)
    key = models.CharField(max_length=16)
    due_at = models.DateTimeField()
    tasked_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["patient", "key", "due_at"], name="measure_chase_once")
        ]

    def __str__(self) -> str:
        return f"{self.key} due {self.due_at:%Y-%m-%d}"
