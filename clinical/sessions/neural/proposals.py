"""What the rules of domain 6 propose to change of a neural profile; pure, and a clinician decides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from patients.sessions.severity import EFFECT_SEVERITIES

LEAST_SESSIONS = 3
HELPED, DID_NOT_HELP = 0.75, 0.35
# [P] how far one proposal turns down.
VOLUME_STEP, SENSITIVITY_STEP = 10, 1
LOWEST_VOLUME, LOWEST_SENSITIVITY = 0, 1
HARMFUL = frozenset(EFFECT_SEVERITIES[2:])
FIELD_WORDS = {
    "preferred_hz": "Preferred frequency",
    "volume_level": "Volume",
    "sensitivity_level": "Sensitivity",
    "paused_bands": "Pause the band",
}


@dataclass(frozen=True, slots=True)
class Heard:
    """One neural-audio session: the band that it aimed at, and what was noted and said of it."""

    band: str
    at: datetime
    effectiveness: float | None = None
    worst_effect: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """What of the profile the rules look at; `bounds` are Hz by band."""

    bounds: Mapping[str, tuple[float, float]]
    volume_level: int
    sensitivity_level: int
    preferred_hz: float | None = None
    paused_bands: Sequence[str] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Proposal:
    """One change of one field, with the rule and how many sessions say so."""

    field: str
    band: str
    from_value: float | None
    to_value: float | None
    reason: str
    evidence_n: int
    newest_at: datetime


def norm(raw: int, scale: int) -> float:
    """Return an answer as 0-1 whatever scale it was asked on (domain K4)."""
    return (raw - 1) / (scale - 1)


def band_of(hz: float | None, bounds: Mapping[str, tuple[float, float]]) -> str:
    """Return the band that a frequency falls into, or "" when it falls into none; the lower bound counts."""
    if hz is None:
        return ""
    return next((name for name, (low, high) in bounds.items() if low <= hz < high), "")


def worst_of(*effects: Any) -> str:
    """Return the worst severity that effects name, or "".

    Effects come as {code: severity}, as a list of {code, severity}, or nested; words that are no severity
    say nothing, since guessing one would be worse than a person reading it.
    """
    found = [one for effect in effects for one in _severities(effect)]
    return max(found, key=EFFECT_SEVERITIES.index, default="")


def _severities(effect: Any) -> Iterable[str]:
    if isinstance(effect, str):
        word = effect.strip().lower()
        return [word] if word in EFFECT_SEVERITIES else []
    if isinstance(effect, Mapping):
        effect = list(effect.values())
    if isinstance(effect, Sequence):
        return [one for part in effect for one in _severities(part)]
    return []


def proposals(standing: Standing, heard: Iterable[Heard]) -> list[Proposal]:
    """Return what the sessions propose, band by band; nothing that stands already.

    Three sessions that helped propose the band's centre; three that did not, or one side effect of moderate
    severity or worse, propose less volume, less sensitivity, and a pause of the band.
    """
    by_band: dict[str, list[Heard]] = {}
    for one in heard:
        if one.band:
            by_band.setdefault(one.band, []).append(one)
    found: list[Proposal] = []
    for band, sessions in by_band.items():
        harmed = [one for one in sessions if one.worst_effect in HARMFUL]
        useless = [one for one in sessions if _is(one, most=DID_NOT_HELP)]
        if harmed:
            found += _less(standing, band, harmed, "side_effect")
        elif len(useless) >= LEAST_SESSIONS:
            found += _less(standing, band, useless, "ineffective")
        else:
            found += _more(standing, band, [one for one in sessions if _is(one, least=HELPED)])
    return found


def _is(one: Heard, *, least: float = 0.0, most: float = 1.0) -> bool:
    return one.effectiveness is not None and least <= one.effectiveness <= most


def _more(standing: Standing, band: str, helped: list[Heard]) -> list[Proposal]:
    low, high = standing.bounds[band]
    centre = round((low + high) / 2, 2)
    if len(helped) < LEAST_SESSIONS or standing.preferred_hz == centre or band in standing.paused_bands:
        return []
    return [_made("preferred_hz", band, standing.preferred_hz, centre, helped, "effective")]


def _less(standing: Standing, band: str, said: list[Heard], reason: str) -> list[Proposal]:
    if band in standing.paused_bands:
        return []
    volume = max(LOWEST_VOLUME, standing.volume_level - VOLUME_STEP)
    sensitivity = max(LOWEST_SENSITIVITY, standing.sensitivity_level - SENSITIVITY_STEP)
    found = [_made("paused_bands", band, None, None, said, reason)]
    if volume < standing.volume_level:
        found.append(_made("volume_level", band, standing.volume_level, volume, said, reason))
    if sensitivity < standing.sensitivity_level:
        before = standing.sensitivity_level
        found.append(_made("sensitivity_level", band, before, sensitivity, said, reason))
    return found


def _made(
    name: str, band: str, before: float | None, after: float | None, said: list[Heard], reason: str
) -> Proposal:
    return Proposal(name, band, before, after, reason, len(said), max(one.at for one in said))


def proposal_words(row: Any) -> str:
    """Return in words what a proposal on record would change."""
    words = f"{FIELD_WORDS[row.field].lower()} ({row.get_band_display().lower()})"
    if row.to_value is None:
        return words
    before = f"{row.from_value:g} to " if row.from_value is not None else ""
    return f"{words}, {before}{row.to_value:g}"
