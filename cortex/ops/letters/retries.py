"""What trying a dead letter again means, by the name of what died; floors above register theirs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from cortex.audit import Actor

# Called inside of the action that closes the letter, with `actor`, `letter` and `at`; it writes by actions.
Retry = Callable[[Actor, Any, datetime], object]

_retries: dict[str, Retry] = {}


def register(name: str, retry: Retry) -> None:
    """Say how letters of a kind (`task`) or of a model and field are tried again."""
    _retries[name] = retry


def retry_of(kind: str, name: str) -> Retry | None:
    """Return how this letter is tried again, or None when nobody can."""
    return _retries.get(name) or _retries.get(kind)
