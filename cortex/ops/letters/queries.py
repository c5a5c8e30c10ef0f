"""Reads of dead letters."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db.models import Count

from cortex.ops.letters.models import AsideReason, DeadLetter, LetterKind


def open_counts() -> dict[str, int]:
    """Return how many letters of each kind wait for a person."""
    found = dict(DeadLetter.objects.open().order_by().values_list("kind").annotate(Count("pk")))
    return {kind: found.get(kind, 0) for kind in LetterKind.values}


def has_open_task(job: str) -> bool:
    """Whether a job already has a letter that waits for a person."""
    return DeadLetter.objects.open().filter(kind=LetterKind.TASK, name=job).exists()


def given_up(name: str, row_ids: Collection[UUID]) -> set[UUID]:
    """Return those of these rows of which a person has said that they are lost, or needed no longer."""
    if not row_ids:
        return set()
    aside = DeadLetter.objects.filter(kind=LetterKind.ROW, name=name, row_id__in=list(row_ids))
    aside = aside.filter(reason__in=[AsideReason.LOST, AsideReason.NOT_NEEDED])
    return {row_id for row_id in aside.values_list("row_id", flat=True) if row_id is not None}


def locked_letter(letter_id: UUID) -> DeadLetter | None:
    """Lock and return a letter."""
    return DeadLetter.objects.select_for_update(of=("self",)).filter(pk=letter_id).first()
