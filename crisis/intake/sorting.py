"""Decides what becomes of each item before anything is written: pure, in the order of the batch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from cortex.ids import uuid7
from crisis.intake.answers import Outcome, Result, place
from crisis.intake.items import Item
from crisis.intake.models import Source, key_id
from crisis.risk.lexicon import Screening
from crisis.risk.textmodel import ModelReading

# Kinds that hold words of the conversation even when none of them are the person's own.
WORDED = frozenset({"message", "transcript", "tool_action", "rationale"})
ALWAYS_TAKEN = frozenset({"sos", "consent"})
TREATMENT, VOICE = "treatment", "voice_processing"
CONSENTS = (TREATMENT, VOICE)


class Person(Protocol):
    """What the rules need of a patient row."""

    pk: UUID
    merged_into_id: UUID | None


class KnownKey(Protocol):
    """What the rules need of an item id that is known."""

    result: str
    object_id: UUID | None


@dataclass(slots=True)
class Decision:
    """The newest decision of a person about one type of consent."""

    granted: bool
    at: datetime
    expires_at: datetime | None = None

    def holds(self, at: datetime) -> bool:
        """Whether it allows something at `at`."""
        return self.granted and (self.expires_at is None or self.expires_at > at)


@dataclass(slots=True)
class Facts:
    """What the database knows about the people and ids of one batch."""

    sender: str
    at: datetime
    people: Mapping[str, Person]
    consents: dict[tuple[UUID, str], Decision] = field(default_factory=dict)
    known: Mapping[UUID, KnownKey] = field(default_factory=dict)
    allowed: int = 0
    counted: int = 0

    def allows(self, patient_id: UUID, consent: str) -> bool:
        """Whether the person's newest decision allows this now."""
        decision = self.consents.get((patient_id, consent))
        return decision is not None and decision.holds(self.at)

    def key_of(self, item: Item) -> UUID | None:
        """Return the primary key of the item's id, or None when it has no readable id or no known patient."""
        person = self.people.get(item.pseudonym)
        if not item.id or (person is None and item.pseudonym):
            return None
        patient_id = row_id(person) if person is not None else None
        return key_id(Source.ITEM, self.sender, patient_id, item.id)


@dataclass(slots=True)
class Sorted:
    """An outcome on its way, with what later steps need to know."""

    outcome: Outcome
    person: Any = None
    key: UUID | None = None
    may_screen: bool = False
    is_over: bool = False
    was_evidence: bool = False
    screening: Screening | None = None
    reading: ModelReading | None = None
    is_unscreened: bool = False
    gave_evidence: bool = False

    @property
    def item(self) -> Item:
        """The item itself."""
        return self.outcome.item

    @property
    def row_id(self) -> UUID:
        """The id that its row gets; allotted before anything is written."""
        if self.outcome.object_id is None:
            self.outcome.object_id = uuid7(self.item.moment())
        return self.outcome.object_id

    @property
    def is_taken(self) -> bool:
        """Whether it is to be written."""
        return self.outcome.result is Result.STORED

    @property
    def needs_person(self) -> bool:
        """Whether its words hold a tier, a threat, or worry about somebody: a limit can't hold it back."""
        return self.is_unscreened or (self.screening is not None and self.screening.is_flagged)

    @property
    def became_evidence(self) -> bool:
        """Whether its words were read and told something, now or at an earlier try."""
        return self.was_evidence or (self.screening is not None and self.screening.is_flagged)

    def fail(self, reason: str) -> None:
        """Say that it has to be sent again."""
        self.outcome.result = Result.FAILED
        self.outcome.reason = reason
        self.outcome.wants_support = True

    def refuse(self, reason: str, pointer: str = "", *, support: bool = False) -> None:
        """Turn it into a rejection."""
        self.outcome.result = Result.REJECTED
        self.outcome.reason = reason
        self.outcome.where = place(pointer)
        self.outcome.wants_support = self.outcome.wants_support or support


