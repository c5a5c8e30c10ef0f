"""How a session that several items tell of, late and out of order, becomes one row: rules, no query."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from cortex.ids import uuid7
from patients.codes import SessionKind, SessionStatus
from patients.sessions.models import Session
from patients.sessions.records import SessionData, clamped

WAITING = (SessionStatus.SCHEDULED, SessionStatus.IN_PROGRESS)
COPIED = ("channel", "subtype", "mood_label", "tags", "metrics", "is_shared")


def new_session(data: SessionData) -> Session:
    """Return an unsaved row with an inferred start; `apply` then adds what the item says."""
    first = clamped(_earliest(data), data.received_at)
    return Session(
        id=uuid7(first),
        organization_id=data.organization_id,
        patient_id=data.patient_id,
        client_ref=data.client_ref,
        kind=data.kind or SessionKind.CHAT,
        started_at=first,
        start_is_inferred=True,
        received_at=data.received_at,
    )


def apply(session: Session, data: SessionData) -> list[str]:
    """Put what an item says onto the row; return the names of the fields that changed."""
    before = {name: session.__dict__.get(name) for name in _WATCHED}
    is_measured = _is_measured(session)
    changed = [name for name in COPIED if _copy(session, name, getattr(data, name))]
    changed += _label(session, data.sensitivity_labels)
    if data.kind is not None and _speaks_of_session(data):
        session.kind = data.kind
    _move_start(session, data)
    _end(session, data)
    _measure(session, data, is_measured=is_measured)
    return changed + [name for name in _WATCHED if session.__dict__.get(name) != before[name]]


_WATCHED = ("kind", "status", "started_at", "start_is_inferred", "ended_at", "duration_seconds")


def _copy(session: Session, name: str, value: object) -> bool:
    if value is None:
        return False
    setattr(session, name, value)
    return True


def _label(session: Session, labels: Collection[str] | None) -> list[str]:
    """A sender adds labels and takes none away: somebody may have set them here."""
    wanted = sorted({*session.sensitivity_labels, *(labels or ())})
    if wanted == sorted(session.sensitivity_labels):
        return []
    session.sensitivity_labels = wanted
    return ["sensitivity_labels"]


def _speaks_of_session(data: SessionData) -> bool:
    """A message only hints at the kind of its session; a start or an end says it."""
    return data.started_at is not None or data.ended_at is not None or data.status is not None


def _move_start(session: Session, data: SessionData) -> None:
    if data.started_at is not None:
        said = clamped(data.started_at, data.received_at)
        # Told twice, the earlier start holds: it is the one that every other item fits behind.
        session.started_at = said if session.start_is_inferred else min(session.started_at, said)
        session.start_is_inferred = False
    elif session.start_is_inferred:
        session.started_at = min(session.started_at, clamped(_earliest(data), data.received_at))
    if session.ended_at is not None and session.started_at > session.ended_at:
        session.started_at = session.ended_at


def _end(session: Session, data: SessionData) -> None:
    if data.ended_at is not None:
        said = clamped(data.ended_at, data.received_at)
        ends = [said, session.started_at] + ([session.ended_at] if session.ended_at else [])
        session.ended_at = max(ends)
    if data.status is not None and (data.status not in WAITING or session.status in WAITING):
        session.status = data.status
    elif session.ended_at is not None and session.status in WAITING:
        session.status = SessionStatus.COMPLETED


def _is_measured(session: Session) -> bool:
    """Whether its length is ours to say: none stands, or the one from a start that was said to its end."""
    return session.duration_seconds is None or session.duration_seconds == _length(session)


def _measure(session: Session, data: SessionData, *, is_measured: bool) -> None:
    """Let what an item said be its length; else it is from start to end, once the start was said."""
    if data.duration_seconds is not None:
        session.duration_seconds = data.duration_seconds
    elif is_measured:
        session.duration_seconds = _length(session)


def _length(session: Session) -> int | None:
    if session.ended_at is None or session.start_is_inferred:
        return None
    return int((session.ended_at - session.started_at).total_seconds())


def _earliest(data: SessionData) -> datetime:
    times = [at for at in (data.started_at, data.seen_at, data.ended_at) if at is not None]
    return min(times, default=data.received_at)
