"""Decides what becomes of each item before anything is written: pure, in the order of the batch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from cortex.ids import uuid7
from crisis.intake.answers import Outcome, Result, place
from crisis.intake.items import Item
from crisis.intake.models import Source, key_id
from crisis.risk.dissonance import Dissonance
from crisis.risk.lexicon import Screening
from crisis.risk.textmodel import ModelReading
from patients.codes import SessionKind
from patients.privacy.records import GUARDIAN_CODE, Decision, decided, lacks_guardian, newer
from patients.privacy.scope import window_of

# Kinds that hold words of the conversation even when none of them are the person's own.
WORDED = frozenset({"message", "transcript", "tool_action", "rationale"})
ALWAYS_TAKEN = frozenset({"sos", "consent"})
TREATMENT, VOICE = "treatment", "voice_processing"
CONSENTS = (TREATMENT, VOICE)


class Person(Protocol):
    """What the rules need of a patient row."""

    pk: UUID
    merged_into_id: UUID | None

    @property
    def is_minor(self) -> bool:
        """Whether they are under 18, as far as anybody knows."""
        ...


class Digests(Protocol):
    """How the words of an item are told from others; None where the person's key can't be had."""

    def digest(self, patient_id: UUID | None, words: str) -> bytes | None:
        """Return the keyed digest of a person's words."""
        ...

    def same(self, patient_id: UUID | None, words: str, known: bytes | None) -> bool | None:
        """Whether a digest that was kept is of these words."""
        ...


@dataclass(frozen=True, slots=True)
class Known:
    """What an item id stands for, with digests of the words that were stored and that were evidence."""

    result: str
    object_type: str
    object_id: UUID | None
    words: bytes | None = None
    told: bytes | None = None

    @property
    def is_stored(self) -> bool:
        """Whether an item of this id was stored; else it was only expected, or only its words were read."""
        return self.result == "stored"


@dataclass(slots=True)
class Facts:
    """What the database knows about the people and ids of one batch.

    Item ids are the `client`'s; `sender` is whose clock the times of consents were read from. `kinds` are
    those that starts gave to sessions, by (patient, session name), where an item asks for them;
    `transcribed` are the sessions that have a transcript.
    """

    client: str
    at: datetime
    people: Mapping[str, Person]
    digests: Digests
    sender: UUID | None = None
    consents: dict[tuple[UUID, str], Decision] = field(default_factory=dict)
    known: Mapping[UUID, Known] = field(default_factory=dict)
    kinds: dict[tuple[UUID, str], str] = field(default_factory=dict)
    transcribed: set[tuple[UUID, str]] = field(default_factory=set)
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
        return key_id(Source.ITEM, self.client, patient_id, item.id)


@dataclass(slots=True)
class Sorted:
    """An outcome on its way, with what later steps need to know.

    `may_hear`: the person lets their voice be worked on. The words of a repeat were evidence at an earlier
    try; whether those of an uncertain item were, its id can't say, and the ledger is asked: by `told_as`, the
    id that it had then, since its row may get another one (a session's, a day's), which has other words too.
    `said_in` is the kind of the session of the message that a reading is of, where it is known.
    """

    outcome: Outcome
    person: Any = None
    key: UUID | None = None
    digest: bytes | None = None
    may_screen: bool = False
    may_hear: bool = False
    is_over: bool = False
    is_repeat: bool = False
    is_uncertain: bool = False
    told_as: UUID | None = None
    screening: Screening | None = None
    reading: ModelReading | None = None
    shadows: tuple[Screening, ...] = ()
    is_unscreened: bool = False
    gave_evidence: bool = False
    gap: Dissonance | None = None
    said_in: str = ""

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
    def told_id(self) -> UUID:
        """The id under which the ledger has its words, if an earlier try told them."""
        return self.told_as or self.row_id

    @property
    def is_duplicate(self) -> bool:
        """Whether an item of its id was stored before."""
        return self.outcome.result is Result.DUPLICATE

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
        return self.screening is not None and self.screening.is_flagged

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
    known = dict(facts.known)
    return [_sort(item, facts, known) for item in items]


