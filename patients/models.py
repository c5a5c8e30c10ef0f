"""Gathers the models of the floor's features; nothing is defined here."""

from patients.care.models import CareTeamMember, PatientUserObjectPermission
from patients.covers.models import PlannedCover
from patients.privacy.models import Consent
from patients.registry.models import Patient
from patients.registry.person import EmergencyContact, LastLocation, PatientPreference, PatientProfile
from patients.sessions.messages import AssistantRationale, Message, ToolAction
from patients.sessions.models import (
    Session,
    SessionActivity,
    SessionFeature,
    SessionFeedback,
    VoiceSession,
)
from patients.sessions.neural import NeuralAudioDetail, NeuralProfile, NeuralProfileProposal
from patients.sessions.observations import DailyCheckIn, EmotionObservation

__all__ = [
    "AssistantRationale",
    "CareTeamMember",
    "Consent",
    "DailyCheckIn",
    "EmergencyContact",
    "EmotionObservation",
    "LastLocation",
    "Message",
    "NeuralAudioDetail",
    "NeuralProfile",
    "NeuralProfileProposal",
    "Patient",
    "PatientPreference",
    "PatientProfile",
    "PatientUserObjectPermission",
    "PlannedCover",
    "Session",
    "SessionActivity",
    "SessionFeature",
    "SessionFeedback",
    "ToolAction",
    "VoiceSession",
]
