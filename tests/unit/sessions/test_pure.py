"""The pure parts: a voice against its usual, what forbids neural audio, what is proposed, the pictures."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from clinical.sessions.baseline import Sample, compare, scale_of
from clinical.sessions.drawing import Reading, emotions, strip
from clinical.sessions.neural.contraindications import QUESTIONS, reasons_against
from clinical.sessions.neural.proposals import Heard, Proposal, Standing, band_of, norm, proposals, worst_of
from clinical.sessions.showing import effects_of
from patients.sessions.neural import USUAL_HZ
from patients.sessions.severity import is_flagged, severity_band

AT = datetime(2026, 11, 1, 9, tzinfo=UTC)
DAY = date(2026, 11, 1)
# Worked examples X14 and X15 of the domain.
HISTORY = {
    "pitch_mean": [182, 190, 178, 186, 184, 220, 181, 188, 185],
    "energy_mean": [-22, -19, -24.5, -25, -22, -18, -23.5, -20.5, -21],
    "speech_rate": [4.2, 3.8, 4.6, 4.1, 4.5, 4.2, 3.9, 4.8, 4.4],
    "pause_ratio": [0.18, 0.20, 0.17, 0.19, 0.18, 0.21, 0.16, 0.18, 0.19],
    "prosody_variance": [0.40, 0.42, 0.38, 0.41, 0.39, 0.43, 0.40, 0.37, 0.41],
}
TODAY = {
    "pitch_mean": 170,
    "energy_mean": -27,
    "speech_rate": 3.4,
    "pause_ratio": 0.31,
    "prosody_variance": 0.25,
}


def samples(count: int = 9, **more: object) -> list[Sample]:
    return [
        Sample(
            DAY - timedelta(days=number),
            {name: float(values[number]) for name, values in HISTORY.items()},
            speech_seconds=60,
            **more,  # type: ignore[arg-type]
        )
        for number in range(count)
    ]  # fmt: skip


def test_x14_and_x15_a_voice_far_from_its_usual() -> None:
    found = compare(TODAY, samples())
    by_name = {one.name: one for one in found.features}
    scales = [round(by_name[name].scale, 4) for name in HISTORY]
    assert scales == [5.0, 2.2239, 0.4448, 0.03, 0.05]
    assert [round(by_name[name].z, 3) for name in HISTORY] == [-3.0, -2.248, -1.799, 4.333, -3.0]
    assert found.deviation == pytest.approx(3.002, abs=1e-3)
    assert found.dev01 == pytest.approx(0.667, abs=1e-3)
    assert (found.is_established, found.sessions, found.missing) == (True, 9, 0)
    assert scale_of("pitch_mean", HISTORY["pitch_mean"]) == 5.0


@pytest.mark.parametrize(
    ("count", "missing", "established"), [(0, 3, False), (2, 1, False), (3, 0, False), (8, 0, True)]
)
def test_too_few_earlier_voices_say_how_many_are_missing(count: int, missing: int, established: bool) -> None:
    found = compare(TODAY, samples(count))
    assert (found.missing, found.is_established) == (missing, established)
    assert bool(found.features) == (missing == 0)


@pytest.mark.parametrize(
    "more",
    [
        {"signal_ok": False},
        {"is_ill": True},
        {"is_intoxicated": True},
        {"level": "high"},
        {"level": "critical"},
    ],
)
def test_an_unclear_voice_or_one_of_a_bad_time_is_nobody_s_usual(more: dict[str, object]) -> None:
    assert compare(TODAY, samples(**more)).sessions == 0


def test_fewer_than_four_features_give_no_deviation() -> None:
    found = compare({"pitch_mean": 170.0, "energy_mean": -27.0}, samples())
    assert len(found.features) == 2
    assert found.deviation is None


NO = dict.fromkeys(QUESTIONS, "no")


@pytest.mark.parametrize("key", list(QUESTIONS))
@pytest.mark.parametrize("answer", ["yes", "unknown"])
def test_each_yes_and_each_unknown_forbids_neural_audio(key: str, answer: str) -> None:
    (reason,) = reasons_against(NO | {key: answer})
    assert reason.startswith(QUESTIONS[key])


def test_five_times_no_forbids_nothing_and_a_factor_on_record_outweighs_a_no() -> None:
    assert reasons_against(NO) == []
    assert reasons_against(NO, {"RF_DX_PSYCHOSIS", "RF_NSSI"}) == [
        "Psychosis, now or in the past: on record as a risk factor."
    ]
    assert len(reasons_against(None)) == 5


STANDING = Standing(bounds=USUAL_HZ, volume_level=50, sensitivity_level=5)


def heard(
    count: int, effectiveness: float | None = None, effect: str = "", band: str = "alpha"
) -> list[Heard]:
    return [Heard(band, AT - timedelta(days=number), effectiveness, effect) for number in range(count)]


def brief(found: list[Proposal]) -> list[tuple[str, str, float | None, str, int]]:
    return [(one.field, one.band, one.to_value, one.reason, one.evidence_n) for one in found]


LESS = [("paused_bands", "alpha", None), ("volume_level", "alpha", 40), ("sensitivity_level", "alpha", 4)]


@pytest.mark.parametrize(
    ("sessions", "expected"),
    [
        (heard(2, 0.9), []),
        (heard(3, 0.74), []),
        (heard(3, 0.75), [("preferred_hz", "alpha", 10.5, "effective", 3)]),
        (heard(3, 0.9, band="gamma"), [("preferred_hz", "gamma", 65.0, "effective", 3)]),
        (heard(2, 0.2), []),
        (heard(3, 0.36), []),
        (heard(3, 0.35), [(*one, "ineffective", 3) for one in LESS]),
        (heard(1, None, "mild"), []),
        (heard(1, None, "moderate"), [(*one, "side_effect", 1) for one in LESS]),
        (heard(3, 1.0) + heard(1, None, "severe"), [(*one, "side_effect", 1) for one in LESS]),
        (heard(3, None), []),
        (heard(3, 0.9, band=""), []),
    ],
)  # fmt: skip
def test_the_rules_propose_what_domain_6_says(
    sessions: list[Heard], expected: list[tuple[object, ...]]
) -> None:
    assert brief(proposals(STANDING, sessions)) == expected


def test_nothing_is_proposed_that_stands_already_or_below_the_lowest() -> None:
    paused = Standing(bounds=USUAL_HZ, volume_level=50, sensitivity_level=5, paused_bands=("alpha",))
    assert proposals(paused, heard(3, 0.1) + heard(3, 0.9)) == []
    there = Standing(bounds=USUAL_HZ, volume_level=50, sensitivity_level=5, preferred_hz=10.5)
    assert proposals(there, heard(3, 0.9)) == []
    lowest = Standing(bounds=USUAL_HZ, volume_level=0, sensitivity_level=1)
    assert [one.field for one in proposals(lowest, heard(3, 0.1))] == ["paused_bands"]


@pytest.mark.parametrize(
    ("effect", "worst"),
    [({"headache": "moderate", "nausea": "mild"}, "moderate"),
     ([{"code": "dizzy", "severity": "severe"}], "severe"),
     ("mild", "mild"), ("my head hurts", ""), (None, ""), ([], ""), ({"count": 3}, "")],
)  # fmt: skip
def test_the_worst_severity_is_read_from_every_shape_and_never_guessed(effect: object, worst: str) -> None:
    assert worst_of(effect) == worst


@pytest.mark.parametrize(
    ("hz", "band"),
    [(0.5, "delta"), (4.0, "theta"), (10, "alpha"), (13, ""), (40, "gamma"), (None, ""), (0.1, "")],
)
def test_a_frequency_falls_into_one_band_or_none(hz: float | None, band: str) -> None:
    assert band_of(hz, USUAL_HZ) == band
    assert norm(7, 10) == pytest.approx(0.6667, abs=1e-3)
    assert norm(4, 5) == 0.75


@pytest.mark.parametrize(
    ("markers", "label", "confidence", "band", "flagged"),
    [
        (None, "sad", 0.9, "", False),
        ({"anxiety": 0.29}, "sad", 0.9, "minimal", False),
        ({"anxiety": 0.30, "depression": 0.1}, "sad", 0.9, "mild", False),
        ({"depression": 0.50}, "sad", 0.9, "moderate", False),
        ({"depression": 0.69}, "sad", 0.9, "moderate", False),
        ({"depression": 0.70}, "sad", 0.9, "severe", True),
        ({"hopelessness": 0.60}, "sad", 0.2, "moderate", True),
        ({"hopelessness": 0.59}, "sad", 0.9, "moderate", False),
        (None, "hopeless", 0.70, "", True),
        (None, "hopeless", 0.69, "", False),
    ],
)  # fmt: skip
def test_severity_has_its_bands_and_flags_what_a_person_should_see(
    markers: dict[str, float] | None, label: str, confidence: float, band: str, flagged: bool
) -> None:
    assert severity_band(markers) == band
    assert is_flagged(markers, label, confidence) is flagged


def test_the_line_has_a_gap_where_nothing_was_read_and_leaves_uncertain_readings_out() -> None:
    def at(seconds: float, confidence: float = 0.8) -> Reading:
        return Reading(seconds, -0.5, confidence, "voice", "sad", confidence > 0.85)

    drawn = emotions([at(0), at(60), at(1800), at(1860), at(1900, 0.3), at(1920, 0.9)], "sad throughout")
    path = drawn.split('class="ln s1" d="')[1].split('"')[0]
    assert (path.count("M"), path.count("L")) == (2, 3)
    assert drawn.count('class="bar') == 6
    assert drawn.count("hollow") == 1
    assert drawn.count("ring-flag") == 1
    assert emotions([], "") == ""
    assert "50%" in emotions([at(5)], "one")
    said = [(-0.5, "0:00"), (-61, "-1:01"), (125.9, "2:05")]
    assert all(f">{words} min<" in emotions([at(when)], "one") for when, words in said)


def test_a_value_far_from_usual_is_a_diamond_and_stays_within_the_picture() -> None:
    assert "circle" in strip(1.9)
    assert "path" in strip(-2.0)
    assert 'x="96%"' in strip(11)


@pytest.mark.parametrize(
    ("effect", "lines"),
    [({"head_ache": "mild"}, ["head ache: mild"]), ([{"code": "dizzy", "severity": "mild"}], ["dizzy, mild"]),
     (["tired", "calm"], ["tired", "calm"]), (None, [])],
)  # fmt: skip
def test_effects_are_shown_whatever_shape_they_came_in(effect: object, lines: list[str]) -> None:
    assert effects_of(effect) == lines
