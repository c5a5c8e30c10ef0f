"""When the day of a test ends."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests import edges


@pytest.mark.parametrize(
    ("at", "left"),
    [
        (datetime(2026, 12, 31, 20, 59, 58, tzinfo=UTC), 2),
        (datetime(2026, 12, 31, 21, tzinfo=UTC), 3 * 3600),
        (datetime(2027, 2, 28, 23, 59, 59, 500_000, tzinfo=UTC), 0.5),
        (datetime(2028, 2, 29, 12, tzinfo=UTC), 9 * 3600),
    ],
)
def test_a_day_ends_in_nairobi_and_three_hours_later_by_utc(at: datetime, left: float) -> None:
    assert edges.seconds_left(at) == left


def test_only_a_test_that_would_pass_a_midnight_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(edges.time, "sleep", waits.append)
    for left in (edges.LONGEST, 3.0):
        monkeypatch.setattr(edges, "seconds_left", lambda at, left=left: left)
        edges.begin_in_a_day()
    assert waits == [3.1]
