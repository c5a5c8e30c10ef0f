"""Mails that wait to be sent: an id and a code, no words and no address of a person."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from cortex.ids import uuid7


class MailKind(models.TextChoices):
    """What a mail is about."""

    RESET = "reset", "Set a new password"
    INVITATION = "invitation", "Invitation"
    FACTORS = "factors", "Second factors reset"


class PendingMail(models.Model):
    """One mail on its way; the row leaves when the mail has left, so that none is lost with a queue."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=12, choices=MailKind.choices)
    about = models.UUIDField(null=True, help_text="The person or invitation; empty for nobody.")
    base_url = models.URLField(max_length=300, help_text="Where its link leads to.")
    due_at = models.DateTimeField(db_default=Now(), help_text="Next try; moved ahead while one is running.")
    tries = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(kind__in=MailKind.values), name="mail_kind_known")
        ]
        indexes = [models.Index(fields=["due_at"], name="mail_due")]

    def __str__(self) -> str:
        return f"{self.kind}, {self.tries} tries"
