"""PostgreSQL shows the application the people of the organizations that its transaction named, and no others."""

from django.db import migrations

from cortex.access.rows import GuardRows

MODELS = (
    "Patient",
    "PatientProfile",
    "PatientPreference",
    "EmergencyContact",
    "LastLocation",
    "Consent",
    "CareTeamMember",
    "PatientUserObjectPermission",
    "Session",
    "SessionActivity",
    "SessionFeature",
    "SessionFeedback",
    "VoiceSession",
    "Message",
    "ToolAction",
    "AssistantRationale",
    "EmotionObservation",
    "DailyCheckIn",
)


class Migration(migrations.Migration):
    """Locks one table at a time; docs/OPERATIONS.md says in which order to upgrade."""

    atomic = False
    dependencies = [
        ("patients", "0007_admin_names"),
        ("ops", "0003_months_keep_their_policies"),
        ("access", "0001_roles"),
    ]
    operations = [GuardRows(model) for model in MODELS]
