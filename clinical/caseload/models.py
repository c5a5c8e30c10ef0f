"""When each member of staff last looked at a person, what they ticked off, and the views that they keep."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from cortex.crypto.fields import SealedCharField
from cortex.records import OrgRecord


class CaseMark(OrgRecord):
    """One member of staff's own marks on one person: a preference of theirs, no part of the record.

    `looked_at` moves with each opening of the chart, also within one look (`note_look`); its help text is of
    before, and stays so until a migration is due anyway.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="+")
    looked_at = models.DateTimeField(null=True, help_text="When the present look began.")
    looked_before = models.DateTimeField(null=True, help_text="When the look before that was.")
    reviewed_at = models.DateTimeField(null=True)
    reviewed_before = models.DateTimeField(null=True, help_text="What an undo brings back.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "patient"], name="case_mark_once")]

    def __str__(self) -> str:
        return f"mark {self.pk}"


class CaseView(OrgRecord):
    """A view of the caseload that somebody keeps: filters as codes, under a name of their own.

    The name is sealed with the organization's key: people call a view what they like, a patient's name too.
    """

    sealed_subject = "organization_id"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    name = SealedCharField(max_length=60)
    filters = models.JSONField(help_text="{view, level, place, session}: codes, as in the address.")

    class Meta:
        verbose_name = "caseload view"
        ordering = ["created_at"]

    def __str__(self) -> str:
        return f"view {self.pk}"
