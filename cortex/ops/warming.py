"""What a serving process reads before its first request, so that nobody's first message pays for it."""

from __future__ import annotations

from collections.abc import Callable

_warmers: list[Callable[[], object]] = []


def register(warmer: Callable[[], object]) -> None:
    """Let a floor name something slow to load once per process; called from `AppConfig.ready`."""
    if warmer not in _warmers:
        _warmers.append(warmer)


def warm() -> None:
    """Load everything that was named; called by the servers' entry modules."""
    for warmer in _warmers:
        warmer()
