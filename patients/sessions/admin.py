"""The back office of what apps send: that it came, when, and how it stands; never words or labels."""

from __future__ import annotations

from django.contrib import admin

from patients.registry.admin import PatientRowAdmin
from patients.sessions.messages import AssistantRationale, Message, ToolAction
from patients.sessions.models import Session, SessionActivity, SessionFeature, SessionFeedback, VoiceSession
from patients.sessions.neural import NeuralAudioDetail, NeuralProfile, NeuralProfileProposal
from patients.sessions.observations import DailyCheckIn, EmotionObservation


@admin.register(Session)
class SessionAdmin(PatientRowAdmin):
    """Sittings and their times."""

    fields = (
        "patient", "client_ref", "kind", "subtype", "channel", "status", "started_at", "start_is_inferred",
        "ended_at", "duration_seconds", "is_shared", "sensitivity_labels", "received_at",
    )  # fmt: skip
    list_display = ("patient", "kind", "channel", "status", "started_at", "ended_at")
    list_filter = ("kind", "status", "channel")


@admin.register(VoiceSession)
class VoiceSessionAdmin(PatientRowAdmin):
    """How far voice sessions are: extracted, to be purged, purged."""

    fields = (
        "session", "patient", "transcript_language", "pii_present", "replaced_chars", "processed",
        "patterns_extracted", "extracted_at", "extraction_error", "delete_after", "purged_at", "received_at",
    )  # fmt: skip
    list_display = (
        "patient", "received_at", "patterns_extracted", "extraction_error", "delete_after", "purged_at",
    )  # fmt: skip
    list_filter = ("patterns_extracted", ("extraction_error", admin.EmptyFieldListFilter))


@admin.register(SessionFeature)
class SessionFeatureAdmin(PatientRowAdmin):
    """That features were kept, and their quality."""

    fields = ("patient", "session", "observed_at", "speech_seconds", "signal_ok", "token_count")
    list_display = ("patient", "observed_at", "speech_seconds", "signal_ok")


@admin.register(Message)
class MessageAdmin(PatientRowAdmin):
    """That a message came, and its marks."""

    fields = (
        "patient", "role", "language", "pii_present", "replaced_chars", "sensitivity_labels", "screened_at",
        "lexicon_version", "sent_at", "received_at", "expires_at",
    )  # fmt: skip
    list_display = ("patient", "role", "language", "pii_present", "sent_at", "received_at")
    list_filter = ("role", "pii_present")


@admin.register(EmotionObservation)
class EmotionObservationAdmin(PatientRowAdmin):
    """That an emotion was read, by what, and whether it was looked at."""

    fields = (
        "patient", "source", "confidence", "model_name", "model_version", "review_status", "reviewed_by",
        "reviewed_at", "observed_at", "received_at", "expires_at",
    )  # fmt: skip
    list_display = ("patient", "source", "model_name", "model_version", "review_status", "observed_at")
    list_filter = ("source", "review_status")


@admin.register(SessionActivity)
class SessionActivityAdmin(PatientRowAdmin):
    """That something was done, and when."""

    fields = (
        "patient",
        "session",
        "started_at",
        "completed_at",
        "duration_seconds",
        "pii_present",
        "received_at",
    )
    list_display = ("patient", "started_at", "completed_at", "received_at")


@admin.register(SessionFeedback)
class SessionFeedbackAdmin(PatientRowAdmin):
    """That feedback came."""

    fields = ("patient", "session", "author", "pii_present", "given_at", "received_at")
    list_display = ("patient", "author", "given_at")


@admin.register(DailyCheckIn)
class DailyCheckInAdmin(PatientRowAdmin):
    """That a check-in came."""

    fields = ("patient", "date", "pii_present", "submitted_at", "received_at")
    list_display = ("patient", "date", "submitted_at")


@admin.register(ToolAction)
class ToolActionAdmin(PatientRowAdmin):
    """That the assistant used a tool."""

    fields = ("patient", "tool_name", "status", "started_at", "finished_at", "received_at")
    list_display = ("patient", "tool_name", "status", "started_at", "finished_at")
    list_filter = ("status",)


@admin.register(AssistantRationale)
class AssistantRationaleAdmin(PatientRowAdmin):
    """That a rationale was kept."""

    fields = ("patient", "message_id", "policy_selected", "received_at")
    list_display = ("patient", "policy_selected", "received_at")


@admin.register(NeuralAudioDetail)
class NeuralAudioDetailAdmin(PatientRowAdmin):
    """How neural-audio sessions were set; side effects stay closed here."""

    fields = (
        "session", "patient", "base_frequency_hz", "target_frequency_hz", "volume_level", "received_at",
    )  # fmt: skip
    list_display = ("patient", "target_frequency_hz", "volume_level", "received_at")


@admin.register(NeuralProfile)
class NeuralProfileAdmin(PatientRowAdmin):
    """That a profile was checked and by whom; its answers stay closed here."""

    fields = (
        "patient", "sensitivity_level", "volume_level", "preferred_hz", "paused_bands", "checked_at",
        "checked_by", "assigned_band", "assigned_at", "assigned_by",
    )  # fmt: skip
    list_display = ("patient", "assigned_band", "checked_at", "checked_by")
    list_select_related = ("patient", "checked_by")


@admin.register(NeuralProfileProposal)
class NeuralProfileProposalAdmin(PatientRowAdmin):
    """What was proposed, and who decided."""

    fields = (
        "patient", "field", "band", "reason_code", "evidence_n", "status", "decided_by", "decided_at",
    )  # fmt: skip
    list_display = ("patient", "field", "band", "reason_code", "status", "decided_at")
    list_filter = ("status", "reason_code")