def _sort(item: Item, facts: Facts, known: dict[UUID, Known]) -> Sorted:
    found = _found(item, facts)
    if found.person is None and not (item.kind == "telemetry" and not item.pseudonym):
        _refuse_nobody(found)
        return found
    # A button is never a duplicate: pressed again, it is meant again.
    before = known.get(found.key) if found.key is not None and item.kind != "sos" else None
    if before is not None:
        _compare(found, before, facts)
    if found.is_duplicate and not found.is_uncertain:
        # What was stored is not read again, whatever has become of the consent since.
        found.may_screen = False
    elif not _is_allowed(found, facts):
        found.refuse("no_consent", support=True)
        found.may_screen = False
    elif not found.is_duplicate:
        _take(found, facts, is_reused=before is not None and before.is_stored)
        if found.key is not None and (found.is_taken or found.may_screen):
            known[found.key] = _in_batch(found, before)
    return found


def _found(item: Item, facts: Facts) -> Sorted:
    """Return an item with what is known of its person, and an id for its row."""
    person = facts.people.get(item.pseudonym) if item.pseudonym else None
    found = Sorted(Outcome(item), person, facts.key_of(item))
    found.outcome.notes = _notes(item)
    found.outcome.object_id = uuid7(item.moment())
    if person is None:
        # Words that can be screened for nobody still get an answer that helps.
        found.outcome.wants_support = item.carries_words
        return found
    found.outcome.patient_id = row_id(person)
    found.digest = facts.digests.digest(row_id(person), item.saying)
    found.may_screen = item.carries_words and facts.allows(row_id(person), TREATMENT)
    found.may_hear = facts.allows(row_id(person), VOICE)
    return found


def _refuse_nobody(found: Sorted) -> None:
    item = found.item
    if item.pseudonym:
        found.refuse("unknown_patient", "/patient", support=_may_help(item))
    elif item.refusal is not None:
        found.refuse(item.refusal.reason, item.refusal.field, support=_may_help(item))
    else:
        found.refuse("missing", "/patient", support=_may_help(item))


def _may_help(item: Item) -> bool:
    """Whether a person may stand behind a refused item; nobody speaks through plain telemetry."""
    return item.carries_words or item.kind != "telemetry"


def _compare(found: Sorted, before: Known, facts: Facts) -> None:
    """Hold an item against what came under its id: an id alone says nothing about the words behind it.

    A decision is no duplicate of another one, nor of anything else: a withdrawal must not pass for taken.
    """
    patient_id, words = found.outcome.patient_id, found.item.saying
    found.told_as = before.object_id
    found.is_repeat = facts.digests.same(patient_id, words, before.told) is True
    if not before.is_stored:
        found.outcome.object_id = before.object_id or found.outcome.object_id
        found.is_uncertain = before.result == "screened" and None in (before.told, found.digest)
        return
    is_same = facts.digests.same(patient_id, words, before.words)
    if is_same is False or (found.item.kind == "consent" and is_same is None):
        found.outcome.notes.append("id_reused")
        return
    found.outcome.result = Result.DUPLICATE
    found.outcome.object_id = before.object_id
    found.outcome.wants_support = found.item.carries_words
    found.is_uncertain = is_same is None and found.item.carries_words


def _is_allowed(found: Sorted, facts: Facts) -> bool:
    """Whether the person's consents allow an item to be looked at; a button and a consent always are."""
    item = found.item
    if item.kind in ALWAYS_TAKEN or found.person is None:
        return True
    has_words = item.carries_words or item.kind in WORDED
    needed = [TREATMENT] * has_words + [VOICE] * item.needs_voice
    return all(facts.allows(row_id(found.person), consent) for consent in needed)


