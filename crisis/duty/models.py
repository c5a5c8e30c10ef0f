"""Who is on duty, when, and for which organizations."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, F, Func, OuterRef, Q
from django.db.models.functions import Cast, Now
from django.db.models.lookups import Exact, IsNull

from cortex.accounts.choices import DESK_ROLES
from cortex.accounts.models import Organization
from cortex.crypto.fields import SealedCharField
from cortex.records import OrgRecord

# A shift may run over by this much; after that it counts as forgotten and is ended by the sweeper.
OVERTIME = timedelta(hours=2)
# A planned shift may be started so long before its time; a start before that is one that nobody planned.
EARLY = timedelta(hours=2)
# A shift that was ended by a slip goes on again within this; until then its claims stay where they are.
SLIP = timedelta(minutes=10)


def covers_now(organization: Any, covered_by: Any, column: type[F] = F) -> Q:
    """Return the condition "this shift covers this organization, which still agrees to it".

    `organization` and `covered_by` are expressions of its id and of its settings' `covered_by`; `column` is
    OuterRef where the shift is the row of the outer query.
    """
    own = Exact(organization, column("organization_id"))
    place = Func(
        column("covers"), organization, function="array_position", output_field=models.IntegerField()
    )
    agreed = Func(
        covered_by,
        Cast(column("organization_id"), models.TextField()),
        function="jsonb_exists",
        output_field=models.BooleanField(),
    )
    return Q(IsNull(place, False)) & (Q(own) | Q(agreed))


class DutyRole(models.TextChoices):
    """What a person does on a shift."""

    COUNSELOR = "counselor", "Counselor"
    SUPERVISOR = "supervisor", "Supervisor"
    ON_CALL = "on_call", "Clinician on call"


class DutyStatus(models.TextChoices):
    """Where a shift stands."""

    PLANNED = "planned", "Planned"
    ACTIVE = "active", "On shift"
    PAUSED = "paused", "On a break"
    ENDED = "ended", "Ended"


class DutyShiftQuerySet(models.QuerySet["DutyShift"]):
    """Words for shifts."""

    def running(self) -> DutyShiftQuerySet:
        """Shifts that have started and not ended, breaks included."""
        return self.filter(status__in=[DutyStatus.ACTIVE, DutyStatus.PAUSED])

    def just_ended(self, at: datetime) -> DutyShiftQuerySet:
        """Shifts that ended so lately that it may have been a slip, and that would not count as forgotten."""
        ended = self.filter(status=DutyStatus.ENDED, ended_at__gt=at - SLIP)
        return ended.filter(planned_end__gt=at - OVERTIME)

    def of_desk(self) -> DutyShiftQuerySet:
        """Shifts of people whose account is open and whose role still belongs to the desk."""
        return self.filter(user__is_active=True, user__role__in=DESK_ROLES)

    def at_work(self) -> DutyShiftQuerySet:
        """Shifts of people who are at the desk: not on a break, and not left running by mistake."""
        return self.of_desk().filter(status=DutyStatus.ACTIVE, planned_end__gt=Now() - OVERTIME)

    def covering(self, organizations: Iterable[UUID]) -> DutyShiftQuerySet:
        """Shifts that cover any of these organizations, while it agrees to be covered by theirs."""
        wanted = Organization.objects.filter(pk__in=list(organizations))
        return self.filter(Exists(wanted.filter(covers_now(F("pk"), F("settings__covered_by"), OuterRef))))

    def coming(self, at: datetime) -> DutyShiftQuerySet:
        """Planned shifts that have not passed."""
        return self.filter(status=DutyStatus.PLANNED, planned_end__gt=at)


class DutyShift(OrgRecord):
    """One person's time on the desk; it may cover other organizations by a recorded agreement."""

    sealed_subject = "organization_id"

    user = models.ForeignKey("accounts.User", models.PROTECT, related_name="shifts")
    role = models.CharField(max_length=12, choices=DutyRole, default=DutyRole.COUNSELOR)
    status = models.CharField(max_length=8, choices=DutyStatus, default=DutyStatus.PLANNED)
    covers = ArrayField(models.UUIDField(), help_text="Organizations that this shift covers.")
    agreement = models.CharField(
        max_length=120, blank=True, help_text="Reference of the agreement that lets it cover others."
    )
    planned_start = models.DateTimeField()
    planned_end = models.DateTimeField()
    is_planned = models.BooleanField(default=True, db_default=True)
    started_at = models.DateTimeField(null=True)
    paused_at = models.DateTimeField(null=True)
    paused_until = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    start_told_at = models.DateTimeField(
        null=True, help_text="When the supervisors were told of a start that nobody had planned."
    )
    break_told_at = models.DateTimeField(null=True, help_text="When people were told of an overrun break.")
    sound_tested_at = models.DateTimeField(null=True)
    muted_until = models.DateTimeField(null=True)
    phone = SealedCharField(max_length=32, null=True, blank=True, help_text="Where to ring while on call.")

    objects = DutyShiftQuerySet.as_manager()

    class Meta:
        verbose_name = "duty shift"
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=Q(status__in=["active", "paused"]), name="one_running_shift"
            ),
            models.CheckConstraint(
                condition=Q(planned_end__gt=F("planned_start")), name="shift_ends_after_start"
            ),
            models.CheckConstraint(condition=Q(covers__len__gt=0), name="shift_covers_something"),
        ]
        indexes = [
            models.Index(fields=["role"], condition=Q(status__in=["active", "paused"]), name="shift_running"),
            models.Index(fields=["user", "-planned_start"], name="shift_user"),
        ]

    def __str__(self) -> str:
        return f"{self.role} shift, {self.status}"

    def may_start(self, at: datetime) -> bool:
        """Whether a planned shift is near enough to its time: one of days later covers nothing until then."""
        return self.planned_start - EARLY <= at < self.planned_end

    def is_break_over(self, at: datetime) -> bool:
        """Whether the person should be back from a break by now."""
        return self.status == DutyStatus.PAUSED and self.paused_until is not None and self.paused_until <= at

    @property
    def concerns(self) -> tuple[UUID, ...]:
        """Whose people may ring this person: those of the own service and of all that the shift covers."""
        return (self.organization_id, *self.covers)

    @property
    def is_running(self) -> bool:
        """Whether the person is on shift now, a break included."""
        return self.status in (DutyStatus.ACTIVE, DutyStatus.PAUSED)
