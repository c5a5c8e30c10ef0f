"""How the service is doing, in words for the sign-in page; asked at most every ten seconds."""

from __future__ import annotations

import time
from dataclasses import dataclass

from cortex.ops.health import readiness

REASK_SECONDS = 10.0
LINES = (
    ("Records", "database", ("database", "keys", "migrations")),
    ("Live alerts", "wifi", ("redis",)),
    ("Escalation", "escalator-up", ("sweeper",)),
)
WORDS = {"ok": "Working", "degraded": "Slower", "down": "Down"}


@dataclass(frozen=True, slots=True)
class StatusLine:
    """One line: what, how it is in a word, and its icon."""

    name: str
    icon: str
    state: str
    word: str


_kept: tuple[float, list[StatusLine]] = (0.0, [])


def status_lines() -> list[StatusLine]:
    """Return the lines; a part is as well as the worst of what it rests on."""
    global _kept
    asked_at, lines = _kept
    if not lines or time.monotonic() - asked_at > REASK_SECONDS:
        parts = readiness()[1]["parts"]
        lines = [
            _line(name, icon, [parts[part]["state"] for part in rests_on]) for name, icon, rests_on in LINES
        ]
        _kept = (time.monotonic(), lines)
    return lines


def _line(name: str, icon: str, states: list[str]) -> StatusLine:
    worst = next((state for state in ("down", "degraded") if state in states), "ok")
    return StatusLine(name, icon, worst, WORDS[worst])
