"""What the intake bench sends: conversations as apps send them, every text different, the same for a seed.

A conversation is 20 items of one person: a session that starts and ends, thirteen messages, three emotions
and two check-ins. Four of its messages (one item in five) are texts of real length: log-normal with a median
of 232 characters and sigma 1.05, as the posts of the shared risk data have them (half below 232, one in ten
above 896), at most 8,000.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

PER_CONVERSATION = 20
MEDIAN, SIGMA, SHORTEST, LONGEST = 232, 1.05, 40, 8_000
# Who speaks, in the order of the conversation: the person at length, the person in short, the assistant.
TURNS = "SALSASLSALSLS"
SUBJECTS = (
    "my sister", "my neighbour", "the children", "my uncle", "a friend from school", "my landlord",
    "the teacher", "my cousin", "our choir", "the woman at the kiosk", "my brother",
    "the driver of the matatu", "my aunt", "the new colleague", "my grandmother", "the boys from the pitch",
    "my boss", "the nurse",
)  # fmt: skip
DEEDS = (
    "came to visit", "called about the weekend", "wanted to borrow the bicycle", "told a long story",
    "helped me carry the water", "was late again", "cooked pilau for everybody", "asked how the exam went",
    "brought oranges from the market", "sang the whole way", "did not answer the message",
    "laughed at my hat", "talked about the rain", "lost the keys", "planted beans behind the house",
    "paid me back",
)  # fmt: skip
PLACES = (
    "at the market", "on the way to work", "in the kitchen", "after church", "near the stage",
    "at the clinic", "by the river", "in the library", "at home", "on the phone",
    "in the queue at the bank", "under the mango tree",
)  # fmt: skip
FEELINGS = (
    "I slept well after that.", "I was a bit tired in the evening.", "It made me smile.",
    "I wrote it down as you said.", "I tried the breathing and it helped somewhat.",
    "Work was long but fine.", "I had little appetite at lunch.",
    "I went for a walk instead of lying down.", "I still think about it.", "Then I read a few pages.",
    "I was nervous before, and calmer afterwards.", "We ate together.", "Nimelala vizuri usiku huo.",
    "Kazi ilikuwa nyingi lakini nimemaliza.", "Nilifurahi sana kumwona.",
    "Leo nimekula chakula kizuri na familia.", "Nilitembea kidogo jioni.", "Mambo iko fiti tu, nashukuru.",
)  # fmt: skip
SYLLABLES = [a + b for a in "bdfgjklmnprstvwz" for b in "aeiou"]
MOODS = ("happy", "neutral", "neutral", "trust", "anticipation", "surprise", "sad", "neutral")
CRIES = (
    "I have a plan to end my life tonight and I already wrote the letter to {name}.",
    "leo usiku nitajiua, nimeandaa kamba, mwambie {name}",
    "I am going to kill myself tonight, {name} does not know.",
)  # fmt: skip

Item = dict[str, Any]


def name_of(number: int) -> str:
    """Return a made-up name that stands for one number alone."""
    parts = []
    while True:
        number, rest = divmod(number, len(SYLLABLES))
        parts.append(SYLLABLES[rest])
        if not number:
            # The closing letter is no syllable's, so that no name is the beginning of another.
            return "".join(parts).capitalize() + "x"


class Load:
    """Everything that one run sends; `tag` keeps the ids of runs apart, `at` is when it all happened.

    Check-ins are of the days before `day`, going back: of each day a person has one.
    """

    def __init__(self, people: list[str], seed: int, tag: str, at: datetime, day: date) -> None:
        self.people, self.seed, self.tag, self.at, self.day = people, seed, tag, at, day

    def conversation(self, number: int) -> list[Item]:
        """Return the twenty items of one conversation, in their order."""
        return list(self._items(number))

    def batch(self, number: int, size: int) -> list[Item]:
        """Return one request's items: `size` / 20 whole conversations, each of another person."""
        first = number * (size // PER_CONVERSATION)
        return [
            item for one in range(first, first + size // PER_CONVERSATION) for item in self.conversation(one)
        ]

    def single(self, number: int) -> Item:
        """Return one message of a run of single items."""
        chance = self._chance("single", number)
        text = self._long(chance, "q", number) if number % 5 == 0 else self._short(chance, "q", number)
        who = self.people[number * 7 % len(self.people)]
        return self._item(
            f"q{number}", "message", who, self.at, role="patient", session=f"q-{number}", text=text
        )

    def cry(self, number: int) -> Item:
        """Return one message of somebody in a crisis; each is of another person."""
        who = self.people[number % len(self.people)]
        text = CRIES[number % len(CRIES)].format(name=name_of(number))
        return self._item(
            f"c{number}", "message", who, self.at, role="patient", session=f"c-{number}", text=text
        )

    def _chance(self, kind: str, number: int) -> random.Random:
        return random.Random(f"{self.seed}/{kind}/{number}")

    def _item(self, name: str, kind: str, who: str, at: datetime, **values: Any) -> Item:
        return {"id": f"{self.tag}-{name}", "kind": kind, "patient": who, "at": at.isoformat(), **values}

    def _items(self, number: int) -> Iterator[Item]:
        chance = self._chance("talk", number)
        who = self.people[number % len(self.people)]
        began = self.at - timedelta(minutes=chance.randrange(60, 600))
        session, voice = f"{self.tag}-s{number}", number % 4 == 0
        step = iter(range(PER_CONVERSATION))

        def item(kind: str, **values: Any) -> Item:
            minute = next(step)
            return self._item(f"{number}-{minute}", kind, who, began + timedelta(minutes=minute), **values)

        kind, channel = ("voice_checkin", "voice_app") if voice else ("chat", "app")
        yield item("session_started", session=session, session_kind=kind, channel=channel, mood="calm",
                   metrics={"opened_by": "reminder", "battery": chance.randrange(100)})  # fmt: skip
        for said, turn in enumerate(TURNS, start=1):
            read = self._long if turn == "L" else self._short
            role = "assistant" if turn == "A" else "patient"
            yield item("message", session=session, role=role, language="en",
                       text=read(chance, "t", number * 32 + said))  # fmt: skip
            if said in (4, 8, 12):
                yield item("emotion", session=session, source="text", **self._felt(chance))
        for day in range(2):
            note = {"notes": self._short(chance, "n", number * 2 + day)} if chance.random() < 0.5 else {}
            when = self.day - timedelta(days=2 * (number // len(self.people)) + day + 1)
            scores = {"mood": chance.randrange(4, 10), "sleep_quality": chance.randrange(4, 10)}
            yield item(
                "checkin", date=when.isoformat(), **scores, stress_level=chance.randrange(2, 7), **note
            )
        yield item("session_ended", session=session, status="completed", duration_seconds=1140)

    @staticmethod
    def _felt(chance: random.Random) -> dict[str, Any]:
        felt = {
            "label": chance.choice(MOODS),
            "confidence": round(chance.uniform(0.5, 0.95), 2),
            "valence": round(chance.uniform(-0.2, 0.8), 2),
            "arousal": round(chance.uniform(-0.5, 0.5), 2),
            "model_name": "bench",
            "model_version": "1",
        }
        if chance.random() < 0.3:
            felt["clinical_markers"] = {"stress": round(chance.uniform(0, 0.4), 2)}
        return felt

    @staticmethod
    def _sentence(chance: random.Random) -> str:
        told = f"{chance.choice(SUBJECTS).capitalize()} {chance.choice(DEEDS)} {chance.choice(PLACES)}."
        return f"{told} {chance.choice(FEELINGS)}" if chance.random() < 0.6 else told

    def _short(self, chance: random.Random, kind: str, number: int) -> str:
        return f"{name_of(number)} and {self._sentence(chance)[:90]} ({kind})"

    def _long(self, chance: random.Random, kind: str, number: int) -> str:
        size = min(LONGEST, max(SHORTEST, int(math.exp(chance.gauss(math.log(MEDIAN), SIGMA)))))
        text = f"Today I met {name_of(number)} ({kind})."
        while len(text) < size:
            text += f" {self._sentence(chance)}"
        return text[:size].rstrip()


def body(items: list[Item]) -> bytes:
    """Return a request's body."""
    return json.dumps({"items": items}, ensure_ascii=False).encode()
