"""Where somebody stands on a caseload, as a table of needs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clinical.caseload.ranking import Need, place

AT = datetime(2026, 11, 26, 8, tzinfo=UTC)
DAY = timedelta(days=1)


def need(**facts: Any) -> Need:
    return Need(**({"level": "low", "last_heard": AT - DAY, "since": AT - 40 * DAY} | facts))


@pytest.mark.parametrize(
    ("facts", "group", "why"),
    [
        ({}, "steady", "Nothing asks for you now."),
        ({"alert_level": "critical"}, "alert", "An alert is open, critical."),
        (
            {"alert_level": "high", "alert_reason": "Speaks of suicide", "reviewed_at": AT},
            "alert",
            "Speaks of suicide. An alert is open, high.",
        ),
        (
            {"level": "high", "level_rose_at": AT - DAY, "looked_at": AT - 2 * DAY},
            "alert",
            "The level rose to high.",
        ),
        (
            {"ended_at": AT - DAY, "ended_by": "Cleo", "looked_at": AT - 2 * DAY},
            "alert",
            "An alert was ended by Cleo since you looked.",
        ),
        ({"level": "medium", "level_rose_at": AT - DAY, "looked_at": AT - 2 * DAY}, "alert", None),
        # A list that is opened for the first time is not a list of everybody who is at medium.
        ({"level": "medium", "level_rose_at": AT - DAY}, "steady", None),
        ({"level": "high", "level_rose_at": AT - DAY}, "alert", None),
        ({"ended_at": AT - 2 * DAY, "looked_at": AT - DAY}, "steady", None),
        ({"ended_at": AT - 2 * DAY, "reviewed_at": AT - DAY, "newest_at": AT - 2 * DAY}, "reviewed", None),
        # A look is no review: a level that stands high asks on until somebody says that they reviewed it.
        (
            {
                "level": "high",
                "level_since": AT - 2 * DAY,
                "level_rose_at": AT - 2 * DAY,
                "looked_at": AT - DAY,
            },
            "waiting",
            "The level has stood at high for 2 days.",
        ),
        (
            {"level": "critical", "level_since": AT - 9 * DAY, "looked_at": AT - DAY},
            "waiting",
            "The level has stood at critical for 9 days.",
        ),
        ({"level": "critical", "level_since": AT - 9 * DAY, "reviewed_at": AT - 6 * DAY}, "reviewed", None),
        ({"level": "critical", "level_since": AT - 9 * DAY, "reviewed_at": AT - 7 * DAY}, "waiting", None),
        ({"level": "high", "level_since": AT - 30 * DAY, "reviewed_at": AT - 13 * DAY}, "reviewed", None),
        ({"level": "high", "level_since": AT - 30 * DAY, "reviewed_at": AT - 14 * DAY}, "waiting", None),
        (
            {"level": "critical", "level_since": AT - 30 * DAY, "last_heard": AT - 20 * DAY},
            "waiting",
            "The level has stood at critical for 30 days.",
        ),
        ({"level": "high", "off_track": ("PHQ-9",)}, "off_track", None),
        (
            {
                "called": (("A call", AT - DAY),),
                "off_track": ("PHQ-9",),
                "overdue": (("GAD-7", AT - 9 * DAY),),
            },
            "overdue",
            "A call, overdue for 1 day.",
        ),
        ({"called": (("A call", AT + timedelta(hours=2)),), "off_track": ("PHQ-9",)}, "off_track", None),
        (
            {"called": (("A call", AT + timedelta(hours=2)),), "waiting": (("A task", AT - DAY),)},
            "waiting",
            "A call, today.",
        ),
        ({"level": "medium", "level_since": AT - 2 * DAY, "looked_at": AT - DAY}, "steady", None),
        ({"off_track": ("PHQ-9", "GAD-7")}, "off_track", "PHQ-9 and GAD-7 not on track."),
        ({"overdue": (("PHQ-9", AT - 3 * DAY),)}, "overdue", "PHQ-9, overdue for 3 days."),
        ({"waiting": (("Offer a PHQ-9", AT + DAY),)}, "waiting", "Offer a PHQ-9."),
        ({"last_heard": AT - 15 * DAY}, "silent", "Nothing heard for 15 days."),
        ({"last_heard": None, "since": AT - 20 * DAY}, "silent", "Nothing heard for 20 days."),
        ({"last_heard": None, "since": AT - DAY}, "steady", None),
        (
            {"last_heard": AT - 30 * DAY, "reviewed_at": AT - 13 * DAY},
            "reviewed",
            "Nothing heard for 30 days.",
        ),
        ({"reviewed_at": AT - DAY}, "reviewed", "You reviewed this person."),
        ({"last_heard": AT - 30 * DAY, "reviewed_at": AT - 14 * DAY}, "silent", "Nothing heard for 30 days."),
        (
            {"off_track": ("PHQ-9",), "reviewed_at": AT - DAY, "newest_at": AT - 2 * DAY},
            "reviewed",
            "PHQ-9 not on track.",
        ),
        ({"off_track": ("PHQ-9",), "reviewed_at": AT - 2 * DAY, "newest_at": AT - DAY}, "off_track", None),
    ],
)
def test_need_decides_the_group_and_says_why(facts: dict[str, Any], group: str, why: str | None) -> None:
    found = place(need(**facts), AT)
    assert found.group == group
    if why is not None:
        assert found.why == why


def test_within_a_group_the_worse_level_and_the_longer_wait_come_first() -> None:
    worse = place(need(alert_level="critical"), AT)
    assert worse.order < place(need(alert_level="high"), AT).order
    older = place(need(waiting=(("a", AT - 2 * DAY),)), AT)
    assert older.order < place(need(waiting=(("a", AT - DAY),)), AT).order
