"""What a sender reads back: a result per item, with support where it is due; codes and ids only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from cortex.api.problems import CONTENT_TYPE, encode, of_body, problem
from cortex.api.strict import BodyRefused, speakable
from cortex.audit import RuleBroken
from crisis.intake.items import Item

JSON = "application/json"
FAILED_WAIT = 5


class Result(StrEnum):
    """What became of an item."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"
    LIMITED = "limited"
    FAILED = "failed"


STATUS = {
    Result.STORED: 200,
    Result.DUPLICATE: 200,
    Result.REJECTED: 422,
    Result.LIMITED: 429,
    Result.FAILED: 503,
}


@dataclass(slots=True)
class Outcome:
    """One item's result; `support_for` is the patient whose support block goes with it."""

    item: Item
    result: Result = Result.STORED
    reason: str = ""
    where: str = ""
    object_id: UUID | None = None
    patient_id: UUID | None = None
    wants_support: bool = False
    was_screened: bool = False
    notes: list[str] = field(default_factory=list)

    def members(self, wait: int, support: dict[str, Any] | None) -> dict[str, Any]:
        """Return the item's part of the answer."""
        named = {"id": self.item.id, "kind": self.item.kind}
        # An item that came without one of them is told by its place in the request alone.
        found: dict[str, Any] = {"index": self.item.index} | {name: one for name, one in named.items() if one}
        found |= {"result": str(self.result), "status": STATUS[self.result]}
        if self.reason:
            found["reason"] = self.reason
        if self.where:
            found["field"] = self.where
        if self.object_id is not None and self.result in (Result.STORED, Result.DUPLICATE):
            found["record"] = str(self.object_id)
        if self.result in (Result.LIMITED, Result.FAILED):
            found["retry_after"] = wait if self.result is Result.LIMITED else FAILED_WAIT
        if self.notes:
            found["notes"] = self.notes
        if support is not None:
            found["support"] = support
        return found


@dataclass(frozen=True, slots=True)
class Reply:
    """The bytes of an answer and how they are sent."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def is_final(self) -> bool:
        """Whether the same request must get the same bytes again; a 429 or a 5xx invites another try."""
        return 200 <= self.status < 500 and self.status != 429


def batch_reply(
    outcomes: Iterable[Outcome], at: datetime, wait: int, support: dict[UUID | None, dict[str, Any]]
) -> Reply:
    """Return the answer to a batch. Its status is 503 or 429 when any item has to be sent again, else 200."""
    rows = sorted(outcomes, key=lambda outcome: outcome.item.index)
    items = [row.members(wait, support.get(row.patient_id) if row.wants_support else None) for row in rows]
    counts = Counter(str(row.result) for row in rows)
    body = encode({"received_at": at.isoformat(), "counts": dict(sorted(counts.items())), "items": items})
    if counts[Result.FAILED]:
        return Reply(503, body, headers={"Retry-After": str(FAILED_WAIT)})
    if counts[Result.LIMITED]:
        return Reply(429, body, headers={"Retry-After": str(wait)})
    return Reply(200, body)


def refusal_reply(refusal: BodyRefused, support: dict[str, Any]) -> Reply:
    """Return the answer to a request that can't be read as a batch."""
    return Reply(refusal.status, encode(of_body(refusal) | {"support": support}), CONTENT_TYPE)


def broken_reply(broken: RuleBroken, support: dict[str, Any]) -> Reply:
    """Return the answer to something that a rule of the house refused."""
    members = problem(broken.code, broken.message, broken.status, **broken.extra)
    return Reply(broken.status, encode(members | {"support": support}), CONTENT_TYPE)


def place(pointer: str) -> str:
    """Return a pointer without the keys that may be somebody's words."""
    return "/".join(speakable(step) for step in pointer.split("/"))
