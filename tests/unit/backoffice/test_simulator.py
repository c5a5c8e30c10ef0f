"""The simulator raises nothing more while a dozen alerts are open, and keeps the roster staffed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from clinical.backoffice import simulator
from clinical.backoffice.simulator import MOST_OPEN, Simulator


def made() -> Simulator:
    return Simulator("http://localhost", {"keys": {}, "pseudonyms": {}}, 1.0, print)


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the test's own connection live."""
    monkeypatch.setattr(simulator, "close_old_connections", lambda: None)


def test_with_twelve_alerts_open_only_everyday_words_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST_OPEN == 12
    monkeypatch.setattr(simulator, "open_count", lambda: 12)
    assert {made().mood() for _ in range(300)} == {"everyday"}
    monkeypatch.setattr(simulator, "open_count", lambda: 11)
    assert "urgent" in {made().mood() for _ in range(300)}


def test_the_roster_is_renewed_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    renewed: list[datetime] = []
    monkeypatch.setattr(simulator, "renew_shifts", renewed.append)
    running = made()
    running.renew()
    assert renewed == [], "the demo has just done it"
    running.renew_at = datetime.now(UTC) - timedelta(seconds=1)
    running.renew()
    running.renew()
    assert len(renewed) == 1
