"""Every number of the risk policy in one versioned table; formulas live in their own modules.

All of it is product policy (domain 4); before real people a named clinical safety officer signs it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

ENGINE_VERSION = "1.4.0"


def _table(**rows: float) -> Mapping[str, float]:
    return MappingProxyType(rows)


def _by_number(rows: dict[int, float]) -> Mapping[int, float]:
    return MappingProxyType(rows)


@dataclass(frozen=True, slots=True)
class Fade:
    """A weight of 1 up to `full_days`, then a straight line down to 0 at `zero_days`."""

    full_days: float
    zero_days: float

    def at(self, age_days: float) -> float:
        """The weight (0 to 1) of something that is `age_days` old; the future counts as now."""
        if age_days <= self.full_days:
            return 1.0
        return max(0.0, (self.zero_days - age_days) / (self.zero_days - self.full_days))


@dataclass(frozen=True)
class Policy:
    """Weights, windows, caps and cuts of the engine, the hysteresis and the alert desk."""

    # Levels (4.2)
    cuts: Mapping[str, float] = field(default_factory=lambda: _table(medium=0.30, high=0.55, critical=0.80))

    # Text (4.1)
    tiers: Mapping[str, float] = field(
        default_factory=lambda: _table(A=0.90, B=0.65, V=0.50, SH=0.45, C=0.40, D=0.25)
    )
    text_full_hours: float = 72.0
    text_half_days: float = 7.0
    text_half_weight: float = 0.5
    model_max: float = 0.50
    model_needs_other: float = 0.20

    # Behaviour (4.1)
    dissonance_weight: float = 0.35
    dissonance_min: float = 0.30
    emotion_weight: float = 0.40
    emotion_full_share: float = 0.5
    emotion_half_life_days: float = 3.0
    emotion_min_observations: int = 2
    emotion_min_confidence: float = 0.40
    emotion_severity: Mapping[str, float] = field(
        default_factory=lambda: _table(EMO_HOPELESS=1.0, EMO_RESIGNED=0.8, EMO_NUMB=0.8)
    )
    behaviour_days: float = 7.0
    trajectory_weight: Mapping[str, float] = field(
        default_factory=lambda: _table(TRAJECTORY_DECLINING=0.25, TRAJECTORY_VOLATILE=0.15)
    )
    baseline_weight: float = 0.25
    baseline_start: float = 1.0
    baseline_span: float = 3.0
    baseline_provisional: float = 0.5

    # Measures (4.1)
    item9: Mapping[int, float] = field(default_factory=lambda: _by_number({1: 0.25, 2: 0.45, 3: 0.60}))
    phq_totals: tuple[tuple[int, float], ...] = ((20, 0.20), (15, 0.12))
    phq_fade: Fade = Fade(14, 42)
    cssrs: Mapping[str, float] = field(default_factory=lambda: _table(low=0.35, moderate=0.60, high=0.85))
    cssrs_fade: Fade = Fade(7, 30)

    # What is known about the person (4.1)
    history: Mapping[str, float] = field(
        default_factory=lambda: _table(
            RF_ATTEMPT_3M=0.45,
            RF_ATTEMPT_12M=0.30,
            RF_INPATIENT_30D=0.25,
            RF_ATTEMPT_LIFETIME=0.20,
            RF_NSSI=0.10,
        )
    )
    attempt_recent_days: float = 91.0
    attempt_year_days: float = 365.0
    inpatient_days: float = 30.0
    stressor_each: float = 0.07
    stressor_max: float = 0.20
    stressor_days: float = 30.0
    disengaged: float = 0.15
    disengaged_days: float = 30.0

    # Protective factors (4.2)
    protective: Mapping[str, float] = field(
        default_factory=lambda: _table(
            PF_MEANS_SAFE=0.06,
            PF_REASONS_LIVING=0.05,
            PF_SOCIAL_SUPPORT=0.05,
            PF_ENGAGED_CARE=0.05,
            PF_SAFETY_PLAN=0.04,
            PF_DEPENDANTS=0.03,
            PF_FAITH_CULTURE=0.03,
        )
    )
    protective_max: float = 0.20
    protective_days: float = 90.0

    # Caps (4.2)
    cap_behaviour: float = 0.54
    cap_behaviour_sustained: float = 0.70
    cap_indirect: float = 0.79
    cap_model: float = 0.54
    sustained_sessions: int = 2
    sustained_days: int = 2
    sustained_contribution: float = 0.20

    # Rules (4.3)
    rule_window_days: float = 7.0
    masked_min: float = 0.60
    means_window_days: float = 30.0
    clinician_lower_days: float = 7.0

    # What should be known (4.4)
    cssrs_missing_days: float = 30.0
    phq_missing_days: float = 42.0

    # Hysteresis (4.5)
    down_margin: float = 0.05
    down_gap_hours: float = 6.0
    down_stay_hours: float = 24.0

    # Alert desk (4.5)
    renotify_step: float = 0.10
    stale_level_hours: float = 24.0

    # Dissonance (5.7)
    gap_threshold: float = 0.4
    gap_full: float = 1.2
    gap_deflection_bonus: float = 0.10
    gap_min_confidence: float = 0.40
    gap_bands: tuple[tuple[float, str], ...] = ((0.60, "high"), (0.30, "moderate"))

    # Language (4.6)
    language_min_confidence: float = 0.60
    courtesy_turns: int = 2


POLICY = Policy()
