"""The fictional world of the demo as plain data: people, days and words, the same for the same seed."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

DATA = Path(__file__).parent / "data"
SEED = 20_261_121
DAYS = 14
LANGUAGES = ("en", "en", "en", "sw", "sw", "sheng")
VALENCE = {"happy": 0.8, "neutral": 0.0, "disgust": -0.5, "angry": -0.6, "fear": -0.6, "sad": -0.7}


@cache
def read(name: str) -> Any:
    """Return one of the demo's data files."""
    return json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Person:
    """One fictional patient: who they are and which real series their days follow."""

    number: int
    slug: str
    given: str
    family: str
    born: date
    language: str
    phone: str
    days: list[list[float | None]]


# Which measure, how many days ago, and the answers by key.
Answers = tuple[str, int, dict[str, int | None]]


def people(today: date) -> Iterator[Person]:
    """Yield every fictional patient of both organizations; the days are those of the EMA study, in turn."""
    source = read("people")
    series = read("ema_days")["people"]
    number = 0
    for organization in source["organizations"]:
        for _ in range(organization["patients"]):
            chance = random.Random(SEED + number)  # noqa: S311 - a demo, no secret
            yield Person(
                number=number,
                slug=organization["slug"],
                given=source["given"][number % len(source["given"])],
                family=source["family"][number % len(source["family"])],
                born=today - timedelta(days=chance.randint(16 * 366, 62 * 365)),
                language=chance.choice(LANGUAGES),
                phone=f"+2547000{number:05d}",
                days=series[number % len(series)],
            )
            number += 1


def history(person: Person, pseudonym: str, now: datetime) -> list[dict[str, Any]]:
    """Return what the person's app sent in the last two weeks, oldest first."""
    chance = random.Random(SEED * 3 + person.number)  # noqa: S311 - a demo, no secret
    items: list[dict[str, Any]] = []
    for back in range(DAYS, 0, -1):
        at = (now - timedelta(days=back)).replace(hour=chance.randint(6, 19), minute=chance.randint(0, 59))
        answers = person.days[(DAYS - back) % len(person.days)]
        # A day on which the real person did not answer stays a day without an answer.
        row = [one for one in answers if one is not None]
        if len(row) == len(answers):
            items.append(_check_in(pseudonym, at, row))
            if back % 3 == 0:
                items += _voice(person, pseudonym, at, row, chance)
            if back % 3 == 1:
                items += _exercise(person, pseudonym, at, chance)
        if back == 2:
            items += _chat(person, pseudonym, at, chance)
        if back in LISTENED and person.number % 3 == 1:
            items += _listen(person, pseudonym, at, *LISTENED[back])
        if back % 4 == 1:
            items.append(
                _message(pseudonym, at + timedelta(minutes=20), _say("everyday", person, chance), person)
            )
    return items


def _item(kind: str, pseudonym: str, at: datetime, **members: Any) -> dict[str, Any]:
    return {"id": str(uuid.uuid4()), "kind": kind, "patient": pseudonym, "at": at.isoformat(), **members}


def _check_in(pseudonym: str, at: datetime, row: list[float]) -> dict[str, Any]:
    _, relaxed, worry, _, tired, joyless = row
    return _item(
        "checkin",
        pseudonym,
        at,
        date=at.date().isoformat(),
        mood=_ten(joyless, reverse=True),
        sleep_quality=_ten(tired, reverse=True),
        stress_level=_ten(worry),
        focus_score=_ten(relaxed),
    )


def _ten(answer: float, *, reverse: bool = False) -> int:
    """Turn an answer of 1 to 5 into 1 to 10."""
    value = 6.0 - answer if reverse else answer
    return min(10, max(1, round(1 + (value - 1) * 2.25)))


