"""Reads of what happened to a person since a moment: each is one query, cut at MOST, and opens nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from clinical.notes.labels import open_to
from clinical.notes.models import Note, NoteType
from clinical.scheduling.models import Appointment, CancelReason, Status
from cortex.ops.postgres.questions import kept
from patients.care.models import CareTeamMember

MOST = 20


@dataclass(frozen=True, slots=True)
class Sight:
    """Which labelled rows of a person somebody sees: their relationship, Part 2, trainees' to co-sign."""

    user_id: UUID
    relation: str
    part2: bool
    cosigns: bool


def notes_signed(ids: list[UUID], sight: Sight, since: datetime, at: datetime) -> list[Note]:
    """Return the notes that colleagues signed and that labels leave open, newest first; no process note."""
    return _notes_signed(ids, sight.user_id, since, at, sight.relation, sight.part2, sight.cosigns)


@kept
def _notes_signed(
    ids: list[UUID], user_id: UUID, since: datetime, at: datetime, relation: str, part2: bool, cosigns: bool
) -> QuerySet[Note]:
    rows = Note.objects.signed().filter(patient_id__in=ids, signed_at__gt=since, signed_at__lte=at)
    rows = rows.filter(open_to(user_id, relation, part2=part2, cosigns=cosigns)).exclude(author_id=user_id)
    rows = rows.select_related("author").only("patient_id", "note_type", "signed_at", "author__full_name")
    return rows.order_by("-signed_at")[:MOST]


def next_contact(ids: list[UUID], sight: Sight) -> Note | None:
    """Return the newest signed note, open to the reader, that says when the next contact is; or None."""
    return next(iter(_next_contact(ids, sight.user_id, sight.relation, sight.part2, sight.cosigns)), None)


@kept
def _next_contact(
    ids: list[UUID], user_id: UUID, relation: str, part2: bool, cosigns: bool
) -> QuerySet[Note]:
    rows = Note.objects.signed().filter(patient_id__in=ids, follow_up_on__isnull=False)
    rows = rows.filter(open_to(user_id, relation, part2=part2, cosigns=cosigns))
    return rows.only("patient_id", "note_type", "occurred_at", "follow_up_on").order_by("-occurred_at")[:1]


def last_note(ids: list[UUID], sight: Sight) -> Note | None:
    """Return the newest signed note that is open to the reader, or None; supervision agrees nothing."""
    return next(iter(_last_note(ids, sight.user_id, sight.relation, sight.part2, sight.cosigns)), None)


@kept
def _last_note(ids: list[UUID], user_id: UUID, relation: str, part2: bool, cosigns: bool) -> QuerySet[Note]:
    rows = Note.objects.signed().filter(patient_id__in=ids).exclude(note_type=NoteType.SUPERVISION)
    rows = rows.filter(open_to(user_id, relation, part2=part2, cosigns=cosigns))
    return rows.only("patient_id", "note_type", "signed_at").order_by("-occurred_at")[:1]


def appointments_off(ids: list[UUID], since: datetime, at: datetime) -> list[Appointment]:
    """Return the appointments that were missed or called off, newest first; not those made by mistake."""
    return _appointments_off(ids, since, at)


@kept
def _appointments_off(ids: list[UUID], since: datetime, at: datetime) -> QuerySet[Appointment]:
    rows = Appointment.objects.filter(
        patient_id__in=ids, status__in=(Status.NO_SHOW, Status.CANCELLED), status_at__gt=since,
        status_at__lte=at,
    )  # fmt: skip
    rows = rows.exclude(cancel_reason=CancelReason.MISTAKE)
    return rows.order_by("-status_at", "starts_at")[:MOST]


def places_ended(ids: list[UUID], since: datetime, at: datetime) -> list[CareTeamMember]:
    """Return the places on a person's team and the covers that ended, newest first."""
    return _places_ended(ids, since, at)


@kept
def _places_ended(ids: list[UUID], since: datetime, at: datetime) -> QuerySet[CareTeamMember]:
    rows = CareTeamMember.objects.ever().filter(patient_id__in=ids, ends_at__gt=since, ends_at__lte=at)
    return rows.select_related("user", "cover_for__user").order_by("-ends_at")[:MOST]
