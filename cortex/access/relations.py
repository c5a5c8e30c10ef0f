"""By which relationship an actor opens whose data: the floor that knows people answers, this one asks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cortex.audit.actors import Actor


@dataclass(frozen=True, slots=True)
class Relation:
    """What the access rows say: the relationship's name, and the grant when it is a break-glass one."""

    name: str
    break_glass: UUID | None = None


# Given the actor, the subjects, a permission ("": seeing the person) and a time (None: now), it returns
# those subjects to whom the actor stands in a relationship that opens it, in one query.
Checker = Callable[[Actor, Collection[UUID], str, "datetime | None"], Mapping[UUID, Relation]]
CHECKERS: list[Checker] = []


def register(checker: Checker) -> None:
    """Name who answers; called once, at start. Until then nobody is related to anybody."""
    CHECKERS[:] = [checker]


def relations(
    actor: Actor, subjects: Collection[UUID], permission: str = "", at: datetime | None = None
) -> dict[UUID, Relation]:
    """Return the relation to each of these subjects; those without one are absent."""
    return {
        one: found for checker in CHECKERS for one, found in checker(actor, subjects, permission, at).items()
    }
