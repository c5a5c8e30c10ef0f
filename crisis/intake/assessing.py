"""What sorted items tell the risk engine: coded evidence of words, emotions, voices and buttons; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from crisis.intake.sorting import Sorted
from crisis.intake.storing import SessionKey, gap_of, session_key
from crisis.risk import evidence
from crisis.risk.evidence import Draft, Origin
from crisis.risk.types import Source
from patients.codes import EmotionSource, SessionKind

SOURCES = {
    "message": Source.MESSAGE, "transcript": Source.TRANSCRIPT, "checkin": Source.CHECK_IN, "sos": Source.SOS,
    "activity": Source.ACTIVITY, "feedback": Source.FEEDBACK, "emotion": Source.VOICE,
    "voice_features": Source.VOICE,
}  # fmt: skip
# Domain 1.4: therapy and self-guided sessions never feed the engine with voice, emotion or dissonance.
LIVE_KINDS = frozenset({SessionKind.VOICE_CHECKIN, SessionKind.CHAT, SessionKind.CRISIS_CONTACT})
BUTTONS = {"talk": "talk_to_person", "in_danger": "in_danger"}

Sessions = Mapping[SessionKey, Any]


def drafts_of(rows: Iterable[Sorted], sessions: Sessions, at: datetime) -> dict[UUID, list[Draft]]:
    """Return the evidence of a batch by patient; what was evidence at an earlier try isn't told twice."""
    found: dict[UUID, list[Draft]] = {}
    for row in rows:
        if row.person is None or row.was_evidence:
            continue
        drafts = list(_drafts(row, origin_of(row, sessions, at), sessions))
        if drafts:
            found.setdefault(row.person.pk, []).extend(drafts)
            row.gave_evidence = any(tells_something(draft) for draft in drafts)
    return found


def tells_something(draft: Draft) -> bool:
    """Whether the engine should look: a deflection or a phrase taken back is context only."""
    return draft.item.domain != "context"


def _drafts(row: Sorted, origin: Origin, sessions: Sessions) -> Iterator[Draft]:
    if row.screening is not None:
        yield from evidence.from_screening(row.screening, origin)
    if row.reading is not None:
        yield evidence.from_text_model(row.reading, origin)
    if not row.is_taken:
        return
    if row.item.kind == "sos":
        yield evidence.from_sos(BUTTONS[row.item.button], origin)
    if row.item.kind == "emotion" and row.item.values.get("label") and _is_live(row, sessions):
        yield evidence.from_emotion(row.item.values["label"], row.item.values["confidence"], origin)
    if row.item.kind == "voice_features" and _is_live(row, sessions):
        gap = gap_of(row.item.values)
        told = evidence.from_dissonance(gap, origin) if gap is not None else None
        if told is not None:
            yield told


def origin_of(row: Sorted, sessions: Sessions, at: datetime) -> Origin:
    """Return where and when an item was observed; the day is the person's own.

    A telephone whose clock runs ahead must not put its words into a future that the engine can't see yet.
    """
    key = session_key(row)
    session = sessions.get(key) if key is not None else None
    return Origin(
        source_type=_source(row),
        observed_at=min(row.item.moment(), at),
        source_id=row.row_id,
        session_id=session.pk if session is not None else None,
        local_day=_local_day(row),
    )


def _source(row: Sorted) -> str:
    if row.item.kind == "emotion" and row.item.values.get("source") != EmotionSource.VOICE:
        return Source.MESSAGE
    return SOURCES.get(row.item.kind, Source.MESSAGE)


def _local_day(row: Sorted) -> date:
    return row.item.moment().astimezone(ZoneInfo(row.person.zone())).date()


def _is_live(row: Sorted, sessions: Sessions) -> bool:
    key = session_key(row)
    if key is None:
        return True
    session = sessions.get(key)
    return session is not None and session.kind in LIVE_KINDS


def reviews_of(rows: Iterable[Sorted]) -> list[tuple[Sorted, str]]:
    """Return the review items that texts ask for by themselves, whatever the level."""
    return [
        (row, code)
        for row in rows
        if row.person is not None and row.screening is not None and not row.was_evidence
        for code in evidence.reviews_of(row.screening)
    ]
