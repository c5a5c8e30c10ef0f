"""One axis for mood, level and measures: gaps stay gaps, and the table says what the picture says."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

from clinical.chart.banner import NEVER, consent_words, years
from clinical.chart.parts import Mark
from clinical.chart.trajectory import Axis, drawn, means, table
from patients.codes import ConsentType

FIRST = date(2026, 11, 1)
DAY = timedelta(days=1)


def axis(moods: dict[int, int], levels: list[tuple[int, str]] | None = None, **more: object) -> Axis:
    return Axis(
        first=FIRST, last=FIRST + 29 * DAY, moods={FIRST + DAY * day: mood for day, mood in moods.items()},
        levels=[(FIRST + DAY * day, level) for day, level in levels or []],
        measures=more.pop("measures", []), **more,  # type: ignore[arg-type]
    )  # fmt: skip


def cells(rows: str) -> list[list[str]]:
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows.split("</tr>")[:-1]]


def test_days_without_an_answer_are_a_gap_that_no_line_crosses() -> None:
    answered = dict.fromkeys((*range(7), *range(20, 27)), 5)
    found = means(axis(answered))
    assert found[6] == 5.0
    assert found[12:22] == [None] * 10
    path = re.search(r'class="ln tj-mean" d="([^"]+)"', drawn(axis(answered), "x"))
    assert path is not None
    assert path[1].count("M") == 2, "two pieces, not one line through the gap"


def test_two_answers_are_no_mean_of_a_week() -> None:
    assert means(axis({0: 9, 1: 1})) == [None] * 30


def test_a_level_holds_until_the_next_one_and_nothing_is_drawn_before_the_first() -> None:
    picture = drawn(axis({}, [(10, "low"), (20, "high")]), "x")
    assert len(re.findall(r'class="tj-l[1-4]"', picture)) == 2
    shown = cells(table(axis({9: 4, 15: 4, 25: 4}, [(10, "low"), (20, "high")])))
    levels = {day: level for day, _, level, _ in shown}
    assert [levels[f"{day} Nov 2026"] for day in (10, 16, 26)] == ["", "low", "high"]


def test_the_table_holds_every_value_of_the_picture() -> None:
    at = datetime(2026, 11, 5, 12, tzinfo=UTC)
    shown = axis(
        {4: 7}, measures=[("PHQ-9", 27, [(FIRST + 8 * DAY, 12)])],
        marks=[(FIRST + 4 * DAY, Mark(at, "Alert, high", "alert"))],
    )  # fmt: skip
    assert cells(table(shown)) == [
        ["9 Nov 2026", "", "", "12", ""], ["5 Nov 2026", "7", "", "", "Alert, high"],
    ]  # fmt: skip


def test_the_line_of_a_measure_is_broken_where_visits_are_missing() -> None:
    totals = [(FIRST + day * DAY, 12) for day in (1, 4, 25, 27)]
    for gaps, pieces in ({}, 1), ({"PHQ-9": {FIRST + 25 * DAY}}, 2):
        picture = drawn(axis({}, measures=[("PHQ-9", 27, totals)], gaps=gaps), "x")
        path = re.search(r'class="ln s1" d="([^"]+)"', picture)
        assert path is not None and path[1].count("M") == pieces
        assert picture.count("<circle") == 4


def test_nothing_at_all_is_no_picture() -> None:
    assert drawn(axis({}), "x") == ""


def test_words_of_the_description_are_escaped() -> None:
    assert "<b>" not in drawn(axis({1: 5}), "<b>bold</b>")


def test_words_of_the_table_are_escaped() -> None:
    marked = axis({}, marks=[(FIRST, Mark(datetime(2026, 11, 1, 12, tzinfo=UTC), "<b>bold</b>", "alert"))])
    assert cells(table(marked)) == [["1 Nov 2026", "", "", "&lt;b&gt;bold&lt;/b&gt;"]]


def test_an_age_turns_on_the_birthday() -> None:
    born = date(2000, 2, 29)
    assert [years(born, day) for day in (date(2026, 2, 28), date(2026, 3, 1))] == [25, 26]
    assert years(None, FIRST) is None


def test_consents_are_told_by_what_was_decided_of_each() -> None:
    kinds = list(ConsentType)
    assert consent_words(dict.fromkeys(kinds, NEVER)) == "None was ever asked"
    assert consent_words(dict.fromkeys(kinds, "given")) == "Given: Treatment, Privacy notice and 14 more"
    states = dict.fromkeys(kinds[:4], "given with limits") | dict.fromkeys(kinds[4:], NEVER)
    assert consent_words(states) == (
        "Given with limits: Treatment, Privacy notice and 2 more. "
        "Never asked: Emergency contact, Sharing with the care team and 10 more"
    )
