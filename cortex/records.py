"""Abstract bases of every table: ids, times, the tenant and a row's version; no rule lives here."""

from typing import Any

from django.db import models
from django.db.models.functions import Now

from cortex.ids import uuid7


class Record(models.Model):
    """A row with a time-ordered id, its times, and the ids that its sources knew it by."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(auto_now=True)
    legacy_ids = models.JSONField(
        default=dict, blank=True, help_text="Keys of the sources, as {source.table: key}."
    )

    class Meta:
        abstract = True


class OrgRecord(Record):
    """A row that belongs to one organization (tenant)."""

    organization = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT, related_name="+")

    class Meta:
        abstract = True


class AppendedRecord(models.Model):
    """A row that is written once: it has no `updated_at`, and a trigger guards it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    organization = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT, related_name="+")

    class Meta:
        abstract = True


def version_of(row: Any) -> str:
    """Return what changes with every write of a row; empty for a row that is written once."""
    moment = getattr(row, "updated_at", None)
    return moment.isoformat() if moment else ""