def row_id(person: Person) -> UUID:
    """Return the row that things are filed under: a merged row points to the person's own."""
    return person.merged_into_id or person.pk


def sort_items(items: Iterable[Item], facts: Facts) -> list[Sorted]:
    """Return each item with its provisional result; consents of the batch hold for the items after them."""
    seen: set[UUID] = set()
    return [_sort(item, facts, seen) for item in items]


def _sort(item: Item, facts: Facts, seen: set[UUID]) -> Sorted:
    person = facts.people.get(item.pseudonym) if item.pseudonym else None
    found = Sorted(Outcome(item), person, facts.key_of(item))
    found.outcome.notes = _notes(item)
    if person is not None:
        found.outcome.patient_id = row_id(person)
        found.may_screen = item.carries_words and facts.allows(row_id(person), TREATMENT)
    if person is None and _needs_person(item):
        unknown = bool(item.pseudonym)
        support = item.carries_words or item.kind == "sos"
        found.refuse("unknown_patient" if unknown else "missing", "/patient", support=support)
        if item.refusal is not None and not unknown:
            found.refuse(item.refusal.reason, item.refusal.field, support=support)
        return found
    _use_key(found, facts, seen)
    if found.outcome.result is Result.DUPLICATE:
        found.may_screen = False
        found.outcome.wants_support = item.carries_words
        return found
    if item.refusal is not None:
        found.refuse(item.refusal.reason, item.refusal.field, support=item.carries_words)
        return found
    _use_consents(found, facts)
    # What was stored at an earlier try uses up no rate, or a batch over the limit would never get through.
    facts.counted += 1
    found.is_over = facts.counted > facts.allowed and item.kind not in ALWAYS_TAKEN
    if found.is_taken and found.key is not None:
        seen.add(found.key)
    return found


def _needs_person(item: Item) -> bool:
    return not (item.kind == "telemetry" and not item.pseudonym)


def _use_key(found: Sorted, facts: Facts, seen: set[UUID]) -> None:
    """A known id is a duplicate, unless it was only expected, or only its words were read so far."""
    if found.key is None or found.item.kind == "sos":
        # A button is never a duplicate: pressed again, it is meant again.
        found.outcome.object_id = uuid7(found.item.moment())
        return
    known = facts.known.get(found.key)
    if found.key in seen or (known is not None and known.result == "stored"):
        found.outcome.result = Result.DUPLICATE
        found.outcome.object_id = known.object_id if known else None
        return
    found.was_evidence = known is not None and known.result == "screened"
    allotted = known.object_id if known is not None else None
    found.outcome.object_id = allotted or uuid7(found.item.moment())


def _use_consents(found: Sorted, facts: Facts) -> None:
    item = found.item
    if item.kind == "sos" or found.person is None:
        return
    patient_id = row_id(found.person)
    if item.kind == "consent":
        _decide(facts, patient_id, item)
        return
    has_words = item.carries_words or item.kind in WORDED
    needed = [TREATMENT] * has_words + [VOICE] * item.schema.needs_voice
    if not all(facts.allows(patient_id, consent) for consent in needed):
        found.refuse("no_consent", support=True)
        found.may_screen = False


def _decide(facts: Facts, patient_id: UUID, item: Item) -> None:
    """The newest decision counts, also when an older one arrives late; of two at once the later one."""
    kind = item.values["consent_type"]
    # A clock that runs ahead must not delay a withdrawal.
    at = min(item.moment(), facts.at)
    standing = facts.consents.get((patient_id, kind))
    if standing is None or at >= standing.at:
        facts.consents[patient_id, kind] = Decision(item.values["granted"], at, item.values.get("expires_at"))


def _notes(item: Item) -> list[str]:
    notes = []
    if item.replaced:
        notes.append("characters_replaced")
    if item.sent_at is not None and item.sent_at != item.at:
        notes.append("time_clamped")
    if item.ignored:
        notes.append("members_ignored")
    return notes
