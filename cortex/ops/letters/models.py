"""Dead letters: a code, a name and an id for each; never a person's words."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from cortex.records import Record


class LetterKind(models.TextChoices):
    """What could not be done."""

    TASK = "task", "Scheduled job"
    ROW = "row", "Row that can't be opened"


class LetterState(models.TextChoices):
    """What a person did about it."""

    OPEN = "open", "Open"
    RETRIED = "retried", "Tried again"
    SET_ASIDE = "set_aside", "Set aside"


class AsideReason(models.TextChoices):
    """Why a letter is not tried again; codes, so that nobody's words land here."""

    DONE_BY_HAND = "done_by_hand", "Its work was done by hand"
    DONE_LATER = "done_later", "A later run did its work"
    LOST = "lost", "The row can't be read any more"
    NOT_NEEDED = "not_needed", "It is no longer needed"


class DeadLetterQuerySet(models.QuerySet["DeadLetter"]):
    """Filters over dead letters."""

    def open(self) -> DeadLetterQuerySet:
        """Keep what waits for a person."""
        return self.filter(state=LetterState.OPEN)


class DeadLetter(Record):
    """What was given up: one open letter for each job and each row, however often it happens."""

    organization = models.ForeignKey(
        "accounts.Organization", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    kind = models.CharField(max_length=8, choices=LetterKind)
    name = models.CharField(max_length=100, help_text="The job's name, or the row's model and field.")
    row_id = models.UUIDField(null=True, blank=True)
    slot = models.DateTimeField(null=True, blank=True, help_text="The last slot that was given up.")
    error_code = models.CharField(max_length=64)
    times = models.PositiveIntegerField(default=1, help_text="How often it was given up.")
    last_at = models.DateTimeField()
    state = models.CharField(max_length=12, choices=LetterState, default=LetterState.OPEN)
    reason = models.CharField(max_length=16, choices=AsideReason, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = DeadLetterQuerySet.as_manager()

    class Meta:
        ordering = ["-last_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "name", "row_id"], condition=Q(state="open"), nulls_distinct=False,
                name="letter_one_open",
            ),
            models.CheckConstraint(condition=Q(kind__in=LetterKind.values), name="letter_kind"),
            models.CheckConstraint(condition=Q(state__in=LetterState.values), name="letter_state"),
            models.CheckConstraint(
                condition=Q(kind="task", slot__isnull=False, row_id__isnull=True)
                | Q(kind="row", slot__isnull=True, row_id__isnull=False),
                name="letter_names_its_thing",
            ),
            models.CheckConstraint(
                condition=Q(state="set_aside", reason__in=AsideReason.values)
                | (~Q(state="set_aside") & Q(reason="")),
                name="letter_aside_has_reason",
            ),
            models.CheckConstraint(
                condition=Q(state="open", decided_at__isnull=True)
                | (~Q(state="open") & Q(decided_at__isnull=False)),
                name="letter_decided_has_time",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.name} {self.error_code}"
