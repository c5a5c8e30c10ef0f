"""The gap between what is said and how it sounds (domain 5.7); storing it is the observer's work."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .policy import POLICY, Policy

LOW_VOICES = frozenset({"hopeless", "resigned", "numb"})


@dataclass(frozen=True, slots=True)
class Dissonance:
    """One session's gap; `score` and `gap` are None where either side is too uncertain to say."""

    type: str
    gap: float | None
    score: float | None
    band: str
    masked_hopelessness: bool
    risk_interpretation: str


def dissonance(
    *,
    stated_valence: float,
    stated_confidence: float,
    voice_valence: float,
    voice_confidence: float,
    voice_emotion: str = "",
    deflection: bool = False,
    policy: Policy = POLICY,
) -> Dissonance:
    """Compare words and voice: valences in -1..1, confidences in 0..1, `deflection` counted, no courtesy."""
    if min(stated_confidence, voice_confidence) < policy.gap_min_confidence:
        return Dissonance("unknown", None, None, "unknown", False, "not_enough_confidence")
    gap = stated_valence - voice_valence
    kind = _kind(round(gap, 9), policy)
    score = min(1.0, abs(gap) / policy.gap_full) * math.sqrt(stated_confidence * voice_confidence)
    if kind == "concealment" and deflection:
        score = min(1.0, score + policy.gap_deflection_bonus)
    band = next((name for least, name in policy.gap_bands if score >= least), "none")
    masked = kind == "concealment" and band != "none" and voice_emotion in LOW_VOICES
    return Dissonance(kind, round(gap, 4), round(score, 4), band, masked, _meaning(kind, band, masked))


def _kind(gap: float, policy: Policy) -> str:
    if gap >= policy.gap_threshold:
        return "concealment"
    return "amplification" if gap <= -policy.gap_threshold else "congruent"


def _meaning(kind: str, band: str, masked: bool) -> str:
    if masked:
        return "masked_hopelessness"
    if kind == "congruent" or band == "none":
        return "words_and_voice_agree"
    return "voice_heavier_than_words" if kind == "concealment" else "words_heavier_than_voice"
