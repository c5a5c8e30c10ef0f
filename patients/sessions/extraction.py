"""Which coded scalars of the full voice features outlive them; pure, and never text."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from patients.sessions.models import PROSODY

FLAGS = ("signal_ok", "is_ill", "is_intoxicated")
SECONDS = "speech_seconds"
DAY_SECONDS = 86_400


def scalars(features: Mapping[str, Any] | None) -> dict[str, float | bool]:
    """Return the prosodic scalars, seconds of speech and flags that `features` holds and that are sane."""
    if not features:
        return {}
    found: dict[str, float | bool] = {}
    for name in (*PROSODY, SECONDS):
        value = features.get(name)
        if _is_number(value) and _is_sane(name, float(value)):  # type: ignore[arg-type]
            found[name] = float(value)  # type: ignore[arg-type]
    found |= {name: features[name] for name in FLAGS if isinstance(features.get(name), bool)}
    return found


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_sane(name: str, value: float) -> bool:
    if name == "pause_ratio":
        return 0 <= value <= 1
    return name != SECONDS or 0 <= value <= DAY_SECONDS
