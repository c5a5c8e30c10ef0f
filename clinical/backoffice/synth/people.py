"""Fictional people and how their alerts ended, as plain data of a plan's chunk; stores nothing."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from clinical.backoffice import world
from clinical.backoffice.synth.plan import EVENTS, Chunk, Plan, id_at

LANGUAGES = ("en", "en", "en", "sw", "sw", "sheng")
ADULT, OLDEST = 16 * 366, 80 * 365
# What led to an alert is kept for this long; the months of the table of messages are asked for beforehand.
WORDS_KEPT = timedelta(days=60)
PROMISED = timedelta(hours=24)
LONGEST_ANSWER = timedelta(minutes=40)
CONSENTS = ("treatment", "privacy_notice", "emergency_contact")
SENTENCES = (
    "I can't see how this goes on, I keep thinking about it since {when}.",
    "Nobody at home talks to me any more and {what} is on my mind all day.",
    "I have not slept properly since {when}, and I don't want to wake up to this.",
    "Sijui nitaendelea vipi, nafikiria {what} kila siku tangu {when}.",
    "It is the debt and {what}; some evenings I think everybody would be better off without me.",
)
WHENS = ("Sunday", "last week", "the funeral", "March", "the exam", "jana usiku", "the move", "payday")
WHATS = ("the loan", "school", "the quarrel", "my job", "the rent", "the diagnosis", "the break-up")


@dataclass(frozen=True, slots=True)
class Ended:
    """One alert of the past: two numbers of its organization's feed, and the ids of what it rests on."""

    id: UUID
    feed_number: int
    level: str
    rule: str
    raised_at: datetime
    claimed_at: datetime
    resolved_at: datetime
    false_alarm: bool
    evidence_id: UUID
    assessment_id: UUID
    event_ids: tuple[UUID, ...]
    feedback_id: UUID
    # Only of the last weeks, and of the last day.
    session_id: UUID | None
    message_id: UUID | None
    follow_up_id: UUID | None
    words: str
    notes: str


@dataclass(frozen=True, slots=True)
class Person:
    """One fictional patient."""

    number: int
    id: UUID
    pseudonym: str
    given: str
    family: str
    email: str
    phone: str
    born: date
    language: str
    registered_at: datetime
    last_active_at: datetime
    consent_ids: tuple[UUID, ...]
    place_id: UUID
    contact_id: UUID
    contact: str
    alert: Ended | None


def people(plan: Plan, chunk: Chunk) -> list[Person]:
    """Return the people of a chunk, each with what was decided about their alert if they had one."""
    names, chance = world.read("people"), plan.chance(chunk.first)
    ended = {plan.person_of(one): one for one in _ended(plan, chunk)}
    return [
        _person(plan, chunk.organization, number, ended.get(number), names, chance)
        for number in range(chunk.first, chunk.end)
    ]


def _ended(plan: Plan, chunk: Chunk) -> range:
    here, over = plan.alarmed(chunk.first, chunk.end), plan.ended(chunk.organization)
    return range(here.start, min(here.stop, over.stop))


def _person(
    plan: Plan,
    organization: int,
    number: int,
    alert: int | None,
    names: dict[str, list[str]],
    chance: random.Random,
) -> Person:
    at = plan.registered_at(organization, number)
    family = chance.choice(names["family"])
    return Person(
        number=number,
        id=id_at(at, chance),
        pseudonym=plan.pseudonym(number),
        given=chance.choice(names["given"]),
        family=f"{family} (fictional)",
        email=f"person{number}@synth.example",
        phone=f"+2547{number:08d}",
        born=(plan.at - timedelta(days=chance.randint(ADULT, OLDEST))).date(),
        language=chance.choice(LANGUAGES),
        registered_at=at,
        last_active_at=plan.at - timedelta(minutes=chance.randint(1, 60 * 24 * 90)),
        consent_ids=tuple(id_at(at, chance) for _ in CONSENTS),
        place_id=id_at(at, chance),
        contact_id=id_at(at, chance),
        contact=f"{family} senior (fictional)",
        alert=None if alert is None else _alert(plan, organization, alert, chance),
    )


def _alert(plan: Plan, organization: int, alert: int, chance: random.Random) -> Ended:
    raised, gap = plan.raised_at(organization, alert)
    # Ended before the next one begins: the feed's order is then the order of the times.
    took = min(LONGEST_ANSWER * chance.uniform(0.2, 1.0), gap * 0.9)
    resolved, is_recent = raised + took, raised > plan.at - WORDS_KEPT
    is_critical = chance.random() < 0.2
    sentence = chance.choice(SENTENCES).format(when=chance.choice(WHENS), what=chance.choice(WHATS))
    return Ended(
        id=id_at(raised, chance),
        feed_number=1 + EVENTS * (alert - plan.ended(organization).start),
        level="critical" if is_critical else "high",
        rule="H1" if is_critical else "H11",
        raised_at=raised,
        claimed_at=raised + took * 0.1,
        resolved_at=resolved,
        false_alarm=chance.random() < 0.15,
        evidence_id=id_at(raised, chance),
        assessment_id=id_at(raised, chance),
        event_ids=(id_at(raised, chance), id_at(resolved, chance)),
        feedback_id=id_at(resolved, chance),
        session_id=id_at(raised, chance) if is_recent else None,
        message_id=id_at(raised, chance) if is_recent else None,
        follow_up_id=id_at(resolved, chance) if resolved > plan.at - PROMISED else None,
        words=f"{sentence} (fictional, {alert})",
        notes=f"Spoke with them for a while; they are with family tonight. (fictional, {alert})",
    )
