"""Rows that the addresses of sessions need: one under way, one that is over, an emotion, a proposal."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from clinical.sessions.actions import end_session, log_entry, start_session
from clinical.sessions.emotions.actions import review_emotion
from clinical.sessions.neural.actions import check_contraindications, propose_changes
from clinical.sessions.neural.contraindications import QUESTIONS
from cortex.accounts.models import User
from patients.registry.models import Patient
from patients.sessions.neural import NeuralAudioDetail, NeuralProfileProposal
from patients.sessions.observations import EmotionObservation
from patients.sessions.records import Batch, EmotionData, FeedbackData
from tests import makers

ANSWERS = dict.fromkeys(QUESTIONS, "no")


def plant_sessions(therapist: User, patient: Patient, words: str = "mbuyuni3") -> dict[str, str]:
    """Let a therapist run one session to its end and another one half way; return ids by name."""
    who: dict[str, Any] = {"actor": makers.staff(therapist), "patient_id": patient.pk}
    over = start_session(**who, channel="video", beside=True)
    log_entry(**who, session_id=over.pk, kind="interaction", text=words)
    end_session(**who, session_id=over.pk)
    running = start_session(**who, channel="phone", beside=True)
    # A slow walk comes by after the spans in which these two may be taken back.
    later = makers.now() + timedelta(hours=1)
    entry = log_entry(**who, session_id=running.pk, kind="interaction", text=words, at=later)
    check_contraindications(**who, answers=ANSWERS)
    emotion, reviewed = _feel(patient, running), _feel(patient, running)
    review_emotion(**who, observation_id=UUID(reviewed), verdict="confirmed", at=later)
    makers.scope_all()
    return {
        "over": str(over.pk),
        "session": str(running.pk),
        "entry": str(entry.pk),
        "emotion": emotion,
        "reviewed": reviewed,
        "proposal": _propose(patient),
    }


def _feel(patient: Patient, session: Any) -> str:
    data = EmotionData(
        patient.pk, patient.organization_id, makers.now(), source="voice", confidence=0.9, label="hopeless",
        observed_at=makers.now(), session_id=session.pk,
    )  # fmt: skip
    home = makers.machine(patient.organization_id)
    makers.store(actor=home, patient=patient, sessions=[], batch=Batch(emotions=[data]))
    makers.scope_all()
    return str(EmotionObservation.objects.get(pk=str(data.id)).pk)


def _propose(patient: Patient) -> str:
    home, at = makers.machine(patient.organization_id), makers.now()
    session = makers.make_session(patient, kind="neural_audio")
    NeuralAudioDetail.objects.create(
        session=session, organization_id=patient.organization_id, patient=patient, target_frequency_hz=10.0,
        received_at=at,
    )  # fmt: skip
    told = FeedbackData(
        patient.pk, patient.organization_id, at, session_id=session.pk, given_at=at,
        physical_effects={"headache": "moderate"},
    )  # fmt: skip
    makers.store(actor=home, patient=patient, sessions=[], batch=Batch(feedback=[told]))
    propose_changes(actor=home, patient_id=patient.pk)
    makers.scope_all()
    return str(NeuralProfileProposal.objects.filter(patient=patient).order_by("pk").first().pk)  # type: ignore[union-attr]
