"""Reads of contacts that were promised after a crisis and are due by the end of the day at the latest."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import QuerySet

from cortex.ops.postgres.questions import kept
from crisis.alerts.wording import follow_up_words
from crisis.reviews.models import STANDING, FollowUp

# The end of no person's day is farther away.
AHEAD = timedelta(days=1)


class Promise(NamedTuple):
    """A contact that somebody still owes; `owner_id` is None where it is the desk's."""

    pk: UUID
    patient_id: UUID
    owner_id: UUID | None
    label: str
    due_at: datetime

    @property
    def words(self) -> str:
        """Which contact it is."""
        return follow_up_words(self.label)


def promised(patient_ids: Collection[UUID], at: datetime) -> list[Promise]:
    """Return the contacts owed to these rows that are due within a day, the first first; one query."""
    return [Promise._make(row) for row in _standing(list(patient_ids), at + AHEAD)]


@kept
def _standing(patient_ids: list[UUID], until: datetime) -> QuerySet[FollowUp, Any]:
    rows = FollowUp.objects.filter(patient_id__in=patient_ids, status__in=STANDING, due_at__lt=until)
    return rows.order_by("due_at").values_list("pk", "patient_id", "owner_id", "label", "due_at")
