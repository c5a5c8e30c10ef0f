"""Appointments, the reminders that fall due before them, and the time zone that somebody reads them in."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Func, Q

from cortex.records import OrgRecord
from patients.bounds import one_of, source_keys
from patients.codes import Channel

LONGEST = timedelta(hours=8)
CHANNELS = (Channel.IN_PERSON, Channel.VIDEO, Channel.PHONE)


class Kind(models.TextChoices):
    """What an appointment is for; its words decide which billing codes fit."""

    SESSION = "session", "Session"
    INTAKE = "intake", "First appointment"
    REVIEW = "review", "Plan review"
    CRISIS = "crisis", "Crisis session"
    FAMILY = "family", "Family session"
    GROUP = "group", "Group"


class Status(models.TextChoices):
    """Where an appointment stands."""

    SCHEDULED = "scheduled", "Planned"
    HELD = "held", "Took place"
    NO_SHOW = "no_show", "No-show"
    CANCELLED = "cancelled", "Cancelled"


# These take the therapist's time: two of them never overlap.
TAKING = (Status.SCHEDULED, Status.HELD)


class CancelReason(models.TextChoices):
    """Why an appointment was called off; a code, since no words about a person belong into a calendar."""

    PERSON_ASKED = "person_asked", "The person asked"
    PERSON_ILL = "person_ill", "The person is ill"
    THERAPIST_AWAY = "therapist_away", "The therapist is away"
    TRANSPORT = "transport", "Transport or weather"
    CARE_ENDED = "care_ended", "Care has ended"
    MISTAKE = "mistake", "Made by mistake"


class Same(Func):
    """A uuid as a range of its own: GiST compares those without an extension, which not every server has."""

    function = "CORTEX_UUIDRANGE"
    output_field = models.UUIDField()


class Span(Func):
    """The half-open span of an appointment, as PostgreSQL's own range."""

    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


class AppointmentQuerySet(models.QuerySet["Appointment"]):
    """Words for appointments."""

    def taking(self) -> AppointmentQuerySet:
        """Keep those that take time: neither called off nor missed."""
        return self.filter(status__in=TAKING)

    def within(self, start: datetime, end: datetime) -> AppointmentQuerySet:
        """Keep those that overlap [start, end)."""
        return self.filter(starts_at__lt=end, ends_at__gt=start)


class Appointment(OrgRecord):
    """One agreed time of a person with a therapist; moved, it keeps its row, and called off, its reason."""

    patient = models.ForeignKey(
        "patients.Patient", models.PROTECT, related_name="appointments", db_index=False
    )
    therapist = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="appointments", db_index=False
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.SESSION)
    channel = models.CharField(
        max_length=12, choices=[(one.value, one.label) for one in CHANNELS], default=Channel.IN_PERSON
    )
    status = models.CharField(max_length=12, choices=Status, default=Status.SCHEDULED)
    cancel_reason = models.CharField(max_length=16, choices=CancelReason, blank=True)
    series_id = models.UUIDField(null=True, help_text="Shared by the appointments of one weekly series.")
    moved_from = models.DateTimeField(null=True, help_text="When it was to begin before the last move.")
    status_at = models.DateTimeField(null=True, help_text="When its present state was noted.")
    status_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    session = models.ForeignKey(
        "patients.Session",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="What it became.",
    )

    objects = AppointmentQuerySet.as_manager()

    class Meta:
        ordering = ["starts_at"]
        constraints = [
            one_of("kind", Kind.values, "appointment_kind_known"),
            one_of("channel", [one.value for one in CHANNELS], "appointment_channel_known"),
            one_of("status", Status.values, "appointment_status_known"),
            one_of("cancel_reason", ["", *CancelReason.values], "appointment_reason_known"),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")) & Q(ends_at__lte=F("starts_at") + LONGEST),
                name="appointment_ends_after_start",
            ),
            models.CheckConstraint(
                condition=Q(status=Status.CANCELLED, cancel_reason__gt="")
                | (~Q(status=Status.CANCELLED) & Q(cancel_reason="")),
                name="appointment_cancelled_has_reason",
            ),
            # Nobody sits in two rooms at once, whichever two requests race.
            ExclusionConstraint(
                name="appointment_therapist_once",
                expressions=[
                    (
                        Same("therapist", "therapist", RangeBoundary(inclusive_upper=True)),
                        RangeOperators.OVERLAPS,
                    ),
                    (Span("starts_at", "ends_at", RangeBoundary()), RangeOperators.OVERLAPS),
                ],
                condition=Q(status__in=[one.value for one in TAKING]),
            ),
            *source_keys("appointment", "source000.appointments"),
        ]
        indexes = [
            models.Index(fields=["therapist", "starts_at"], name="appointment_therapist"),
            models.Index(fields=["patient", "starts_at"], name="appointment_patient"),
        ]

    def __str__(self) -> str:
        return f"appointment {self.pk}"

    @property
    def minutes(self) -> int:
        """How long it is planned to take."""
        return int((self.ends_at - self.starts_at).total_seconds() // 60)

    def is_open(self) -> bool:
        """Whether it still stands before somebody."""
        return self.status == Status.SCHEDULED


class Outcome(models.TextChoices):
    """What became of a reminder."""

    TOLD = "told", "Told"
    OVERTAKEN = "overtaken", "No longer needed"


class AppointmentReminder(OrgRecord):
    """That a therapist is reminded of an appointment at a time; a worker claims the row and tells them."""

    appointment = models.OneToOneField(Appointment, models.PROTECT, related_name="reminder")
    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="+")
    due_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=12, choices=Outcome, blank=True)
    may_text = models.BooleanField(
        null=True, help_text="Whether the person had agreed to messages when the therapist was told."
    )

    class Meta:
        ordering = ["due_at"]
        constraints = [
            one_of("outcome", ["", *Outcome.values], "reminder_outcome_known"),
            models.CheckConstraint(
                condition=Q(done_at__isnull=True, outcome="") | Q(done_at__isnull=False, outcome__gt=""),
                name="reminder_done_has_outcome",
            ),
        ]
        indexes = [models.Index(fields=["due_at"], condition=Q(done_at__isnull=True), name="reminder_due")]

    def __str__(self) -> str:
        return f"reminder {self.pk}"


class CalendarPreference(OrgRecord):
    """The time zone in which one member of staff reads their calendar; without one, the organization's."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    timezone = models.CharField(max_length=64)

    def __str__(self) -> str:
        return self.timezone