def _voice(
    person: Person, pseudonym: str, at: datetime, row: list[float], chance: random.Random
) -> list[dict[str, Any]]:
    """Return one voice check-in: its emotion is drawn from the CREMA-D mix, its words from the day's mood."""
    session = f"v{person.number}-{at:%Y%m%d}"
    topics = chance.sample(("school_fees", "unemployment", "family_obligation", "bereavement_rites"), 2)
    shares = read("voice_emotions")["shares"]
    label = chance.choices(list(shares), weights=list(shares.values()))[0]
    mood = (3.0 - row[5]) / 2
    return [
        _item(
            "session_started",
            pseudonym,
            at,
            session=session,
            session_kind="voice_checkin",
            channel="voice_app",
        ),
        _item(
            "voice_features",
            pseudonym,
            at + timedelta(minutes=3),
            session=session,
            pitch_mean=round(chance.gauss(185, 12), 1),
            pitch_std=round(chance.gauss(22, 3), 1),
            energy_mean=round(chance.gauss(-22, 2), 1),
            speech_rate=round(chance.gauss(4.2, 0.3), 2),
            pause_ratio=round(min(0.9, max(0.05, chance.gauss(0.18, 0.03))), 3),
            speech_seconds=chance.randint(40, 180),
            signal_ok=True,
            voice_emotion=label,
            voice_confidence=round(chance.uniform(0.45, 0.85), 2),
            voice_valence=VALENCE[label],
            text_valence=round(min(1.0, max(-1.0, mood)), 2),
            text_confidence=round(chance.uniform(0.5, 0.8), 2),
            topic_codes=topics,
            coping_codes=chance.sample(("breathing", "prayer", "walking", "talking"), 1),
        ),
        _item(
            "transcript", pseudonym, at + timedelta(minutes=3), session=session,
            text=_say("everyday", person, chance), language=_code(person.language),
        ),
        *(_felt(person, pseudonym, session, at + timedelta(seconds=30 * step), label, chance, step == 3)
          for step in (1, 2, 3, 6)),
        _item(
            "session_ended",
            pseudonym,
            at + timedelta(minutes=4),
            session=session,
            status="completed",
            duration_seconds=240,
        ),
        _item(
            "feedback",
            pseudonym,
            at + timedelta(minutes=5),
            session=session,
            effectiveness=min(10, max(1, round(5 + 2 * mood + chance.uniform(0, 2)))),
            effectiveness_scale="1-10",
            mental_effects=[chance.choice(("calmer", "lighter", "tired", "no change"))],
        ),
    ]  # fmt: skip


def _felt(
    person: Person,
    pseudonym: str,
    session: str,
    at: datetime,
    label: str,
    chance: random.Random,
    marked: bool,
) -> dict[str, Any]:
    """Return one reading of a voice; some heavy ones ask for a clinician, none is hopeless."""
    heavy = marked and VALENCE[label] < -0.5 and person.number % 3 == 0
    more = {"clinical_markers": {"depression": round(chance.uniform(0.7, 0.8), 2)}} if heavy else {}
    return _item(
        "emotion", pseudonym, at, session=session, source="voice", label=label,
        valence=round(min(1.0, max(-1.0, VALENCE[label] + chance.gauss(0, 0.12))), 2),
        confidence=round(chance.uniform(0.3, 0.9), 2), model_name="cremad-ser", model_version="1.2", **more,
    )  # fmt: skip


def _exercise(person: Person, pseudonym: str, at: datetime, chance: random.Random) -> list[dict[str, Any]]:
    """Return a breathing exercise that the person did alone, and what they thought of it."""
    session, begun = f"g{person.number}-{at:%Y%m%d}", at + timedelta(hours=2)
    done = begun + timedelta(minutes=6)
    return [
        _item(
            "session_started", pseudonym, begun, session=session, session_kind="self_guided", channel="app"
        ),
        _item(
            "activity", pseudonym, begun, session=session, activity_type="breathing_exercise",
            completed_at=done.isoformat(), duration_seconds=360,
            outcome_score=round(chance.uniform(0.3, 0.9), 2),
        ),
        _item("feedback", pseudonym, done, session=session, satisfaction=chance.randint(3, 5)),
        _item(
            "session_ended", pseudonym, done, session=session, status="completed", duration_seconds=360
        ),
    ]  # fmt: skip


def _chat(person: Person, pseudonym: str, at: datetime, chance: random.Random) -> list[dict[str, Any]]:
    """Return a conversation with the assistant: what was said, what it did, and why it answered so."""
    session, begun = f"c{person.number}-{at:%Y%m%d}", at + timedelta(hours=1)
    said = _message(pseudonym, begun, _say("everyday", person, chance), person) | {"session": session}
    answer = _item(
        "message", pseudonym, begun + timedelta(minutes=1), session=session, role="assistant", language="en",
        text="Thank you for telling me. Shall we try the breathing exercise that helped last week?",
    )  # fmt: skip
    return [
        _item("session_started", pseudonym, begun, session=session, session_kind="chat", channel="chat"),
        said,
        answer,
        _item(
            "emotion", pseudonym, begun, message=said["id"], source="text", label="sad", valence=-0.5,
            confidence=round(chance.uniform(0.45, 0.8), 2), model_name="text-emo", model_version="0.9",
        ),
        _item(
            "tool_action", pseudonym, begun + timedelta(minutes=1), session=session,
            tool_name="breathing_timer", status="succeeded",
            finished_at=(begun + timedelta(minutes=1, seconds=2)).isoformat(),
        ),
        _item(
            "rationale", pseudonym, begun + timedelta(minutes=1), message=answer["id"],
            policy_selected="validate_then_activate", target_state="calm",
            selected_tools=["breathing_timer"],
            citations=[{"title": "Breathing for sleep (fictional guide)", "chunk": "3"}],
        ),
        _item(
            "session_ended", pseudonym, begun + timedelta(minutes=9), session=session, status="completed",
            duration_seconds=540,
        ),
    ]  # fmt: skip


# By the days before now: how well some people's neural audio helped, of 10, and what was noted in it.
LISTENED: dict[int, tuple[int, list[dict[str, str]]]] = {
    9: (8, []), 6: (9, []), 3: (9, [{"code": "headache", "severity": "mild"}]),
}  # fmt: skip


