"""Reads of what people's apps sent, shaped for pages; words open only in the context that is passed in."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from cortex.access.context import AccessContext
from patients.sessions.messages import Message
from patients.sessions.models import SessionActivity, SessionFeedback, VoiceSession
from patients.sessions.observations import DailyCheckIn

# Where the words of each kind of source stand: the model, its key and the sealed column.
WORDS: dict[str, tuple[Any, str, str]] = {
    "message": (Message, "pk", "content"),
    "transcript": (VoiceSession, "pk", "transcript_encrypted"),
    "check_in": (DailyCheckIn, "pk", "notes"),
    "activity": (SessionActivity, "pk", "user_feedback"),
    "feedback": (SessionFeedback, "pk", "feedback_text"),
}


def open_words(ctx: AccessContext, kind: str, source_id: UUID, patient_id: UUID) -> str:
    """Return the words behind a source of one person, or "" when they are no longer kept."""
    if kind not in WORDS:
        return ""
    model, key, column = WORDS[kind]
    row = model._default_manager.filter(**{key: source_id}).first()
    if row is None or row.__dict__.get(column) is None:
        return ""
    if (getattr(row, "patient_id", None) or row.session.patient_id) != patient_id:
        return ""
    ctx.open([row], [column])
    return str(getattr(row, column))
