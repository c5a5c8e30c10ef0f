"""Scores and change by domain 2.1, held against worked examples that were computed apart from us."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from clinical.assessments.definitions import packaged
from clinical.assessments.drawing import Mark, legend, measure
from clinical.assessments.episodes import Episode
from clinical.assessments.expected import expected_total, track
from clinical.assessments.queries import Course, Point
from clinical.assessments.scoring import change, score, syndrome
from clinical.assessments.wording import change_words, flag_words

EXAMPLES: dict[str, Any] = json.loads((Path(__file__).parent / "examples.json").read_text())
PHQ9, GAD7, WHO5, CSSRS = (packaged()[key] for key in ("phq9", "gad7", "who5", "cssrs"))


def answers(*values: int | None) -> dict[str, int | None]:
    return {f"q{number}": value for number, value in enumerate(values, 1)}


X22 = {
    "I1": answers(2, 3, 2, 2, 1, 2, 1, 1, 1),
    "I2": answers(2, 3, None, 2, 1, 2, 1, 1, 0),
    "I2b": answers(2, None, None, None, 1, 2, 1, 1, 0),
    "I2c": answers(1, 1, 1, 1, 1, 1, 1, 1, None),
}


@pytest.mark.parametrize("row", sorted(EXAMPLES["X22"]))
def test_a_phq9_is_scored_prorated_or_refused_as_worked_out(row: str) -> None:
    found, expected = score(PHQ9, X22[row]), EXAMPLES["X22"][row]
    assert found.is_valid == expected["valid"]
    if not expected["valid"]:
        assert (found.total, found.band) == (None, "")
        return
    assert (found.total, found.band, found.prorated) == (
        expected["total"], expected["band"], expected["prorated"],
    )  # fmt: skip
    assert ("item9_missing" in found.flags) == expected["item9_missing"]
    assert ("item9_endorsed" in found.flags) == bool(expected["item9"])
    if "alg" in expected:
        assert syndrome(X22[row]) == expected["alg"]


X23 = {"I3": (PHQ9, 18, 8), "I3b": (PHQ9, 18, 13), "I3c": (PHQ9, 14, 4), "I3d": (GAD7, 12, 7)}


@pytest.mark.parametrize("row", sorted(EXAMPLES["X23"]))
def test_change_means_what_was_worked_out(row: str) -> None:
    found, expected = change(*X23[row]), EXAMPLES["X23"][row]
    assert found.points == expected["delta"]
    assert found.share == pytest.approx(expected["pct"])
    assert found.significant == expected["clinically_significant"]
    assert found.reliable == expected["reliable"]
    assert (found.response == "full") == expected["response"]
    assert found.remission == expected["remission"]
    assert found.recovered == expected["recovered"]


X24 = {
    "Ca": {"q1": 1, "q2": 0, "q6_lifetime": 0},
    "Cb": {"q1": 1, "q2": 1, "q3": 1, "q4": 0, "q5": 0, "q6_lifetime": 0},
    "Cc": {"q1": 0, "q2": 0, "q6_lifetime": 1, "q6_3m": 1},
    "Cd": {"q1": 1, "q2": 0, "q6_lifetime": 1, "q6_3m": 1},
    "Ce": {"q1": 0, "q2": 0, "q6_lifetime": 1, "q6_3m": 0},
    "Cf": {"q1": 1, "q2": 1, "q3": 1, "q4": 1, "q5": 0, "q6_lifetime": 0},
}


@pytest.mark.parametrize("row", sorted(EXAMPLES["X24"]))
def test_a_screener_is_triaged_as_worked_out(row: str) -> None:
    found = score(CSSRS, X24[row])
    assert found.band == EXAMPLES["X24"][row][0]
    assert found.is_valid


def test_a_screener_that_was_declined_has_no_band_and_says_so() -> None:
    found = score(CSSRS, {"q1": 0})
    assert (found.band, found.is_valid, found.flags) == ("", False, ("declined",))


def test_gad7_bears_one_missing_answer_and_no_second() -> None:
    assert score(GAD7, answers(2, 2, 2, None, 2, 2, 2)).total == 14
    assert not score(GAD7, answers(2, 2, None, None, 2, 2, 2)).is_valid


def test_who5_counts_up_to_a_hundred_and_a_low_one_is_a_case() -> None:
    found = score(WHO5, answers(5, 5, 5, 5, 5))
    assert (found.total, found.band, found.flags) == (100, "adequate", ())
    low = score(WHO5, answers(2, 2, 2, 2, 2))
    assert (low.total, low.band, low.flags) == (40, "low", ("above_cutoff",))
    assert change(WHO5, 60, 48).is_deterioration
    assert not change(WHO5, 48, 60).is_deterioration


def test_adolescents_have_the_lower_cut_off() -> None:
    nine = answers(1, 1, 1, 1, 1, 1, 1, 1, 1)
    assert "above_cutoff" not in score(PHQ9, nine).flags
    assert "above_cutoff" in score(PHQ9, nine, adolescent=True).flags


@pytest.mark.parametrize("bad", [{"q1": 4}, {"q1": -1}, {"q1": True}, {"q10": 1}, {"q1": 1.5}])
def test_what_the_measure_does_not_have_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"q1|no item"):
        score(PHQ9, bad)


def test_totals_too_close_together_say_that_their_windows_overlap() -> None:
    assert change(PHQ9, 14, 12, days_apart=5).overlaps
    assert not change(PHQ9, 14, 12, days_apart=14).overlaps


def test_who_stays_high_is_off_the_expected_course_and_who_falls_is_on_it() -> None:
    assert expected_total(PHQ9, 20, 0) == 20
    assert expected_total(PHQ9, 20, 56) == 12.5
    assert track(PHQ9, 20, 19, 56).state == "not_on_track"
    assert track(PHQ9, 20, 13, 56).state == "on_track"
    assert track(PHQ9, 12, 17, 7).state == "not_on_track"
    assert track(PHQ9, 20, 3, 56).state == "remission"
    assert track(WHO5, 40, 60, 56).state == "unknown"
    assert track(PHQ9, 3, 3, 56).state == "on_track", "who began below the limit has nothing to remit from"


@pytest.mark.parametrize("definition", packaged().values(), ids=packaged())
def test_the_bands_of_every_instrument_cover_every_total_once(definition: Any) -> None:
    if not definition.bands or definition.scoring != "sum":
        return
    for total in range(definition.highest + 1):
        assert sum(band.least <= total <= band.most for band in definition.bands) == 1, total


def test_who_began_below_the_limit_is_not_said_to_be_in_remission() -> None:
    at = datetime(2026, 5, 1, tzinfo=UTC)
    points = [
        Point(uuid4(), at + timedelta(days=14 * n), total, "", False, ()) for n, total in enumerate((3, 3, 2))
    ]
    assert change_words(Course(PHQ9, points[:2]).since_baseline()) == "no change"
    assert change_words(Course(PHQ9, points).since_last()) == "\N{MINUS SIGN}1, no clear change"
    ill = [replace(points[0], total=18), *points[1:]]
    assert change_words(Course(PHQ9, ill).since_last()) == "\N{MINUS SIGN}1, in remission"


@pytest.mark.parametrize(
    ("totals", "last", "since_baseline"),
    [
        ((6, 16, 8), "\N{MINUS SIGN}8, reliably better", "+2, no clear change"),
        ((9, 12, 6), "\N{MINUS SIGN}6, reliably better", "\N{MINUS SIGN}3, no clear change"),
        ((18, 12, 9), "\N{MINUS SIGN}3, no clear change, response",
         "\N{MINUS SIGN}9, reliably better, response"),
        ((24, 20, 10), "\N{MINUS SIGN}10, reliably better, response",
         "\N{MINUS SIGN}14, reliably better, response"),
        ((18, 5, 9), "+4, no clear change", "\N{MINUS SIGN}9, reliably better, response"),
        ((20, 5, 10), "+5, worse", "\N{MINUS SIGN}10, reliably better, response"),
        ((12, 22, 11), "\N{MINUS SIGN}11, reliably better", "\N{MINUS SIGN}1, no clear change"),
    ],
)  # fmt: skip
def test_a_response_is_one_to_treatment_by_its_baseline_and_not_by_the_time_before(
    totals: tuple[int, ...], last: str, since_baseline: str
) -> None:
    at = datetime(2026, 5, 1, tzinfo=UTC)
    course = Course(
        PHQ9,
        [Point(uuid4(), at + timedelta(days=14 * n), one, "", False, ()) for n, one in enumerate(totals)],
    )
    assert change_words(course.since_last()) == last
    assert change_words(course.since_baseline()) == since_baseline


def test_a_total_that_is_the_baseline_itself_is_no_response_to_anything() -> None:
    """A treatment that begins with it has changed nothing yet, however high somebody was years before."""
    at = datetime(2026, 5, 1, 9, tzinfo=UTC)
    points = [Point(uuid4(), at + timedelta(days=days), total, "", False, ())
              for days, total in ((-300, 24), (0, 11))]  # fmt: skip
    course = Course(PHQ9, points, episode=Episode(at.date(), UTC))
    assert course.baseline is points[1] and course.since_baseline() is None
    assert change_words(course.since_last()) == "\N{MINUS SIGN}13, reliably better"


def test_a_picture_runs_to_now_and_an_alert_s_line_strikes_no_figure() -> None:
    at = datetime(2026, 5, 1, tzinfo=UTC)
    points = [Point(uuid4(), at + timedelta(days=14 * n), 10, "", False, ()) for n in range(2)]
    course, now = Course(PHQ9, points), at + timedelta(days=28)
    marks = [Mark(at, "with the first"), Mark(at + timedelta(days=21), "after the last")]
    drawn = measure(course, "m", "", marks, now=now)
    assert "after the last" in drawn and "29 May 2026" in drawn
    assert "dashed upright: alert" in legend(course, marks[1:], now=now)
    assert [float(one) for one in re.findall(r'<circle class="f1" cx="([\d.]+)%', drawn)] == [3, 50]
    feet = [float(one) for one in re.findall(r'<text class="t-b" x="[\d.]+%" y="([\d.]+)"', drawn)]
    first, second = (
        [tuple(map(float, pair)) for pair in re.findall(r'y1="([\d.]+)" y2="([\d.]+)"', group)]
        for group in re.findall(r'<g class="tick">(.*?)</g>', drawn)
    )
    assert len(first) == 2 and len(second) == 1
    assert not any(top < feet[0] - 4 < end for top, end in first), "the line would strike the figure"


def test_one_answer_of_today_stands_in_the_middle_and_an_older_one_at_the_beginning() -> None:
    at = datetime(2026, 5, 1, tzinfo=UTC)
    course = Course(PHQ9, [Point(uuid4(), at, 10, "", False, ())])
    for days, place in ((0.1, "50"), (30, "3")):
        assert f'class="f1" cx="{place}%"' in measure(course, "m", "", now=at + timedelta(days=days))


def test_an_answer_to_item_9_is_said_in_its_words() -> None:
    assert flag_words(["item9_endorsed", "above_cutoff"], 2) == [
        "Item 9: more than half the days.", "At or beyond the cut-off.",
    ]  # fmt: skip
    assert "with yes" not in " ".join(flag_words(["item9_endorsed"]))


@pytest.mark.parametrize(
    ("totals", "words"),
    [
        ((2, 2), "no change, in remission"),
        ((12, 12), "no change"),
        ((12, 11), "\N{MINUS SIGN}1, no clear change"),
    ],
)
def test_a_total_that_stays_is_said_to_stay(totals: tuple[int, int], words: str) -> None:
    assert change_words(change(PHQ9, *totals, days_apart=14)) == words
