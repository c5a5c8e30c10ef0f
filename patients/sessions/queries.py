"""Reads of what people's apps sent, shaped for pages; words open only in the context that is passed in."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import F, Q, QuerySet

from cortex.access.context import AccessContext
from cortex.access.unreadable import UNREADABLE, readable
from cortex.ops.postgres.figures import count_of, mean_of
from cortex.ops.postgres.questions import Word, kept
from patients.registry.models import Patient
from patients.sessions.messages import Message
from patients.sessions.models import (
    Session,
    SessionActivity,
    SessionFeature,
    SessionFeedback,
    VoiceSession,
    private,
)
from patients.sessions.observations import DailyCheckIn

PROGRESS = ("total_sessions", "avg_effectiveness", "avg_sleep_quality", "avg_focus_score")
# Where the words of each kind of source stand: the model, its key and the sealed column.
WORDS: dict[str, tuple[Any, str, str]] = {
    "message": (Message, "pk", "content"),
    "transcript": (VoiceSession, "pk", "transcript_encrypted"),
    "check_in": (DailyCheckIn, "pk", "notes"),
    "activity": (SessionActivity, "pk", "user_feedback"),
    "feedback": (SessionFeedback, "pk", "feedback_text"),
}


@dataclass(frozen=True, slots=True)
class Source:
    """A row that holds words of one person: its column, its labels with its session's, and its session.

    `is_private`: said in a session that the person keeps to themself.
    """

    row: Any
    column: str
    labels: frozenset[str]
    session_id: UUID | None
    is_private: bool = False


def source_of(kind: str, source_id: UUID, patient_id: UUID) -> Source | None:
    """Return the row behind a source of one person, closed, or None when its words are no longer kept."""
    if kind not in WORDS:
        return None
    model, key, column = WORDS[kind]
    row = model._default_manager.filter(**{key: source_id}).first()
    if row is None or row.__dict__.get(column) is None or row.patient_id != patient_id:
        return None
    session_id: UUID | None = getattr(row, "session_id", None)
    labels = set(getattr(row, "sensitivity_labels", ()))
    around = Session.objects.filter(pk=session_id).first() if session_id is not None else None
    if around is None:
        return Source(row, column, frozenset(labels), session_id)
    labels.update(around.sensitivity_labels)
    return Source(row, column, frozenset(labels), session_id, around.is_private)


def open_words(ctx: AccessContext, source: Source) -> str:
    """Return the words of a source, or that they can't be read; who asks has asked what its labels shut."""
    ctx.open([source.row], [source.column])
    return str(readable(source.row, source.column, UNREADABLE))


def feature_values(session_ids: Collection[UUID], names: Iterable[str]) -> dict[UUID, dict[str, Any]]:
    """Return what these sessions' features hold under these names; one query, none without a session."""
    return {row.pop("session_id"): row for row in _values(session_ids, tuple(names))}


@kept
def _values(session_ids: Collection[UUID], names: tuple[str, ...]) -> QuerySet[SessionFeature, Any]:
    return SessionFeature.objects.filter(session_id__in=session_ids).values("session_id", *names)


def named_sessions(names: Collection[tuple[UUID, str]]) -> dict[tuple[UUID, str], Session]:
    """Return the sessions of these (patient, name that the app gave); one query, none without names."""
    found = _named([patient_id for patient_id, _ in names], [Word(name) for _, name in names])
    by_name = {(row.patient_id, row.client_ref): row for row in found}
    return {name: by_name[name] for name in names if name in by_name}


@kept
def _named(patient_ids: list[UUID], names: list[Word]) -> QuerySet[Session]:
    # Names are asked for beside people, not in pairs, which cost more to say than the few rows too many that
    # this finds; the last condition is the index's own.
    rows = Session.objects.filter(patient_id__in=patient_ids, client_ref__among=names)
    return rows.exclude(client_ref="").order_by()


def kinds_of(names: Collection[tuple[UUID, str]]) -> dict[tuple[UUID, str], str]:
    """Return the kind of each session that a start has come of, by (patient id, client_ref); one query."""
    return {name: row.kind for name, row in named_sessions(names).items() if not row.start_is_inferred}


def kinds_around(message_ids: Collection[UUID]) -> dict[UUID, str]:
    """Return the kind of the session of each of these messages that is stored in one; at most one query."""
    if not message_ids:
        return {}
    rows = Message.objects.filter(pk__in=message_ids).values_list("pk", "session__kind")
    return {pk: kind for pk, kind in rows if kind is not None}


def transcribed(names: Collection[tuple[UUID, str]]) -> set[tuple[UUID, str]]:
    """Return which of these sessions, by (patient id, client_ref), hold a transcript; at most one query."""
    found = _transcribed([patient_id for patient_id, _ in names], [Word(name) for _, name in names])
    return {key for key in found if key in names} if names else set()


@kept
def _transcribed(patient_ids: list[UUID], names: list[Word]) -> QuerySet[VoiceSession, Any]:
    rows = VoiceSession.objects.filter(
        patient_id__in=patient_ids, session__client_ref__among=names, transcript_encrypted__isnull=False
    )
    return rows.order_by().values_list("patient_id", "session__client_ref")


def progress_summary(
    patient_id: UUID, patient_ids: Collection[UUID], since: datetime, first_day: date, opened: Q | None = None
) -> QuerySet[Patient, Any]:
    """Return a person's sessions since a time, and mean answers, as one row of `PROGRESS`, unread.

    It is the source's user_progress_summary. `patient_ids` are all rows of the person, `patient_id` any of
    them. Each figure is read apart: joining sessions and check-ins would count rows many times.
    Effectiveness is shown as 1-5 whatever scale it was asked on (K4); a figure without an answer is None.
    Check-ins count from `first_day` on, by the person's own days: so ten years of them are not read.
    `opened` is which sessions count, where not all do; answers about one that is the person's own never do.
    """
    sessions = Session.objects.filter(patient_id__in=patient_ids)
    feedback = SessionFeedback.objects.filter(
        ~private("session__"), patient_id__in=patient_ids, given_at__gte=since
    )
    if opened is not None:
        sessions = sessions.filter(opened)
        feedback = feedback.filter(session__in=sessions)
    norm = (F("effectiveness_raw") - 1.0) / (F("effectiveness_scale") - 1.0)
    days = DailyCheckIn.objects.filter(patient_id__in=patient_ids, date__gte=first_day)
    return Patient.objects.filter(pk=patient_id).values_list(
        count_of(sessions.filter(started_at__gte=since)),
        mean_of(feedback, 1 + 4 * norm),
        mean_of(days, "sleep_quality"),
        mean_of(days, "focus_score"),
    )
