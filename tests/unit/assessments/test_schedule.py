"""When measures are due (domain 2.2), row by row, and what a person's own schedule changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clinical.assessments.schedule import Due, Facts, Own, Taken, due, missed

BEGAN = datetime(2026, 1, 5, 9, tzinfo=UTC)
ALL = ("phq9", "gad7", "who5", "cssrs")


def day(number: float) -> datetime:
    return BEGAN + timedelta(days=number)


def taken(*days: float, calm: int = 0) -> tuple[Taken, ...]:
    """Administrations on these days, of which the last `calm` say remission."""
    return tuple(Taken(day(one), number >= len(days) - calm) for number, one in enumerate(days))


def only(facts: Facts, key: str, at: float = 200) -> Due | None:
    return next(iter(due(facts, [key], day(at))), None)


def test_everything_is_due_at_intake() -> None:
    assert due(Facts(BEGAN), ALL, BEGAN) == [Due(key, BEGAN, "intake") for key in sorted(ALL)]
    assert due(Facts(BEGAN), ["phq2", "isi"], BEGAN) == [], "these have no schedule"


@pytest.mark.parametrize(
    ("key", "days", "calm", "expected", "why"),
    [
        ("phq9", (0,), 0, 14, "routine"),
        ("phq9", (0, 83), 0, 97, "routine"),
        ("phq9", (0, 84), 0, 112, "routine"),
        ("gad7", (0, 100), 0, 128, "routine"),
        ("phq9", (0, 14), 1, 28, "routine"),
        ("phq9", (0, 14, 28), 2, 118, "stable"),
        ("who5", (0, 100), 0, 114, "routine"),
    ],
)
def test_the_routine_is_fortnightly_then_monthly_and_quarterly_when_stable(
    key: str, days: tuple[float, ...], calm: int, expected: float, why: str
) -> None:
    assert only(Facts(BEGAN, {key: taken(*days, calm=calm)}), key) == Due(key, day(expected), why)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, None),
        ({"signals": [day(-1)]}, None),
        ({"signals": [day(5), day(6)]}, (5, "signal")),
        ({"transitions": [day(7)]}, (7, "transition")),
        ({"transitions": [day(0)]}, None),
        ({"transitions": [day(0.4)]}, None),
        ({"transitions": [day(-3), day(0.6), day(7)]}, (0, "transition")),
        ({"contacts": [day(3)]}, None),
        ({"contacts": [day(3)], "level": "high"}, (3, "contact")),
        ({"contacts": [day(-2)], "level": "critical"}, None),
        ({"critical_at": day(2)}, (3, "after_critical")),
        ({"critical_at": day(2), "signals": [day(2)]}, (2, "signal")),
        ({"discharge_at": day(4)}, (4, "discharge")),
        ({"discharge_at": day(0.4)}, None),
        ({"review_at": day(4)}, None),
    ],
)
def test_a_screener_follows_what_happens(changes: dict[str, Any], expected: Any) -> None:
    found = only(Facts(BEGAN, {"cssrs": taken(0)}, **changes), "cssrs")
    assert (None if found is None else ((found.at - BEGAN).days, found.why)) == expected


@pytest.mark.parametrize(
    ("last", "expected"),
    [(0.1, 1), (0.6, 3), (1.1, 3), (2.7, 7), (7.2, 14), (14, 21), (21, 28), (28, 35), (35, None)],
)
def test_after_a_critical_event_it_is_asked_at_24_h_72_h_7_d_and_weekly_four_times(
    last: float, expected: float | None
) -> None:
    found = only(Facts(BEGAN, {"cssrs": taken(last)}, critical_at=BEGAN), "cssrs")
    assert (None if found is None else found.at) == (None if expected is None else day(expected))


@pytest.mark.parametrize(
    ("changes", "expected", "why"),
    [
        ({"review_at": day(10)}, 10, "review"),
        ({"review_at": day(6)}, 14, "routine"),
        ({"review_at": day(40)}, 14, "routine"),
        ({"discharge_at": day(9)}, 9, "discharge"),
        ({"discharge_at": day(3)}, 14, "routine"),
        ({"review_at": day(12), "discharge_at": day(11)}, 11, "discharge"),
        ({"review_at": day(10), "own": {"phq9": Own(timedelta(days=60))}}, 10, "review"),
    ],
)
def test_a_review_and_the_end_of_treatment_ask_for_answers_of_their_last_week(
    changes: dict[str, Any], expected: float, why: str
) -> None:
    assert only(Facts(BEGAN, {"phq9": taken(0)}, **changes), "phq9") == Due("phq9", day(expected), why)
    who5 = only(Facts(BEGAN, {"who5": taken(0)}, **changes), "who5")
    assert who5 == Due("who5", day(14), "routine"), "wellbeing is asked between sessions alone"


def test_a_persons_own_schedule_goes_before_the_usual_one() -> None:
    history = {"phq9": taken(0, 14), "cssrs": taken(0)}
    closer = Facts(BEGAN, history, {"phq9": Own(timedelta(days=7)), "cssrs": Own(timedelta(days=3))})
    assert only(closer, "phq9") == Due("phq9", day(21), "own")
    assert only(closer, "cssrs") == Due("cssrs", day(3), "own")
    paused = Facts(BEGAN, history, {"phq9": Own(is_paused=True, until=day(30))})
    assert only(paused, "phq9", at=29) is None
    assert only(paused, "phq9", at=30) == Due("phq9", day(28), "routine")
    assert only(Facts(BEGAN, history, {"phq9": Own(is_paused=True)}), "phq9", at=3000) is None


QUARTERLY = Own(timedelta(days=90), since=BEGAN)


@pytest.mark.parametrize(
    ("key", "days", "calm", "own", "expected"),
    [
        ("phq9", (0, 21, 42), 0, Own(), ()),
        ("phq9", (0, 21, 43), 0, Own(), (43,)),
        ("phq9", (0, 83, 104, 139), 0, Own(), (83,)),
        ("phq9", (0, 14, 28, 125), 3, Own(), ()),
        ("phq9", (0, 14, 28, 126), 4, Own(), (126,)),
        ("who5", (0, 100, 128), 0, Own(), (100, 128)),
        ("phq9", (0, 90, 180, 277), 0, QUARTERLY, ()),
        ("phq9", (0, 90, 188), 0, QUARTERLY, (188,)),
        ("phq9", (0, 30, 60), 0, Own(timedelta(days=14), since=day(29)), (30, 60)),
        ("phq9", (0, 90, 180), 0, Own(timedelta(days=90), since=day(100)), ()),
        ("phq9", (0, 60), 0, Own(is_paused=True, since=day(10)), ()),
        ("phq9", (0, 60, 120), 0, Own(is_paused=True, until=day(50), since=day(10)), (120,)),
        ("cssrs", (0, 300), 0, Own(), ()),
        ("cssrs", (0, 30, 60), 0, Own(timedelta(days=7), since=day(20)), (60,)),
        ("phq2", (0, 300), 0, Own(), ()),
    ],
)
def test_visits_are_missing_after_the_interval_of_their_time_and_a_week(
    key: str, days: tuple[float, ...], calm: int, own: Own, expected: tuple[float, ...]
) -> None:
    assert missed(key, taken(*days, calm=calm), BEGAN, own) == {day(one) for one in expected}


def test_what_was_taken_before_a_colleague_took_over_has_a_beginning_of_its_own() -> None:
    """Monthly totals of the second half year of earlier care are no missed fortnights of the present one."""
    found = missed("phq9", taken(-300, -180, -150, -120, 2, 30), BEGAN, Own())
    assert found == {day(-180), day(2), day(30)}
