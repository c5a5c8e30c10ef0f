"""What sorted items tell the risk engine: coded evidence of words, emotions, voices and buttons; pure."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from crisis.intake.sorting import Sorted
from crisis.intake.storing import SessionKey, session_key
from crisis.risk import codes, evidence
from crisis.risk.evidence import Draft, Origin
from crisis.risk.types import Kind, Source
from patients.codes import EmotionSource, SessionKind
from patients.registry.queries import local_day
from patients.sessions.severity import is_flagged

SOURCES = {
    "message": Source.MESSAGE, "transcript": Source.TRANSCRIPT, "checkin": Source.CHECK_IN, "sos": Source.SOS,
    "activity": Source.ACTIVITY, "feedback": Source.FEEDBACK, "emotion": Source.VOICE,
    "voice_features": Source.VOICE,
}  # fmt: skip
# Domain 1.4: therapy and self-guided sessions never feed the engine with voice, emotion or dissonance.
LIVE_KINDS = frozenset({SessionKind.VOICE_CHECKIN, SessionKind.CHAT, SessionKind.CRISIS_CONTACT})
BUTTONS = {"talk": "talk_to_person", "in_danger": "in_danger"}

ALONE: dict[str, tuple[str, tuple[Kind, ...]]] = {
    codes.ATTEMPT_NOW: ("H2", (Kind.SELF_HARM, Kind.MEDICAL)),
    codes.text_code("A"): ("H1", (Kind.SELF_HARM,)),
    codes.HARM_TO_OTHERS: ("H9", (Kind.HARM_TO_OTHERS,)),
}

Sessions = Mapping[SessionKey, Any]
Entry = tuple[str, str]
log = logging.getLogger("cortex.intake")


def drafts_of(
    rows: Iterable[Sorted], sessions: Sessions, at: datetime, told: Mapping[UUID, Collection[Entry]]
) -> dict[UUID, list[Draft]]:
    """Return the evidence of a batch by patient; what was evidence at an earlier try isn't told twice.

    `told` is what the ledger already has of items whose id can't say whether their words were told.
    """
    found: dict[UUID, list[Draft]] = {}
    for row in rows:
        if row.person is None:
            continue
        try:
            drafts = list(_drafts(row, origin_of(row, sessions, at), sessions))
        except Exception as error:
            # An item that can't be told to the ledger must reach a human, and must cost no other.
            log.error("evidence not made", exc_info=error)
            row.is_unscreened = True
            continue
        known = told.get(row.told_id, ()) if row.is_uncertain else ()
        drafts = [draft for draft in drafts if entry_of(draft) not in known]
        if drafts:
            found.setdefault(row.person.pk, []).extend(drafts)
            row.gave_evidence = any(tells_something(draft) for draft in drafts)
    return found


def entry_of(draft: Draft) -> Entry:
    """Return what tells one draft of an item from another."""
    return draft.item.code, draft.lexicon_entry


def tells_something(draft: Draft) -> bool:
    """Whether the engine should look: a deflection or a phrase taken back is context only."""
    return draft.item.domain != "context"


def _drafts(row: Sorted, origin: Origin, sessions: Sessions) -> Iterator[Draft]:
    if row.screening is not None and not row.is_repeat:
        yield from evidence.from_screening(row.screening, origin)
    if not row.is_taken:
        return
    if row.reading is not None:
        yield evidence.from_text_model(row.reading, origin)
    for shadow in row.shadows:
        yield from evidence.from_shadow(shadow, origin)
    if row.item.kind == "sos":
        yield evidence.from_sos(BUTTONS[row.item.button], origin)
    if row.item.kind == "emotion" and row.item.values.get("label") and _is_live(row, sessions):
        yield evidence.from_emotion(row.item.values["label"], row.item.values["confidence"], origin)
    if row.gap is not None and _is_live(row, sessions):
        of_session = replace(origin, source_type=Source.VOICE, source_id=origin.session_id)
        told = evidence.from_dissonance(row.gap, of_session)
        if told is not None:
            yield told


def certain(drafts: Iterable[Draft]) -> list[tuple[Kind, str]]:
    """Return the kinds of alert that are critical by a rule that stands alone, each with its rule (4.3)."""
    codes_told = {draft.item.code for draft in drafts}
    rules = [rule for code, rule in ALONE.items() if code in codes_told]
    found: dict[Kind, str] = {}
    for rule, kinds in rules:
        for kind in kinds:
            found.setdefault(kind, rule)
    return list(found.items())


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
        local_day=local_day(row.person, row.item.moment()),
    )


def _source(row: Sorted) -> str:
    if row.item.kind == "emotion" and row.item.values.get("source") != EmotionSource.VOICE:
        return Source.MESSAGE
    return SOURCES.get(row.item.kind, Source.MESSAGE)


def _is_live(row: Sorted, sessions: Sessions) -> bool:
    """Whether it is of a live session; of a message whose session nobody knows, it is."""
    key = session_key(row)
    if key is None:
        return not row.said_in or row.said_in in LIVE_KINDS
    session = sessions.get(key)
    return session is not None and session.kind in LIVE_KINDS


def reviews_of(rows: Iterable[Sorted]) -> list[tuple[Sorted, str]]:
    """Return the review items that words and emotions ask for by themselves, whatever the level."""
    return [(row, code) for row in rows if row.person is not None for code in _reviews(row)]


def _reviews(row: Sorted) -> Iterator[str]:
    if row.screening is not None and not row.is_repeat:
        yield from evidence.reviews_of(row.screening)
    if row.item.kind == "emotion" and row.is_taken and _is_flagged(row.item.values):
        yield "emotion_flagged"


def _is_flagged(values: Mapping[str, Any]) -> bool:
    """Domain 1.3: severe markers or hopelessness go to the review queue, with or without a label."""
    return is_flagged(values.get("clinical_markers"), values.get("label", ""), values["confidence"])
