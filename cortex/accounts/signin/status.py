"""How the service is doing, in words for the sign-in page; asked at most every ten seconds."""

from __future__ import annotations

import time
from dataclasses import dataclass

from cortex.ops.health import readiness

REASK_SECONDS = 10.0
# Without Redis alerts still arrive, by asking the database; without the sweeper they wait for people.
LINES = (
    ("Records", "database", ("database", "keys", "migrations"), "Down"),
    ("Live alerts", "wifi", ("redis",), "Slower"),
    ("Escalation", "escalator-up", ("sweeper",), "Delayed"),
)


@dataclass(frozen=True, slots=True)
class StatusLine:
    """One line: what, how it is in a word, and its icon."""

    name: str
    icon: str
    state: str
    word: str


_kept: tuple[float, list[StatusLine]] = (0.0, [])


def status_lines() -> list[StatusLine]:
    """Return the lines; each is as well as the worst part that it rests on."""
    global _kept
    asked_at, lines = _kept
    if not lines or time.monotonic() - asked_at > REASK_SECONDS:
        parts = readiness()[1]["parts"]
        lines = [
            StatusLine(name, icon, *_state([parts[part]["state"] for part in rests_on], otherwise))
            for name, icon, rests_on, otherwise in LINES
        ]
        _kept = (time.monotonic(), lines)
    return lines


def _state(states: list[str], otherwise: str) -> tuple[str, str]:
    worst = next((state for state in ("down", "degraded") if state in states), "ok")
    return worst, "Working" if worst == "ok" else otherwise
