"""What a serving process computes before its first request, registered by the floors that need it."""

from __future__ import annotations

from collections.abc import Callable

_calls: list[Callable[[], object]] = []


def register(call: Callable[[], object]) -> None:
    """Have `call` run once in each serving process, before it serves; call it from AppConfig.ready."""
    _calls.append(call)


def run() -> None:
    """Do it: nobody's first message should wait for what can be ready before."""
    while _calls:
        _calls.pop()()
