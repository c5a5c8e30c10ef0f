"""Writes of the demo: a fictional person's therapy sessions, and the neural audio that suits them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from clinical.backoffice import queries
from clinical.sessions.actions import end_session, log_entry, start_session
from clinical.sessions.neural.actions import assign_band, check_contraindications, propose_changes
from clinical.sessions.neural.contraindications import QUESTIONS
from cortex.accounts.queries import user_by_id
from cortex.audit import Actor, NotFound, action, record
from cortex.audit.actors import actor_of_user
from cortex.clock import clock


@action
def add_sessions(
    *, actor: Actor, patient_id: UUID, therapist_id: UUID, since: datetime, at: datetime | None = None
) -> int:
    """Run a fictional person's fortnightly therapy since a time; return how many sessions.

    Each goes the way that a therapist's own would, at its own time. Neural audio is assigned to who listened.
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
    told = _assign(actor, patient_id, therapist, at)
    record(actor, "demo.sessions_added", subject=patient_id, codes={"therapy": count, "neural_audio": told})
    return count


def _sit(therapist: Actor, patient_id: UUID, when: datetime, number: int) -> None:
    who: dict[str, Any] = {"actor": therapist, "patient_id": patient_id}
    session = start_session(**who, channel=("in_person", "video")[number % 2], beside=True, at=when)
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


def _assign(actor: Actor, patient_id: UUID, therapist: Actor, at: datetime) -> int:
    """Assign neural audio to whoever's app told of some; what they said of it proposes a change."""
    told = queries.neural_sessions(patient_id)
    if told:
        answers = dict.fromkeys(QUESTIONS, "no")
        check_contraindications(actor=therapist, patient_id=patient_id, answers=answers, at=at)
        assign_band(actor=therapist, patient_id=patient_id, band="alpha", at=at)
        propose_changes(actor=actor, patient_id=patient_id, at=at)
    return told
