"""The gap between words and voice of each session that a batch adds to (domain 5.7); pure, writes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from crisis.intake.sorting import Sorted
from crisis.intake.storing import Shelf, common
from crisis.risk.dissonance import Dissonance, dissonance
from patients.sessions.records import Batch, FeatureData

VOICE = ("voice_valence", "voice_confidence")
# What the person says they feel speaks for the words; else what the words themselves say.
WORDS = (("stated_valence", "stated_confidence"), ("text_valence", "text_confidence"))
# What a session must have kept of earlier items, and the gap that was told of it last.
KEPT = (
    *VOICE, "voice_emotion", *WORDS[0], *WORDS[1], "deflection_codes", "dissonance_score", "dissonance_type",
)  # fmt: skip
SPEAKING = frozenset({"voice_features", "transcript", "message"})
Values = Mapping[str, Any]


def gap_of(values: Values) -> Dissonance | None:
    """Return the gap of one session, or None while one side of it hasn't come."""
    words = next((pair for pair in WORDS if _has(values, pair)), None)
    if words is None or not _has(values, VOICE):
        return None
    return dissonance(
        stated_valence=values[words[0]], stated_confidence=values[words[1]],
        voice_valence=values["voice_valence"], voice_confidence=values["voice_confidence"],
        voice_emotion=values.get("voice_emotion") or "", deflection=bool(values.get("deflection_codes")),
    )  # fmt: skip


def note_gaps(rows: Iterable[Sorted], batch: Batch, shelf: Shelf, kept: Mapping[UUID, Values]) -> None:
    """Add to the batch the gap of each session that it changes, and mark the row that completed it.

    Words, voice and deflections may come in several items and batches; `kept` is what sessions have of KEPT.
    Of whoever took back the consent to it, a voice that is kept is compared with nothing new (7.1).
    """
    sessions = _joined(batch.features, kept)
    last = {shelf.maybe_session(row): row for row in rows if row.item.kind in SPEAKING}
    for row in last.values():
        row.gap = None
    for session_id, values in sessions.items():
        row = last[session_id]
        gap = gap_of(values) if row.may_hear else None
        if gap is None or _is_told(gap, kept.get(session_id, {})):
            continue
        row.gap = gap
        found = {"dissonance_score": gap.score, "dissonance_gap": gap.gap, "dissonance_type": gap.type}
        batch.features.append(FeatureData(
            **common(row, shelf.at), session_id=session_id, observed_at=row.item.moment(), values=found
        ))  # fmt: skip


def _joined(features: Iterable[FeatureData], kept: Mapping[UUID, Values]) -> dict[UUID, dict[str, Any]]:
    """What each session of the batch has once its rows are written: later values win, lists are joined."""
    found: dict[UUID, dict[str, Any]] = {}
    for data in features:
        values = found.setdefault(data.session_id, dict(kept.get(data.session_id, {})))
        for name, value in data.values.items():
            if name == "deflection_codes":
                values[name] = [*(values.get(name) or ()), *value]
            elif value is not None:
                values[name] = value
    return found


def _has(values: Values, names: Iterable[str]) -> bool:
    return all(values.get(name) is not None for name in names)


def _is_told(gap: Dissonance, kept: Values) -> bool:
    return (gap.score, gap.type) == (kept.get("dissonance_score"), kept.get("dissonance_type"))
