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
from crisis.reviews.models import PAPERS, ReviewItem
from patients.care.queries import care_team
from patients.codes import CareRole

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
TO_COSIGN_WAITS = "cosign_waits"
ADDED_WITH = ("note__patient", "note__author", "author")


def waiting_note(author_id: UUID | None, patient_id: UUID, code: str, source_id: UUID) -> UUID | None:
    """Return the note that a reminder of this author's is about: their own, or the one that they add to."""
    if code == "addendum_unsigned":
        added = NoteAddendum.objects.filter(pk=source_id, patient_id=patient_id, author_id=author_id)
        return added.values_list("note_id", flat=True).first()
    own = Note.objects.filter(pk=source_id, patient_id=patient_id, author_id=author_id)
    return own.values_list("pk", flat=True).first()


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
    added = unsigned_rows(NoteAddendum).filter(organization_id__in=houses, created_at__lte=before)
    added = added.select_related(*ADDED_WITH).order_by("created_at")
    others = NoteAddendum.objects.filter(**TO_COSIGN, organization_id__in=houses, signed_at__lte=before)
    others = others.select_related(*ADDED_WITH).order_by("signed_at")
    return Late(list(unsigned[:MOST]), list(added[:MOST]), list(waiting[:MOST]), list(others[:MOST]))


def unsigned_rows(kind: type[AnyDraft]) -> QuerySet[Any]:
    """Return what waits for a signature; an addendum that was emptied again waits for none."""
    table: Any = kind
    if kind in (Note, PsychotherapyNote):
        return table.objects.drafts()  # type: ignore[no-any-return]
    return table.objects.filter(signed_at__isnull=True, text__isnull=False)  # type: ignore[no-any-return]


def _to_remind(kind: type[AnyDraft], at: datetime) -> QuerySet[Any]:
    """Return what of one kind is unsigned for three days and whose author was not told since it was begun."""
    rows = unsigned_rows(kind).filter(created_at__lte=at - REMIND_AFTER)
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


def still_waits(row: Note | NoteAddendum, at: datetime) -> AnyDraft | None:
    """Return what a task of this kind about this person is for, once `row` is done: its author's own first.

    Notes are told of by the day on them; of addenda what is unsigned for three days counts as told of.
    """
    rows = unsigned_rows(type(row)).filter(patient_id=row.patient_id).exclude(pk=row.pk)
    told = {"reminded_at__isnull": False} if isinstance(row, Note) else {"created_at__lte": at - REMIND_AFTER}
    rows = rows.filter(**told).select_related("patient").order_by("created_at")
    waiting: list[AnyDraft] = list(rows[:MOST])
    return next((one for one in waiting if one.author_id == row.author_id), next(iter(waiting), None))


def stands_for(row: Note | NoteAddendum, reason: str) -> bool:
    """Whether the open task of a reason about a person is for this text, or one of its author's before."""
    items = ReviewItem.objects.open().filter(patient_id=row.patient_id, reason_code=reason)
    source: Any = next(iter(items.values_list("source_id", flat=True)[:1]), None)
    if source in (None, row.pk):
        return source is not None
    own = type(row).objects.filter(pk=source, author_id=row.author_id)
    return own.exists() and not unsigned_rows(type(row)).filter(pk=source).exists()


def papers_of(author_id: UUID, patient_ids: Iterable[UUID]) -> list[ReviewItem]:
    """Return the open tasks about these people that ask somebody to sign what they wrote."""
    rows = ReviewItem.objects.open().filter(owner_id=author_id, patient_id__in=list(patient_ids))
    return list(rows.filter(reason_code__in=PAPERS))


def cosigners(row: Note | NoteAddendum, at: datetime) -> set[UUID]:
    """Return who supervises on the person's team and may sign a trainee's note or addendum too."""
    team = care_team(row.patient_id, at)
    found = [one.user_id for one in team if one.role == CareRole.SUPERVISOR and not one.cover_for_id]
    return {one for one in found if one and one != row.author_id}


def told_to_cosign(row: Note | NoteAddendum) -> list[UUID]:
    """Return who was told that a note or addendum waits for a co-signature, whoever supervises now."""
    told = Notification.objects.filter(code=TO_COSIGN_WAITS, object_id=row.pk, read_at__isnull=True)
    return list(told.values_list("recipient_id", flat=True))
