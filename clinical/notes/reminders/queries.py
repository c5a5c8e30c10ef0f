"""Reads of what waits unsigned: whose authors are to be reminded, and what a supervisor follows up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from clinical.notes.models import Note, NoteAddendum, PsychotherapyNote, PsychotherapyNoteAddendum
from clinical.notes.queries import MOST, TO_COSIGN, AnyDraft
from clinical.notes.rules import REMIND_AFTER, SUPERVISOR_AFTER
from cortex.ops.models import Notification
from crisis.reviews.models import ReviewItem

# What waits for a signature, by the names under which a run goes through them.
KINDS: dict[str, type[AnyDraft]] = {
    "note": Note,
    "note_addendum": NoteAddendum,
    "process": PsychotherapyNote,
    "process_addendum": PsychotherapyNoteAddendum,
}
NAMES = {table: name for name, table in KINDS.items()}
# The notice says no more than that something of one's own waits: its code is the same for every kind.
WAITS = "note_waits"
ADDED_WITH = ("note__patient", "note__author", "author")


@dataclass(frozen=True, slots=True)
class Late:
    """What a supervisor follows up: by pseudonym, type, author and time, never a text."""

    unsigned: list[Note]
    addenda: list[NoteAddendum]
    to_cosign: list[Note]
    added_to_cosign: list[NoteAddendum]


def late(organizations: Iterable[UUID], at: datetime) -> Late:
    """Return notes and addenda unsigned for seven days, and trainees' as long without a co-signature.

    Process notes and what is added to them are no part of it.
    """
    houses, before = list(organizations), at - SUPERVISOR_AFTER
    rows = Note.objects.filter(organization_id__in=houses).select_related("patient", "author")
    unsigned = rows.drafts().filter(created_at__lte=before).order_by("created_at")
    waiting = rows.filter(**TO_COSIGN, signed_at__lte=before).order_by("signed_at")
    added = _unsigned(NoteAddendum).filter(organization_id__in=houses, created_at__lte=before)
    added = added.select_related(*ADDED_WITH).order_by("created_at")
    others = NoteAddendum.objects.filter(**TO_COSIGN, organization_id__in=houses, signed_at__lte=before)
    others = others.select_related(*ADDED_WITH).order_by("signed_at")
    return Late(list(unsigned[:MOST]), list(added[:MOST]), list(waiting[:MOST]), list(others[:MOST]))


def _unsigned(kind: type[AnyDraft]) -> QuerySet[Any]:
    """Return what waits for a signature; an addendum that was emptied again waits for none."""
    table: Any = kind
    if kind in (Note, PsychotherapyNote):
        return table.objects.drafts()  # type: ignore[no-any-return]
    return table.objects.filter(signed_at__isnull=True, text__isnull=False)  # type: ignore[no-any-return]


def _to_remind(kind: type[AnyDraft], at: datetime) -> QuerySet[Any]:
    """Return what of one kind is unsigned for three days and whose author was not told since it was begun."""
    rows = _unsigned(kind).filter(created_at__lte=at - REMIND_AFTER)
    if kind is Note:
        return rows.filter(reminded_at__isnull=True)
    since = {"created_at__gte": OuterRef("created_at")}
    notices = Notification.objects.filter(
        recipient_id=OuterRef("author_id"), code=WAITS, object_id=OuterRef("pk"), **since
    )
    tasks = ReviewItem.objects.filter(
        patient_id=OuterRef("patient_id"), source_type=NAMES[kind], source_id=OuterRef("pk"), **since
    )
    return rows.filter(~Exists(notices), ~Exists(tasks))


def to_remind(at: datetime, limit: int = 200) -> list[tuple[str, UUID]]:
    """Return (kind, id) of what waits for three days and whose author was not reminded yet."""
    return [
        (name, pk)
        for name, kind in KINDS.items()
        for pk in _to_remind(kind, at).order_by("created_at").values_list("pk", flat=True)[:limit]
    ]


def locked_to_remind(kind: type[AnyDraft], row_id: UUID, at: datetime) -> AnyDraft | None:
    """Lock and return what waits, or None where it waits no more or its author was told meanwhile."""
    table: Any = kind
    rows = table.objects.select_for_update(of=("self",)).select_related("patient")
    found: AnyDraft | None = rows.filter(pk=row_id).first()
    # Asked again behind the lock: another run may have told them while this one waited.
    return found if found is not None and _to_remind(kind, at).filter(pk=row_id).exists() else None


def has_reminded(patient_id: UUID) -> bool:
    """Whether an unsigned note of this person was reminded of."""
    return Note.objects.drafts().filter(patient_id=patient_id, reminded_at__isnull=False).exists()
