"""What apps send sealed about somebody: each column with the place of its hostile words, or why none."""

from __future__ import annotations

from cortex.crypto.sealed import SealedMixin
from patients.registry.person import PatientProfile
from patients.sessions.messages import AssistantRationale, ToolAction
from patients.sessions.models import Session, SessionActivity, SessionFeedback, VoiceSession
from patients.sessions.observations import DailyCheckIn

SENDERS = (
    Session, VoiceSession, SessionActivity, SessionFeedback, DailyCheckIn, ToolAction, AssistantRationale,
    PatientProfile,
)  # fmt: skip
# Each of these stands on a page of the chart; the place is where `hostile` plants it.
SENT = {
    "Session.metrics": "Session.metrics", "VoiceSession.transcript_encrypted": "VoiceSession.transcript",
    "SessionActivity.activity_data": "Activity.data", "SessionActivity.user_feedback": "Activity.feedback",
    "SessionActivity.ai_analysis": "Activity.ai", "SessionFeedback.feedback_text": "Feedback.text",
    "SessionFeedback.physical_effects": "Feedback.physical", "DailyCheckIn.notes": "CheckIn.notes",
    "SessionFeedback.mental_effects": "Feedback.mental", "DailyCheckIn.metrics": "CheckIn.metrics",
    "ToolAction.params": "ToolAction.params in a chat", "ToolAction.error": "ToolAction.error in a chat",
    "AssistantRationale.citations": "Rationale.citations in a chat",
    "PatientProfile.self_stated_goals": "PatientProfile.self_stated_goals",
    "PatientProfile.self_reported_conditions": "PatientProfile.self_reported_conditions",
    "PatientProfile.self_reported_medications": "PatientProfile.self_reported_medications",
}  # fmt: skip
NOT_SENT = {
    "Session.tags": "codes", "VoiceSession.voice_features": "numbers",
    "PatientProfile.legacy_assessment_data": "comes with an import alone, and stands on no page",
}  # fmt: skip


def sent_fields() -> set[str]:
    """Return every sealed column of what apps send about somebody, as Model.column."""
    return {
        f"{model.__name__}.{one.name}"
        for model in SENDERS for one in model._meta.concrete_fields if isinstance(one, SealedMixin)
    }  # fmt: skip
