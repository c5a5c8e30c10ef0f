"""The plain values that the risk rules work on: levels, evidence, inputs and results; no rule here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from .policy import POLICY, Policy


class Level(StrEnum):
    """The four levels of attention; compare them by `rank`, never as text."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for low to 3 for critical."""
        return _RANKS[self]

    @property
    def below(self) -> Level:
        """The next level down; low stays low."""
        return _LADDER[max(0, self.rank - 1)]

    @property
    def raises_alert(self) -> bool:
        """True for high and critical, the only levels that open a work item."""
        return self.rank >= _RANKS[Level.HIGH]


_LADDER = (Level.LOW, Level.MEDIUM, Level.HIGH, Level.CRITICAL)
_RANKS = {level: rank for rank, level in enumerate(_LADDER)}


def highest(levels: Iterable[Level]) -> Level:
    """The highest of some levels; low when there are none."""
    return max(levels, key=lambda level: level.rank, default=Level.LOW)


def level_of(score: float, policy: Policy = POLICY) -> Level:
    """The level of a rounded score (domain 4.2)."""
    for level in reversed(_LADDER[1:]):
        if score >= policy.cuts[level]:
            return level
    return Level.LOW


def floor_score(level: Level, policy: Policy = POLICY) -> float:
    """The least score that a floor at `level` leaves (0 for low)."""
    return 0.0 if level is Level.LOW else policy.cuts[level]


class Kind(StrEnum):
    """The clinical kinds of alert; one open alert per person and kind."""

    SELF_HARM = "self_harm"
    HARM_TO_OTHERS = "harm_to_others"
    SAFEGUARDING = "safeguarding"
    PSYCHOSIS = "psychosis_disorientation"
    MEDICAL = "medical"
    OTHER = "other"


class Source(StrEnum):
    """Who observed something; the engine trusts history from clinicians and instruments alone."""

    MESSAGE = "message"
    TRANSCRIPT = "transcript"
    CHECK_IN = "check_in"
    ACTIVITY = "activity"
    FEEDBACK = "feedback"
    VOICE = "voice"
    TEXT_MODEL = "text_model"
    PATTERN = "pattern"
    INSTRUMENT = "instrument"
    CLINICIAN = "clinician"
    SOS = "sos"
    THIRD_PARTY = "third_party"
    ALERT = "alert"


class Status(StrEnum):
    """Whether a coded factor is there, is known not to be there, or isn't known."""

    PRESENT = "present"
    ABSENT = "absent"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class EvidenceItem:
    """One coded observation: codes, ids, times and numbers, never words.

    `value` is read by code: item 9 (0-3), PHQ-9 total (0-27), dissonance D (0-1), baseline deviation B
    (0 up), text model output (0-1), C-SSRS (behaviour: 1 recent, .5 earlier). `tier` is A, B, V, SH, C or D
    for text, the triage of a C-SSRS, the direction of a clinician's level, the kind of a resolved alert.
    `floor` is a level that the item itself demands (C-SSRS, clinician).
    """

    code: str
    domain: str
    source_type: str
    observed_at: datetime
    source_id: UUID | None = None
    tier: str = ""
    value: float | None = None
    confidence: float = 1.0
    floor: str = ""
    status: str = Status.PRESENT
    session_id: UUID | None = None
    local_day: date | None = None
    refuted: bool = False
    received_at: datetime | None = None
    row_id: UUID | None = None
    """The ledger's row, so that an alert knows what it was raised on; it never changes a result."""

    @property
    def known_at(self) -> datetime:
        """When it could be known: not before it arrived, whatever the sender's clock says."""
        return max(self.observed_at, self.received_at or self.observed_at)

    @property
    def counts(self) -> bool:
        """False once a false alarm refuted it."""
        return not self.refuted and self.status == Status.PRESENT


@dataclass(frozen=True, slots=True)
class Inputs:
    """All that one decision about one person is made from; the same inputs always give the same result."""

    at: datetime
    evidence: tuple[EvidenceItem, ...] = ()
    is_minor: bool = False
    raised_at: datetime | None = None
    """When the person was last at medium or above, for the disengagement rule."""
    lexicon_version: str = ""
    resting: tuple[tuple[str, str], ...] = ()
    """Rules that are not live here with their states (`switches.Switches.resting`)."""


@dataclass(frozen=True, slots=True)
class FactorShare:
    """One factor's part in the score; the shares of a result sum to 1."""

    code: str
    domain: str
    contribution: float
    share: float
    source_type: str
    source_id: UUID | None
    observed_at: datetime
    confidence: float


@dataclass(frozen=True, slots=True)
class Floor:
    """A hard rule that fired: the least level, the kinds of alert it means, and its newest evidence."""

    rule: str
    level: Level
    kinds: tuple[Kind, ...]
    newest_at: datetime
    items: tuple[EvidenceItem, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Ground:
    """What a kind's level rests on, a rule or the score: how high it is alone, and its newest evidence."""

    level: Level
    newest_at: datetime


@dataclass(frozen=True, slots=True)
class KindSignal:
    """How urgent one kind of alert is by this result alone, and how new the newest of what says so is."""

    kind: Kind
    level: Level
    score: float
    rules: tuple[str, ...]
    newest_at: datetime | None
    grounds: tuple[Ground, ...] = ()
    items: tuple[EvidenceItem, ...] = field(default=(), compare=False)
    """What is behind its rules and, for the kind that the score is about, behind the score; newest first."""

    def newest(self, least: Level) -> datetime | None:
        """When the newest evidence came of what reaches `least` by itself; other news does not renew it."""
        times = [ground.newest_at for ground in self.grounds if ground.level.rank >= least.rank]
        return max(times, default=None)


@dataclass(frozen=True, slots=True)
class Result:
    """What the engine decided, with everything needed to explain and to replay it (domain 4.4)."""

    score: float
    level: Level
    level_source: str
    score_raw: float
    protective_applied: float
    caps: tuple[str, ...]
    rules_fired: tuple[str, ...]
    factors: tuple[FactorShare, ...]
    missing_inputs: tuple[str, ...]
    engine_version: str
    lexicon_version: str
    computed_at: datetime
    inputs_digest: str
    floors: tuple[Floor, ...] = ()
    reviews: tuple[str, ...] = ()
    """Reason codes of the review items that the rules ask for beside the level."""
    signals: tuple[KindSignal, ...] = field(default=())
    resting: tuple[tuple[str, str], ...] = ()
    """The rules that were not live, with their states: what the result was made without."""
    shadow_floors: tuple[Floor, ...] = field(default=(), compare=False)
    """What rules in shadow would have set; it stands for nothing, and is kept for supervisors to see."""
    score_without_model: float | None = None
    """The score when the text model says nothing: a level comes down by it."""
    lowered: tuple[Level, datetime] | None = field(default=None, compare=False)
    """The lower level that a clinician set and when, while it may hold: what stands above it comes down."""

    @property
    def floor(self) -> Level:
        """The highest floor in force."""
        return highest(floor.level for floor in self.floors)
