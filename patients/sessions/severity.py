"""How severe something is: an emotion by its markers (domain 1.3, from source 003), a side effect; pure."""

from __future__ import annotations

from collections.abc import Mapping

MARKERS = ("anxiety", "depression", "hopelessness")
BANDS = ((0.30, "minimal"), (0.50, "mild"), (0.70, "moderate"))
FLAG_SEVERITY = 0.70
FLAG_HOPELESSNESS = 0.60
FLAG_CONFIDENCE = 0.70
# What may be said of a side effect of neural audio, the mildest first.
EFFECT_SEVERITIES = ("none", "mild", "moderate", "severe")


def clinical_severity(markers: Mapping[str, float] | None) -> float | None:
    """Return the highest of anxiety, depression and hopelessness (0-1), or None when none was read."""
    values = [float(markers[name]) for name in MARKERS if name in markers] if markers else []
    return max(values, default=None)


def severity_band(markers: Mapping[str, float] | None) -> str:
    """Return minimal, mild, moderate or severe; empty without markers."""
    severity = clinical_severity(markers)
    if severity is None:
        return ""
    return next((name for below, name in BANDS if severity < below), "severe")


def is_flagged(markers: Mapping[str, float] | None, label: str, confidence: float) -> bool:
    """Whether a person should look at it: severe markers, hopelessness, or a confident label of it."""
    severity = clinical_severity(markers) or 0.0
    hopelessness = float(markers.get("hopelessness", 0.0)) if markers else 0.0
    return (
        severity >= FLAG_SEVERITY
        or hopelessness >= FLAG_HOPELESSNESS
        or (label == "hopeless" and confidence >= FLAG_CONFIDENCE)
    )
