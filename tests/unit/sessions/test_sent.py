"""What apps send of a session beside words: shown as lines; what exercises hold opens with the words."""

from __future__ import annotations

from typing import Any

import pytest

from clinical.sessions.coding import deflection_words
from clinical.sessions.told import lines_of
from crisis.risk.lexicon import packaged
from patients.sessions.models import Session
from patients.sessions.records import ActivityData, FeatureData
from tests import makers
from tests.cast import Cast
from tests.unit.sessions.test_review import common, kept, looks, url
from tests.unit.sessions.test_running import begun, client_of

pytestmark = pytest.mark.django_db
FIGURES: dict[str, Any] = {"steps": 3000, "slept_well": False, "said": {"note": "The goat is gone"}}
ENTERED: dict[str, Any] = {"rounds": 4, "thoughts": ["goat", "rain"]}


def sat(cast: Cast, **more: Any) -> Session:
    return makers.make_session(
        cast.patient, **{"kind": "voice_checkin", "mood_label": "low_mood", "tags": ["school_fees"],
                         "metrics": FIGURES} | more,
    )  # fmt: skip


def opened(cast: Cast, session: Session) -> str:
    answer = client_of(cast.alice).post(url(cast, session, "words/"), {"purpose": "treatment"})
    makers.scope_all()
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        (None, []), ("", []), ([], []), ({}, []), (0, ["0"]), (False, ["no"]), ("As typed", ["As typed"]),
        ({"a_b": 0, "c": None}, ["A b: 0"]), (["x", 2, True], ["x, 2, yes"]),
        ({"said": {"note": "Goat", "at": [1, 2]}}, ["Said, note: Goat", "Said, at: 1, 2"]),
        ([{"a": 1}, {"b": {"c": 2}}], ["A: 1", "B, c: 2"]),
    ],
)  # fmt: skip
def test_whatever_an_app_sends_becomes_lines(value: Any, lines: list[str]) -> None:
    assert lines_of(value) == lines


def test_mood_tags_and_figures_stand_on_the_page_and_the_look_names_them(cast: Cast) -> None:
    page = client_of(cast.alice).get(url(cast, sat(cast))).content.decode()
    for words in ("Low mood", "school fees", "Steps: 3000", "Slept well: no", "Said, note: The goat is gone"):
        assert words in page
    (row,) = looks("session")
    assert "sent" in row.sections
    bare = client_of(cast.alice).get(url(cast, sat(cast, mood_label=None, tags=None, metrics=None)))
    assert "As the app sent it" not in bare.content.decode()
    assert "sent" not in looks("session")[-1].sections


def test_what_a_person_keeps_to_themself_keeps_its_mood_and_figures_too(cast: Cast) -> None:
    page = client_of(cast.alice).get(url(cast, sat(cast, kind="self_guided"))).content.decode()
    for words in ("Low mood", "school fees", "3000", "goat"):
        assert words not in page
    assert "sent" not in looks("session")[-1].sections
    shared = client_of(cast.alice).get(url(cast, sat(cast, kind="self_guided", is_shared=True)))
    assert "The goat is gone" in shared.content.decode()


def test_what_was_entered_in_an_exercise_opens_by_request_alone(cast: Cast) -> None:
    session = makers.make_session(cast.patient, kind="self_guided", is_shared=True)
    kept(cast, activities=[ActivityData(
        *common(cast), session_id=session.pk, activity_type="thought_record", started_at=makers.now(),
        activity_data=ENTERED, ai_analysis={"mood": {"shift": "up"}},
    )])  # fmt: skip
    page = client_of(cast.alice).get(url(cast, session)).content.decode()
    assert "Open the words" in page
    for words in ("Thoughts: goat", "Mood, shift"):
        assert words not in page
    assert looks("transcript") == []
    words = opened(cast, session)
    entered = ("Thought record", "Rounds: 4", "Thoughts: goat, rain")
    for told in (*entered, "no finding of ours", "Mood, shift: up"):
        assert told in words
    (row,) = looks("transcript")
    assert (row.object_id, row.subject) == (session.pk, cast.patient.pk)


def test_the_log_of_a_session_that_was_run_here_is_no_exercise(cast: Cast) -> None:
    session = begun(cast)
    kept(cast, activities=[ActivityData(
        *common(cast), session_id=session.pk, activity_type="interaction", started_at=makers.now(),
        activity_data={"text": "Spoke of the market"},
    )])  # fmt: skip
    assert "In exercises" not in opened(cast, session)


def test_what_was_read_in_the_words_stands_in_words(cast: Cast) -> None:
    session = makers.make_session(cast.patient, kind="chat")
    values = {
        "text_emotion": "resigned", "text_confidence": 0.8,
        "deflection_codes": ["en.f.dont_worry", "sw.f.usijali", "xx.f.unheard_of"],
    }  # fmt: skip
    who = common(cast)
    kept(cast, features=[FeatureData(*who, session_id=session.pk, observed_at=who[2], values=values)])
    page = client_of(cast.alice).get(url(cast, session)).content.decode()
    assert "Resigned, clear" in page
    assert "says not to worry, puts the question aside" in page
    assert "usijali" not in page
    assert "no sign by itself" in page


def test_every_phrase_of_the_lexicon_that_puts_aside_has_words() -> None:
    found = [one["id"] for one in packaged()["entries"] if one["role"] == "deflection"]
    assert found
    assert "puts the question aside" not in deflection_words(found)
