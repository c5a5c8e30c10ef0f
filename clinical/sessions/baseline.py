"""A voice against the person's own earlier sessions (domain 5.8): median and robust scale; pure numbers.

The nightly baseline, with its versions and its anchor, is another matter and comes with the patterns; this is
the same arithmetic over the sessions before the one that is looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import sqrt
from statistics import median

# Goes up with every change of what the same voices come to: pages name it beside what they say.
VERSION = "1.0"
# How little may vary before it counts as a difference: Hz, dB, syllables per second, shares.
FLOORS = {
    "pitch_mean": 5.0, "pitch_std": 3.0, "pitch_range": 10.0, "energy_mean": 1.5, "energy_std": 0.5,
    "speech_rate": 0.2, "pause_ratio": 0.03, "prosody_variance": 0.05,
}  # fmt: skip
LAST, DAYS_BACK = 60, 180
LEAST_SPEECH = 30.0
PROVISIONAL, ESTABLISHED, LEAST_DAYS, LEAST_SPAN = 3, 8, 5, 7
LEAST_FEATURES, MOST_Z = 4, 5.0


@dataclass(frozen=True, slots=True)
class Sample:
    """One session's scalars, and what decides whether it may stand for the person's usual voice."""

    day: date
    values: Mapping[str, float | None]
    speech_seconds: float | None = None
    signal_ok: bool | None = None
    is_ill: bool | None = None
    is_intoxicated: bool | None = None
    level: str = ""

    @property
    def is_eligible(self) -> bool:
        """Long enough, clear, well and sober, and not at high or critical at the time."""
        return (
            (self.speech_seconds or 0) >= LEAST_SPEECH
            and self.signal_ok is not False
            and not self.is_ill
            and not self.is_intoxicated
            and self.level not in ("high", "critical")
        )


@dataclass(frozen=True, slots=True)
class Feature:
    """One scalar beside what is usual: `z` counts robust scales."""

    name: str
    value: float
    usual: float
    scale: float
    z: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """How far one session lies from the usual; `missing` says how many sessions are still needed."""

    features: tuple[Feature, ...]
    sessions: int
    days: int
    is_established: bool
    missing: int
    deviation: float | None
    dev01: float | None


def scale_of(name: str, values: Sequence[float]) -> float:
    """Return the robust scale of a feature: 1.4826 times the median deviation, never below its floor."""
    middle = median(values)
    return max(1.4826 * median(abs(value - middle) for value in values), FLOORS[name])


def compare(today: Mapping[str, float | None], earlier: Sequence[Sample]) -> Comparison:
    """Compare a session's scalars with the eligible earlier sessions, newest first in `earlier`."""
    usable = [one for one in earlier if one.is_eligible][:LAST]
    days = {one.day for one in usable}
    span = (max(days) - min(days)).days if days else 0
    established = len(usable) >= ESTABLISHED and len(days) >= LEAST_DAYS and span >= LEAST_SPAN
    features = _features(today, usable) if len(usable) >= PROVISIONAL else ()
    deviation = None
    if len(features) >= LEAST_FEATURES:
        deviation = sqrt(sum(min(abs(one.z), MOST_Z) ** 2 for one in features) / len(features))
    return Comparison(
        features=features,
        sessions=len(usable),
        days=len(days),
        is_established=established,
        missing=max(0, PROVISIONAL - len(usable)),
        deviation=deviation,
        dev01=None if deviation is None else min(1.0, max(0.0, (deviation - 1) / 3)),
    )


def _features(today: Mapping[str, float | None], usable: Sequence[Sample]) -> tuple[Feature, ...]:
    found = []
    for name in FLOORS:
        value = today.get(name)
        values = [known for one in usable if (known := one.values.get(name)) is not None]
        if value is None or len(values) < PROVISIONAL:
            continue
        usual, scale = median(values), scale_of(name, values)
        found.append(Feature(name, value, usual, scale, (value - usual) / scale))
    return tuple(found)
