"""Rows of the timetable: how far each job was looked at, and one row for each time that it is due."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import F, Q

from cortex.records import Record


class ScheduledJob(Record):
    """A job of the timetable: up to `seen_until` each of its slots has a row, or is not owed."""

    name = models.CharField(max_length=100, unique=True)
    schedule = models.CharField(max_length=200, help_text="As the settings say it; a new one starts anew.")
    seen_until = models.DateTimeField()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class SlotState(models.TextChoices):
    """Where a slot stands."""

    WAITING = "waiting", "Waiting"
    BEGUN = "begun", "Begun"
    DONE = "done", "Done"
    DEAD = "dead", "Dead letter"


UNDONE = (SlotState.WAITING, SlotState.BEGUN)


class ScheduledSlotQuerySet(models.QuerySet["ScheduledSlot"]):
    """Filters over slots."""

    def undone(self) -> ScheduledSlotQuerySet:
        """Keep what is neither done nor given up."""
        return self.filter(state__in=UNDONE)

    def to_send(self, at: datetime) -> ScheduledSlotQuerySet:
        """Keep what somebody else than beat must send (again) now."""
        return self.undone().filter(send_at__lte=at)


class ScheduledSlot(Record):
    """One time of one job: taken before the work, done after it; unique, so that it runs once."""

    job = models.CharField(max_length=100)
    slot = models.DateTimeField(help_text="The time that the schedule gives, whenever it was run.")
    state = models.CharField(max_length=8, choices=SlotState, default=SlotState.WAITING)
    tries = models.PositiveSmallIntegerField(default=0)
    begun_at = models.DateTimeField(null=True, blank=True)
    begun_by = models.CharField(max_length=64, blank=True, help_text="The message that took it.")
    lease_until = models.DateTimeField(null=True, blank=True, help_text="Then its worker is taken for dead.")
    done_at = models.DateTimeField(null=True, blank=True)
    sends = models.PositiveSmallIntegerField(default=0, help_text="How often the sweeper sent it.")
    send_at = models.DateTimeField(help_text="When the sweeper sends it (again).")
    error_code = models.CharField(max_length=64, blank=True)

    objects = ScheduledSlotQuerySet.as_manager()

    class Meta:
        ordering = ["-slot", "job"]
        constraints = [
            models.UniqueConstraint(fields=["job", "slot"], name="slot_once"),
            models.CheckConstraint(condition=Q(state__in=SlotState.values), name="slot_state"),
            models.CheckConstraint(
                condition=Q(state="done", done_at__isnull=False)
                | (~Q(state="done") & Q(done_at__isnull=True)),
                name="slot_done_has_time",
            ),
            models.CheckConstraint(
                condition=~Q(state="begun") | Q(begun_at__isnull=False, lease_until__gt=F("begun_at")),
                name="slot_begun_has_lease",
            ),
        ]
        indexes = [
            models.Index(fields=["send_at"], condition=Q(state__in=["waiting", "begun"]), name="slot_undone")
        ]

    def __str__(self) -> str:
        return f"{self.job} {self.slot:%Y-%m-%d %H:%M}"

    def is_free(self, message: str, at: datetime) -> bool:
        """Whether a message may take it: nobody has it, or its worker is dead.

        A broker gives a message again when the worker that had it died: the same message may take it back.
        """
        if self.state == SlotState.WAITING:
            return True
        if self.state != SlotState.BEGUN:
            return False
        return self.begun_by == message or (self.lease_until is not None and self.lease_until <= at)
