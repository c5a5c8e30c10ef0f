"""Clinical severity of an emotion by the numbers of source 003."""

from __future__ import annotations

import pytest

from patients.sessions.severity import clinical_severity, is_flagged, severity_band

BANDS = [
    ({}, ""), ({"anxiety": 0.29}, "minimal"), ({"anxiety": 0.3}, "mild"), ({"depression": 0.5}, "moderate"),
    ({"hopelessness": 0.69}, "moderate"), ({"hopelessness": 0.7, "anxiety": 0.1}, "severe"),
    ({"energy": 0.9}, ""),
]  # fmt: skip


@pytest.mark.parametrize(("markers", "band"), BANDS)
def test_the_highest_marker_gives_the_band(markers: dict[str, float], band: str) -> None:
    assert severity_band(markers) == band


FLAGS = [
    ({"anxiety": 0.7}, "sad", 0.1, True), ({"hopelessness": 0.6}, "sad", 0.1, True),
    ({"hopelessness": 0.59}, "sad", 1.0, False), (None, "hopeless", 0.7, True),
    (None, "hopeless", 0.69, False), (None, "resigned", 1.0, False),
]  # fmt: skip


@pytest.mark.parametrize(("markers", "label", "confidence", "flagged"), FLAGS)
def test_severe_markers_and_confident_hopelessness_are_flagged(
    markers: dict[str, float] | None, label: str, confidence: float, flagged: bool
) -> None:
    assert is_flagged(markers, label, confidence) is flagged


def test_no_markers_have_no_severity() -> None:
    assert clinical_severity(None) is None
