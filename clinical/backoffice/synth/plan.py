"""What a synthetic house holds, computed from its seed alone: who, where, when, which alerts; no database."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

SLUG = "synth-"
CHUNK = 2_500
# So many people of the first organization are one therapist's, with years on record.
CASELOAD = 300
# Two events of each ended alert are in its organization's feed: that it was raised, and how it ended.
EVENTS = 2
# A pseudonym is CX and eight digits; a stride that shares no factor with their number visits each once.
PSEUDONYMS = 90_000_000
STRIDE = 48_271_003
REGISTERED, FIRST_ALERT = timedelta(days=760), timedelta(days=365)
REGISTERING = timedelta(days=390)


@dataclass(frozen=True, slots=True)
class Plan:
    """`people` in `organizations` equal blocks, `alerts` spread evenly over them, `open_alerts` in the first.

    Everybody's number is theirs for good: the same seed, sizes and time give the same people and alerts.
    """

    seed: int
    people: int
    alerts: int
    open_alerts: int
    organizations: int
    at: datetime

    def __post_init__(self) -> None:
        blocks = self.people // max(1, self.organizations)
        if not 1 <= self.organizations <= 100 or blocks < 1:
            raise ValueError("1 to 100 organizations, each with somebody")
        if not 0 <= self.alerts <= self.people <= PSEUDONYMS // 10 or self.open_alerts > self.alerts:
            raise ValueError("at most 9 million people, one alert each, and no more open ones than alerts")
        if self.open_alerts > len(self.alarmed(*self.block(0))):
            raise ValueError("the first organization has too few people with an alert for the open ones")

    def block(self, organization: int) -> tuple[int, int]:
        """Return the numbers [first, end) of an organization's people."""
        first = organization * self.people // self.organizations
        return first, (organization + 1) * self.people // self.organizations

    def alarmed(self, first: int, end: int) -> range:
        """Return the ordinals of the alerts of the people [first, end)."""
        return range(first * self.alerts // self.people, end * self.alerts // self.people)

    def person_of(self, alert: int) -> int:
        """Return the number of the person whom an alert is about: the one at whom its ordinal is reached."""
        return ((alert + 1) * self.people + self.alerts - 1) // self.alerts - 1

    def ended(self, organization: int) -> range:
        """Return the ordinals of an organization's ended alerts; the last of the first one's stay open."""
        found = self.alarmed(*self.block(organization))
        return found[: len(found) - self.open_alerts] if organization == 0 else found

    def still_open(self) -> range:
        """Return the ordinals of the open alerts."""
        found = self.alarmed(*self.block(0))
        return found[len(found) - self.open_alerts :]

    @property
    def treated(self) -> range:
        """Return the numbers of those who have years on record: one therapist's caseload."""
        return range(min(CASELOAD, self.people // 33, self.block(0)[1]))

    def chunks(self) -> Iterator[Chunk]:
        """Yield the work in pieces; each is one transaction within one organization."""
        for organization in range(self.organizations):
            start, stop = self.block(organization)
            for first in range(start, stop, CHUNK):
                yield Chunk(organization, first, min(first + CHUNK, stop))

    def chance(self, first: int) -> random.Random:
        """Return the source of randomness of the chunk that begins at this number."""
        return random.Random(f"synth/{self.seed}/{first}")  # noqa: S311 - fictional people, no secret

    def pseudonym(self, number: int) -> str:
        """Return a person's pseudonym; no two are equal."""
        return f"CX-{(self.seed * 7_919 + number * STRIDE) % PSEUDONYMS + 10_000_000}"

    def registered_at(self, organization: int, number: int) -> datetime:
        """Return when somebody was registered: in the order of their numbers, so that ids grow with time."""
        first, end = self.block(organization)
        return self.at - REGISTERED + REGISTERING * ((number - first) / (end - first))

    def raised_at(self, organization: int, alert: int) -> tuple[datetime, timedelta]:
        """Return when an ended alert was raised, and how long its organization was left alone after it."""
        ended = self.ended(organization)
        gap = FIRST_ALERT / max(1, len(ended))
        return self.at - FIRST_ALERT + gap * (alert - ended.start), gap


@dataclass(frozen=True, slots=True)
class Chunk:
    """The people [first, end) of one organization."""

    organization: int
    first: int
    end: int

    @property
    def people(self) -> int:
        """How many they are."""
        return self.end - self.first


def id_at(at: datetime, chance: random.Random) -> UUID:
    """Return a UUIDv7 of a moment whose other bits come from `chance`, so that a seed gives the same ids."""
    number = int(at.timestamp() * 1000) << 80 | chance.getrandbits(80)
    number = number & ~(0xF << 76) | 0x7 << 76
    return UUID(int=number & ~(0x3 << 62) | 0x2 << 62)