def _take(found: Sorted, facts: Facts, *, is_reused: bool) -> None:
    """Refuse what can't be read or hides behind another item's id; count the rest against the rate."""
    item = found.item
    if item.refusal is not None:
        found.refuse(item.refusal.reason, item.refusal.field, support=_may_help(item))
        return
    if is_reused:
        found.refuse("id_reused", "/id", support=True)
        return
    if item.kind == "transcript" and _has_transcript(item, row_id(found.person), facts):
        found.refuse("second_transcript", "/session", support=True)
        return
    if item.kind == "consent" and _lacks_guardian(item, found.person):
        found.refuse(GUARDIAN_CODE, "/guardian")
        return
    if item.kind == "consent":
        _decide(facts, row_id(found.person), item)
    if item.kind == "session_started":
        facts.kinds[row_id(found.person), item.values["session"]] = item.values["session_kind"]
    if item.kind == "session_ended" and _is_of_another_kind(item, row_id(found.person), facts):
        found.refuse("wrong_session_kind", "/neural_audio", support=_may_help(item))
        return
    # What was stored at an earlier try uses up no rate, or a batch over the limit would never get through.
    facts.counted += 1
    found.is_over = facts.counted > facts.allowed and item.kind not in ALWAYS_TAKEN


def _lacks_guardian(item: Item, person: Person) -> bool:
    """Whether a child's grant names nobody who gave it for them; treatment, which screening needs, may."""
    said = item.values
    return lacks_guardian(
        consent_type=said["consent_type"], granted=said["granted"], guardian=said.get("guardian"),
        is_minor=person.is_minor, by_app=True,
    )  # fmt: skip


def _has_transcript(item: Item, patient_id: UUID, facts: Facts) -> bool:
    """Whether the session has a transcript already, whose words must not go; a batch's first makes it so.

    They can't be joined: nothing says which were spoken first, and how long they may become together.
    """
    key = patient_id, item.values["session"]
    if key in facts.transcribed:
        return True
    facts.transcribed.add(key)
    return False


def _is_of_another_kind(item: Item, patient_id: UUID, facts: Facts) -> bool:
    """Whether an end says how neural audio was set of a session that was started as something else.

    Nothing speaks against it while the start is still to come.
    """
    if not item.values.get("neural_audio"):
        return False
    started_as = facts.kinds.get((patient_id, item.values["session"]), SessionKind.NEURAL_AUDIO)
    return started_as != SessionKind.NEURAL_AUDIO


def _in_batch(found: Sorted, before: Known | None) -> Known:
    """Return what an id stands for after this item; a row that isn't written yet has no id to name."""
    after = remembered(found, before, is_told=found.may_screen)
    return replace(after, object_id=None) if found.is_taken else after


def remembered(found: Sorted, before: Known | None, *, is_told: bool) -> Known:
    """Return what an id stands for after an item: what was stored under it first keeps it."""
    told = found.digest if is_told else before.told if before is not None else None
    if found.is_taken:
        return Known("stored", found.item.kind, found.outcome.object_id, found.digest, told)
    if before is not None and before.is_stored:
        return replace(before, told=told)
    return Known("screened", found.item.kind, found.told_as or found.outcome.object_id, told=told)


def _decide(facts: Facts, patient_id: UUID, item: Item) -> None:
    """Let a decision stand for the items after it, just as the ledger of consents will have it."""
    key = patient_id, item.values["consent_type"]
    decision = decided(
        facts.consents.get(key), granted=item.values["granted"], said_at=item.moment(), sender=facts.sender,
        at=facts.at, expires_at=item.values.get("expires_at"), window=window_of(item.values.get("scope")),
    )  # fmt: skip
    facts.consents[key] = newer(facts.consents.get(key), decision)


def _notes(item: Item) -> list[str]:
    notes = []
    if item.replaced:
        notes.append("characters_replaced")
    if item.sent_at is not None and item.sent_at != item.at:
        notes.append("time_clamped")
    if item.ignored:
        notes.append("members_ignored")
    return notes
