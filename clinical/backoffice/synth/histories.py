"""What is on record about those who are treated for years: sessions, days, measures, levels; no database.

The first people of the first organization are one therapist's caseload; every tenth of them has ten years.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

from clinical.backoffice.synth.plan import Plan, id_at

YEAR = timedelta(days=365)
LONG, SHORT, EVERY = 10, 1, 10
# A check-in on three days of four: gaps are what real people leave.
ANSWERED = 0.75
MEASURES = {"phq9": (9, timedelta(days=28)), "gad7": (7, timedelta(days=28))}
EVALUATED = timedelta(days=14)
BANDS = {
    "phq9": ((20, "severe"), (15, "moderately_severe"), (10, "moderate"), (5, "mild"), (0, "minimal")),
    "gad7": ((15, "severe"), (10, "moderate"), (5, "mild"), (0, "minimal")),
}


@dataclass(frozen=True, slots=True)
class Given:
    """One questionnaire."""

    id: UUID
    key: str
    at: datetime
    answers: tuple[int, ...]
    band: str


@dataclass(slots=True)
class History:
    """Everything of one person, oldest first."""

    # id, when, kind, minutes
    sessions: list[tuple[UUID, datetime, str, int]] = field(default_factory=list)
    # id, day, mood, sleep, stress, focus
    days: list[tuple[UUID, date, int, int, int, int]] = field(default_factory=list)
    measures: list[Given] = field(default_factory=list)
    # id, when, level, when the level was entered
    levels: list[tuple[UUID, datetime, str, datetime]] = field(default_factory=list)


def history(plan: Plan, number: int) -> History:
    """Return what is on record about one of the treated; the same for the same seed."""
    chance = random.Random(f"synth/{plan.seed}/history/{number}")  # noqa: S311 - fictional people, no secret
    span = YEAR * (LONG if number % EVERY == 0 else SHORT)
    start = plan.at - span
    found = History()
    for at in _every(start, plan.at, timedelta(days=7)):
        kind = chance.choice(("therapy", "chat", "voice_checkin"))
        found.sessions.append((id_at(at, chance), at, kind, chance.randint(5, 55)))
    mood = chance.uniform(3, 7)
    for at in _every(start, plan.at, timedelta(days=1)):
        mood = min(10.0, max(1.0, mood + chance.gauss(0, 0.6)))
        if chance.random() < ANSWERED:
            scores = (round(mood), chance.randint(2, 9), chance.randint(2, 9), chance.randint(2, 9))
            found.days.append((id_at(at, chance), at.date(), *scores))
    for key, (count, apart) in MEASURES.items():
        for at in _every(start, plan.at, apart):
            answers = tuple(chance.choices((0, 1, 2, 3), (4, 4, 2, 1))[0] for _ in range(count))
            # Item 9 of the PHQ-9 stays at no: nobody's history asks for an alert that isn't there.
            answers = (*answers[:8], 0) if key == "phq9" else answers
            band = next(code for least, code in BANDS[key] if sum(answers) >= least)
            found.measures.append(Given(id_at(at, chance), key, at, answers, band))
    level, entered = "low", start
    for at in _every(start, plan.at, EVALUATED):
        if chance.random() < 0.1:
            level, entered = ("medium" if level == "low" else "low"), at
        found.levels.append((id_at(at, chance), at, level, at if at == start else entered))
    return found


def _every(start: datetime, end: datetime, step: timedelta) -> Iterator[datetime]:
    at = start
    while at < end:
        yield at
        at += step
