"""A week in local time: days on which clocks change, times that they skip or repeat, series across both."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from clinical.scheduling.showing import change_words, clock_words
from clinical.scheduling.week import (
    SkippedTime,
    clock_change,
    is_repeated,
    moment_of,
    read_week,
    span,
    week_name,
    week_of,
    weekly,
)

BERLIN, NAIROBI, LORD_HOWE = (
    ZoneInfo("Europe/Berlin"),
    ZoneInfo("Africa/Nairobi"),
    ZoneInfo("Australia/Lord_Howe"),
)
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def test_a_weekly_series_keeps_its_local_time_across_a_change_of_the_clock() -> None:
    starts = weekly(date(2026, 3, 23), time(9), 2, BERLIN)
    assert starts == [at(2026, 3, 23, 8), at(2026, 3, 30, 7)]
    assert weekly(date(2026, 3, 23), time(9), 2, NAIROBI) == [at(2026, 3, 23, 6), at(2026, 3, 30, 6)]


def test_a_time_that_clocks_jump_over_is_refused_and_a_repeated_one_is_the_first() -> None:
    with pytest.raises(SkippedTime, match="02:30 does not exist on 29 Mar 2026"):
        moment_of(SPRING, time(2, 30), BERLIN)
    with pytest.raises(SkippedTime):
        weekly(date(2026, 3, 22), time(2, 30), 2, BERLIN)
    first = moment_of(AUTUMN, time(2, 30), BERLIN)
    assert first == at(2026, 10, 25, 0, 30)
    assert is_repeated(first, BERLIN) and not is_repeated(at(2026, 10, 25, 9), BERLIN)
    assert [clock_words(first + timedelta(hours=hour), BERLIN) for hour in range(3)] == [
        "02:30 (UTC+2)", "02:30 (UTC+1)", "03:30",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("day", "zone", "change", "words"),
    [
        (SPRING, BERLIN, timedelta(hours=1), "Clocks go forward by 1 h"),
        (AUTUMN, BERLIN, timedelta(hours=-1), "Clocks go back by 1 h"),
        (date(2026, 10, 4), LORD_HOWE, timedelta(minutes=30), "Clocks go forward by 0.5 h"),
        (SPRING, NAIROBI, timedelta(), ""),
    ],
)
def test_a_day_says_what_its_clocks_do(day: date, zone: ZoneInfo, change: timedelta, words: str) -> None:
    assert clock_change(day, zone) == change
    assert change_words(clock_change(day, zone)) == words


@pytest.mark.parametrize(("monday", "hours"), [(date(2026, 3, 23), 167), (date(2026, 10, 19), 169),
                                               (date(2026, 6, 1), 168)])  # fmt: skip
def test_a_week_is_as_long_as_its_clocks_make_it(monday: date, hours: int) -> None:
    start, end = span(monday, BERLIN)
    assert end - start == timedelta(hours=hours)


def test_entries_stand_on_their_local_day_and_hour_on_both_sides_of_the_change() -> None:
    entries: list[dict[str, Any]] = [
        {"starts_at": moment_of(date(2026, 10, 24), time(9), BERLIN)},
        {"starts_at": moment_of(date(2026, 10, 26), time(9), BERLIN)},
        {"starts_at": at(2026, 10, 25, 0, 30)},
        {"starts_at": at(2026, 10, 25, 1, 30)},
    ]  # the last two are both half past two
    monday, _ = date(2026, 10, 19), None
    week = week_of(monday, BERLIN, entries, at(2026, 10, 25, 12))
    saturday, sunday = week.days[5], week.days[6]
    assert len(week.cell(saturday, 9)) == 1
    assert len(week.cell(sunday, 2)) == 2
    assert sunday.is_today
    assert week.hours[0] == 2 and week.hours[-1] == 18
    assert sum(len(day.entries) for day in week.days) == 3, "Monday's is next week's"


@pytest.mark.parametrize(
    ("text", "monday"),
    [("2026-W48", date(2026, 11, 23)), ("2026-W53", date(2026, 12, 28)), ("2026-W54", date(2026, 11, 23)),
     ("", date(2026, 11, 23)), ("abcd-W٠١", date(2026, 11, 23)), ("0000-W01", date(2026, 11, 23)),
     ("9999-W53", date(2026, 11, 23))],
)  # fmt: skip
def test_a_week_of_an_address_is_read_or_this_one(text: str, monday: date) -> None:
    assert read_week(text, date(2026, 11, 26)) == monday
    assert read_week(week_name(monday), date(2020, 1, 1)) == monday
