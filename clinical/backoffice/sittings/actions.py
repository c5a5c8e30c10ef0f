"""Writes of the demo: a fictional person's therapy sessions, and what they listened to."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from clinical.sessions.actions import end_session, log_entry, start_session
from clinical.sessions.neural.actions import assign_band, check_contraindications, propose_changes
from clinical.sessions.neural.contraindications import QUESTIONS
from cortex.access.context import opening
from cortex.accounts.queries import user_by_id
from cortex.audit import Actor, NotFound, action, record
from cortex.audit.actors import actor_of_user
from cortex.clock import clock
from patients.registry.queries import patient as patient_row
from patients.sessions.actions import store_batch, store_sessions
from patients.sessions.neural import NeuralAudioDetail
from patients.sessions.records import Batch, FeedbackData, SessionData


@action
def add_sessions(
    *, actor: Actor, patient_id: UUID, therapist_id: UUID, since: datetime, at: datetime | None = None
) -> int:
    """Run a fictional person's fortnightly therapy since a time, and their neural audio; return how many.

    Each goes the way that a therapist's own would, at its own time.
    """
    at = clock(at)
    user = user_by_id(therapist_id)
    if user is None:
        raise NotFound("There is no such therapist.", "not_found")
    therapist = actor_of_user(user)
    when, count = since + timedelta(days=3), 0
    while when < at - timedelta(days=1):
        _sit(therapist, patient_id, when, count)
        when, count = when + timedelta(days=14), count + 1
    made = _listen(actor, patient_id, therapist, at)
    record(actor, "demo.sessions_added", subject=patient_id, codes={"therapy": count, "neural_audio": made})
    return count


def _sit(therapist: Actor, patient_id: UUID, when: datetime, number: int) -> None:
    who: dict[str, Any] = {"actor": therapist, "patient_id": patient_id}
    session = start_session(**who, channel=("in_person", "video")[number % 2], at=when)
    for minutes, code, text in ENTRIES[number % len(ENTRIES)]:
        moment = when + timedelta(minutes=minutes)
        kind = "intervention" if code else "interaction"
        log_entry(**who, session_id=session.pk, kind=kind, code=code, text=text, at=moment)
    end_session(**who, session_id=session.pk, at=when + timedelta(minutes=48 + number % 4))


# What a fictional therapist logs: minutes after the start, the intervention, and words.
ENTRIES: tuple[tuple[tuple[int, str, str], ...], ...] = (
    ((2, "", "Looked back on the week; slept better on two nights."),
     (15, "BEHAVIOURAL_ACTIVATION", "Planned two walks and a visit to the sister.")),
    ((3, "", "Worry about fees came first."),
     (12, "PROBLEM_SOLVING_THERAPY", "Three steps for the talk with the school."),
     (40, "PSYCHOEDUCATION", "How worry keeps itself going.")),
    ((5, "CBT", "Thought record about the meeting at work."), (35, "", "Agreed to try it once more alone.")),
)  # fmt: skip
# Effectiveness of 10 and physical effects of fictional listening, by the day before now.
LISTENED = ((9, 8, None), (6, 9, None), (3, 9, {"headache": "mild"}))


def _listen(actor: Actor, patient_id: UUID, therapist: Actor, at: datetime) -> int:
    """Let some fictional people listen to neural audio; what they said of it proposes a change."""
    if patient_id.int % 3:
        return 0
    answers = dict.fromkeys(QUESTIONS, "no")
    check_contraindications(actor=therapist, patient_id=patient_id, answers=answers, at=at)
    assign_band(actor=therapist, patient_id=patient_id, band="alpha", at=at)
    home = patient_row(patient_id).organization_id  # type: ignore[union-attr]
    common = (patient_id, home, at)
    times = {f"n{days}": at - timedelta(days=days) for days, _, _ in LISTENED}
    begun = [
        SessionData(
            *common, client_ref=ref, kind="neural_audio", channel="app", status="completed", started_at=when,
            ended_at=when + timedelta(minutes=20), duration_seconds=1200,
        )
        for ref, when in times.items()
    ]  # fmt: skip
    with opening(actor, purpose="demo") as context:
        context.load_keys([patient_id])
        rows = store_sessions(actor=actor, sessions=begun)
        told = [
            FeedbackData(
                *common, session_id=rows[patient_id, f"n{days}"].pk, given_at=times[f"n{days}"],
                satisfaction_raw=4, effectiveness_raw=helped, physical_effects=effects,
            )
            for days, helped, effects in LISTENED
        ]  # fmt: skip
        store_batch(actor=actor, batch=Batch(feedback=told))
        for row in rows.values():
            NeuralAudioDetail.objects.create(
                session=row, organization_id=home, patient_id=patient_id, base_frequency_hz=14.0,
                target_frequency_hz=10.0, volume_level=50, initial_state="tense", target_state="calm",
                received_at=at,
            )  # fmt: skip
    propose_changes(actor=actor, patient_id=patient_id, at=at)
    return len(rows)