def _listen(
    person: Person, pseudonym: str, at: datetime, helped: int, effects: list[dict[str, str]]
) -> list[dict[str, Any]]:
    """Return neural audio that the person listened to: how it was set, what was noted, what they thought."""
    session, begun = f"n{person.number}-{at:%Y%m%d}", at + timedelta(hours=3)
    done = begun + timedelta(minutes=20)
    return [
        _item(
            "session_started", pseudonym, begun, session=session, session_kind="neural_audio", channel="app",
            neural_audio={"base_frequency_hz": 14, "target_frequency_hz": 10, "volume_level": 50,
                          "initial_state": "tense", "target_state": "calm"},
        ),
        _item(
            "session_ended", pseudonym, done, session=session, status="completed", duration_seconds=1200,
            neural_audio={"side_effects": effects},
        ),
        _item("feedback", pseudonym, done, session=session, satisfaction=4, effectiveness=helped),
    ]  # fmt: skip


def _say(mood: str, person: Person, chance: random.Random) -> str:
    words = read("dialogues")[mood]
    return str(chance.choice(words.get(person.language) or words["en"]))


def _message(pseudonym: str, at: datetime, text: str, person: Person) -> dict[str, Any]:
    return _item("message", pseudonym, at, role="patient", text=text, language=_code(person.language))


def _code(language: str) -> str:
    return "sw" if language == "sheng" else language


def live_item(person: Person, pseudonym: str, mood: str, chance: random.Random) -> dict[str, Any]:
    """Return what the person's app sends now: everyday or heavy words, or a pressed button."""
    now = datetime.now(UTC)
    if mood == "sos":
        return _item("sos", pseudonym, now, button=chance.choice(["in_danger", "talk"]))
    return _message(pseudonym, now, _say(mood, person, chance), person)


def measure_courses() -> Iterator[list[Answers]]:
    """Yield three PHQ-9s and GAD-7s per fictional patient, drawn from the NHANES margins of the PHQ-9.

    The last is the draw; those before differ by a step in some items, so that courses rise, fall and stay.
    Nobody's item 9 is above 1, so that the demo's board is not full before anything happens.
    """
    margins = read("phq9_margins")["items"]
    for number in range(sum(one["patients"] for one in read("people")["organizations"])):
        chance = random.Random(SEED * 7 + number)  # noqa: S311 - a demo, no secret
        last = [chance.choices(range(4), weights=weights)[0] for weights in margins]
        drift = chance.choice((-1, 0, 1, 1))
        course: list[Answers] = []
        for steps, days in ((2, 35), (1, 21), (0, 7)):
            values = [min(max(value + drift * steps * chance.choice((0, 1)), 0), 3) for value in last[:8]] + [
                min(last[8], 1) if steps == 0 else 0
            ]
            course.append(("phq9", days, {f"q{item}": value for item, value in enumerate(values, 1)}))
            course.append(("gad7", days, {f"q{item}": value for item, value in enumerate(values[:7], 1)}))
        yield course


def notes_of(person: Person) -> list[dict[str, Any]]:
    """Return what the demo's therapist wrote about a person: a course of notes for one of three people."""
    courses: list[list[dict[str, Any]]] = read("notes")["courses"]
    return courses[person.number // 3 % len(courses)] if person.number % 3 == 0 else []


# So many of a therapist's people come every week; five on each of four days.
WEEKLY = 20
WEEKS = 3


def hours(turn: int, now: datetime, zone: str) -> tuple[list[datetime], list[datetime]]:
    """Return when the `turn`-th person of a therapist comes: weeks behind and ahead, at one local hour."""
    local = now.astimezone(ZoneInfo(zone))
    monday = (local - timedelta(days=local.weekday())).date()
    day, clock = monday + timedelta(days=turn % 4), time(9 + turn // 4 % 5 * 2 % 9, 15 * (turn % 2))
    starts = [
        datetime.combine(day + timedelta(weeks=week), clock, ZoneInfo(zone)).astimezone(UTC)
        for week in range(-WEEKS, WEEKS + 1)
    ]
    return [one for one in starts if one + timedelta(hours=1) < now], [one for one in starts if one > now]


def tariffs() -> list[dict[str, Any]]:
    """Return a fictional Kenyan service's own tariffs, in cents of a shilling."""
    common = {"system": "own", "jurisdiction": "KE", "currency": "KES"}
    return [
        {**common, "code": "TH-30", "own_label": "Therapy, 30 min", "service": "psychotherapy",
         "min_minutes": 20, "max_minutes": 44, "amount_cents": 200_000},
        {**common, "code": "TH-50", "own_label": "Therapy, 50 min", "service": "psychotherapy",
         "min_minutes": 45, "max_minutes": None, "amount_cents": 350_000},
        {**common, "code": "IN-60", "own_label": "First appointment", "service": "intake",
         "min_minutes": 30, "max_minutes": None, "amount_cents": 450_000},
    ]  # fmt: skip
