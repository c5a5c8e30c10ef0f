"""What a door hands over to record a consent, and from when a decision counts: dataclasses, no table."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from cortex.audit import Actor
from patients.codes import ConsentMethod, ConsentType
from patients.privacy.scope import ALWAYS, Window


@dataclass(slots=True)
class ConsentData:
    """One decision of a person; `recorded_at` is when they took it (default: the action's time)."""

    consent_type: str
    granted: bool
    scope: dict[str, Any] = field(default_factory=dict)
    version: str = ""
    language: str = ""
    method: str = ConsentMethod.APP
    recorded_at: datetime | None = None
    expires_at: datetime | None = None
    guardian: str | None = None
    evidence_ref: str = ""
    legacy_ids: dict[str, Any] = field(default_factory=dict)


# What an app may be told by a child alone: without it nothing that they write is screened (domain 7.1).
CHILDS_OWN = frozenset({ConsentType.TREATMENT})
GUARDIAN_CODE = "guardian_missing"
GUARDIAN_MISSING = "Under 18: write who consents for them."
OF_AN_APP = "An app may send consent to treatment alone without a guardian."


def lacks_guardian(
    *, consent_type: str, granted: bool, guardian: str | None, is_minor: bool, by_app: bool
) -> bool:
    """Whether a decision is a child's grant that nobody gave for them. A withdrawal never needs anybody."""
    if not granted or not is_minor or (guardian or "").strip():
        return False
    return not (by_app and consent_type in CHILDS_OWN)


# What a decision is called that was given, and whose beginning lies ahead.
NOT_YET = "given, does not count yet"


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision about one type: `at` is from when it counts, `said_at` its time by the clock of `sender`.

    `window` is when it counts by its own limits, `is_limited` whether it allows less than the whole type.
    """

    granted: bool
    at: datetime
    said_at: datetime
    sender: UUID | None = None
    expires_at: datetime | None = None
    window: Window = ALWAYS
    is_limited: bool = False
    # Whether an earlier one allowed it: known where a chart asks (`decisions_told`).
    was_given: bool = False

    def holds(self, at: datetime) -> bool:
        """Whether it allows something at `at`."""
        return self.granted and (self.expires_at is None or self.expires_at > at) and self.window.holds(at)

    def state(self, at: datetime) -> str:
        """Return what is true of it at a time, in words; a refusal is a withdrawal of what was given."""
        if self.holds(at):
            return "given with limits" if self.is_limited else "given"
        if not self.granted:
            return "withdrawn" if self.was_given else "declined"
        begins = self.window.begins
        return NOT_YET if begins is not None and begins > at else "expired"


def clock_of(actor: Actor) -> UUID | None:
    """Return whose clock times what an actor records: each of staff and each client has its own."""
    return actor.id if actor.kind in ("user", "api") else None


def decided(
    standing: Decision | None,
    *,
    granted: bool,
    said_at: datetime,
    sender: UUID | None,
    at: datetime,
    expires_at: datetime | None = None,
    window: Window = ALWAYS,
) -> Decision:
    """Return a decision that came in at `at`, with the moment from which it counts (domain 7.1).

    A withdrawal counts from its receipt: no clock that is slow may delay it. Yet one clock tells the order of
    its own decisions: what the same sender said before the standing decision stays older, and a grant that it
    said after its own withdrawal ends that. A clock that is fast counts from now.
    """
    said_at = min(said_at, at)
    own = standing if standing is not None and standing.sender == sender else None
    is_old = own is not None and own.said_at > said_at
    ends_own = own is not None and not own.granted
    counts_from = at if not is_old and (ends_own or not granted) else said_at
    return Decision(granted, counts_from, said_at, sender, expires_at, window)


def newer(standing: Decision | None, decision: Decision) -> Decision:
    """Return the one of two decisions that counts; of two from the same moment the later told."""
    return decision if standing is None or decision.at >= standing.at else standing
