"""Rules that people can break, and how an action says that nothing changed."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from django.db import OperationalError

T = TypeVar("T")


class RuleBroken(Exception):
    """A rule of the house was broken by what a person asked for.

    `message` is for people and says what to do, `code` is for machines, `status` is 422 for input and
    409 for a conflict or a move that the state does not allow, `extra` is added to the answer.
    """

    status = 409

    def __init__(self, message: str, code: str, *, status: int | None = None, **extra: Any) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.extra = extra
        if status is not None:
            self.status = status


class InputRefused(RuleBroken):
    """What was sent does not hold together (422); `field` names the place when there is one."""

    status = 422


class NotFound(RuleBroken):
    """There is no such thing, or none that this actor may know of (404); unsaid, nobody hears which."""

    status = 404

    def __init__(
        self, message: str = "This does not exist, or it is not open to you.", code: str = "not_found",
        **extra: Any,
    ) -> None:  # fmt: skip
        super().__init__(message, code, **extra)


class TrailDown(OperationalError):
    """A row of a trail could not be written, so what it is about is neither shown nor done (503).

    Whoever expects a store that is away expects this too: it is one.
    """


class Unchanged(Generic[T]):
    """What an action returns when it found nothing to change: it needs no audit row."""

    def __init__(self, value: T) -> None:
        self.value = value


class AuditMissing(RuntimeError):
    """An action tried to commit without its audit row: a defect in our code, never a person's."""
