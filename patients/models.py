"""Gathers the models of the floor's features; nothing is defined here."""

from patients.breakglass.models import BreakGlassGrant
from patients.care.models import CareTeamMember, PatientUserObjectPermission
from patients.contacts.models import ContactException
from patients.covers.models import Absence, PlannedCover
from patients.holds.models import LegalHold
from patients.pathway.models import CareEnding, Referral
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
    "Absence",
    "AssistantRationale",
    "BreakGlassGrant",
    "CareEnding",
    "CareTeamMember",
    "Consent",
    "ContactException",
    "DailyCheckIn",
    "EmergencyContact",
    "EmotionObservation",
    "LastLocation",
    "LegalHold",
    "Message",
    "NeuralAudioDetail",
    "NeuralProfile",
    "NeuralProfileProposal",
    "Patient",
    "PatientPreference",
    "PatientProfile",
    "PatientUserObjectPermission",
    "PlannedCover",
    "Referral",
    "Session",
    "SessionActivity",
    "SessionFeature",
    "SessionFeedback",
    "ToolAction",
    "VoiceSession",
]
