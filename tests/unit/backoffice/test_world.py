"""The fictional world: real series with their gaps, three languages, and nothing from outside the project."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from clinical.assessments.definitions import packaged
from clinical.assessments.scoring import score
from clinical.backoffice import world
from crisis.intake.items import read_items
from tests.stores import ROOT

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
PEOPLE = list(world.people(NOW.date()))


def test_there_are_eighty_people_of_three_languages_and_two_organizations() -> None:
    assert len(PEOPLE) == 80
    assert {person.language for person in PEOPLE} == {"en", "sw", "sheng"}
    assert len({person.slug for person in PEOPLE}) == 2
    assert len({person.phone for person in PEOPLE}) == 80


def test_a_persons_check_ins_are_the_real_persons_days_and_a_missing_day_stays_missing() -> None:
    gaps = 0
    for person in PEOPLE:
        # A short series is gone through again.
        days = [person.days[place % len(person.days)] for place in range(world.DAYS)]
        sent = [item for item in world.history(person, "CX-1", NOW) if item["kind"] == "checkin"]
        answered = {
            (NOW - timedelta(days=world.DAYS - place)).date().isoformat(): row
            for place, row in enumerate(days)
            if None not in row
        }
        gaps += len(days) - len(answered)
        assert [item["date"] for item in sent] == list(answered)
        for item in sent:
            _, _, worry, _, tired, joyless = answered[item["date"]]
            assert item["stress_level"] == scaled(worry)
            assert item["sleep_quality"] == scaled(6 - tired)
            assert item["mood"] == scaled(6 - joyless)
    assert gaps > 0, "the study's missing days are among the slices"


def test_every_item_of_the_past_is_one_that_the_door_takes_and_some_listen_to_neural_audio() -> None:
    listened = 0
    for person in PEOPLE:
        read = read_items(world.history(person, "CX-1", NOW), NOW)
        assert all(item.refusal is None and item.ignored == () for item in read)
        settings = [item.values["neural_audio"] for item in read if "neural_audio" in item.values]
        assert len(settings) in (0, 2 * len(world.LISTENED))
        listened += bool(settings)
    assert listened == len(PEOPLE[1::3])


def scaled(answer: float | None) -> int:
    """1 to 5 as 1 to 10."""
    assert answer is not None
    return min(10, max(1, round(1 + (answer - 1) * 2.25)))


def test_each_language_speaks_its_own_words_in_every_mood() -> None:
    words = world.read("dialogues")
    for mood in ("everyday", "heavy", "urgent", "now"):
        for language in ("en", "sw", "sheng"):
            person = next(one for one in PEOPLE if one.language == language)
            item = world.live_item(person, "CX-1", mood, random.Random(7))
            assert item["text"] in words[mood][language]


def test_the_questionnaires_follow_the_margins() -> None:
    courses = list(world.measure_courses())
    assert len(courses) == 80
    for course in courses:
        assert [(key, days) for key, days, _ in course] == [
            (key, days) for days in (35, 21, 7) for key in ("phq9", "gad7")
        ]
        for key, days, answers in course:
            score(packaged()[key], answers)  # refuses what the measure hasn't
            assert answers.get("q9", 0) in ((0, 1) if days == 7 else (0,))
    last = [sum(value or 0 for value in course[-2][2].values()) for course in courses]
    assert 2 < sum(last) / 80 < 6  # the margins' own mean is about 4


def test_the_slices_lie_in_the_project_and_nothing_is_read_from_beside_it() -> None:
    credits = (ROOT / "ATTRIBUTION.md").read_text()
    for name, source in (("ema_days", "Fried"), ("phq9_margins", "NHANES"), ("voice_emotions", "CREMA-D")):
        assert source in world.read(name)["source"]
        assert source in credits
    sources = [path for floor in ("cortex", "patients", "crisis", "clinical")
               for path in Path(ROOT / floor).rglob("*.py")]  # fmt: skip
    assert not [
        path for path in sources if "../shared" in path.read_text() or "shared/data" in path.read_text()
    ]
