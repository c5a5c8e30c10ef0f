"""Reads of dead letters."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Count

from cortex.ops.letters.models import DeadLetter, LetterKind


def open_counts() -> dict[str, int]:
    """Return how many letters of each kind wait for a person."""
    found = dict(DeadLetter.objects.open().order_by().values_list("kind").annotate(Count("pk")))
    return {kind: found.get(kind, 0) for kind in LetterKind.values}


def has_open_task(job: str) -> bool:
    """Whether a job already has a letter that waits for a person."""
    return DeadLetter.objects.open().filter(kind=LetterKind.TASK, name=job).exists()


def locked_letter(letter_id: UUID) -> DeadLetter | None:
    """Lock and return a letter."""
    return DeadLetter.objects.select_for_update(of=("self",)).filter(pk=letter_id).first()
