"""Long conversations: counted truly, opened part by part to the last word, drawn over the whole session."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from clinical.sessions.emotions.queries import MOST_DRAWN, spread
from patients.sessions.models import Session
from patients.sessions.records import EmotionData, MessageData, RationaleData
from tests import makers
from tests.cast import Cast
from tests.unit.sessions.test_review import common, kept, looks, url
from tests.unit.sessions.test_running import client_of

pytestmark = pytest.mark.django_db
MANY = 1000


def conversation(cast: Cast, count: int, readings: int = 0) -> Session:
    """A chat with so many messages, one a second, each with its reason, and so many readings beside them."""
    start = makers.now() - timedelta(hours=3)
    session = makers.make_session(
        cast.patient, kind="chat", started_at=start, ended_at=start + timedelta(seconds=max(count, readings)),
        received_at=start,
    )  # fmt: skip
    said = [
        MessageData(*common(cast), session_id=session.pk, role="patient", content=f"word {one + 1}.",
                    sent_at=start + timedelta(seconds=one))
        for one in range(count)
    ]  # fmt: skip
    why = [
        RationaleData(*common(cast), message_id=one.id, policy_selected=f"policy_{place + 1}")
        for place, one in enumerate(said)
    ]
    felt = [
        EmotionData(*common(cast), session_id=session.pk, source="voice", confidence=0.8, label="sad",
                    observed_at=start + timedelta(seconds=one))
        for one in range(readings)
    ]  # fmt: skip
    kept(cast, messages=said, rationales=why, emotions=felt)
    return session


def part(client: Client, cast: Cast, session: Session, number: int) -> str:
    answer = client.post(url(cast, session, "words/"), {"purpose": "treatment", "part": str(number)})
    assert answer.status_code == 200
    return answer.content.decode()


def asked(run: Callable[[Any], Any], what: Any) -> list[str]:
    with CaptureQueriesContext(connection) as found:
        run(what)
    return [one["sql"][:300] for one in found.captured_queries]


def test_a_session_of_a_thousand_messages_says_so_and_its_last_one_can_be_read(cast: Cast) -> None:
    session = conversation(cast, MANY)
    client = client_of(cast.alice)
    page = client.get(url(cast, session)).content.decode()
    assert "1,000 messages, sealed. They open 400 at a time." in page
    assert "word 1." not in page
    first = part(client, cast, session, 1)
    assert "the first 400 of 1,000" in first
    assert "word 400." in first
    assert "word 401." not in first
    assert re.search(r'<button[^>]*name="part" value="2"', first)
    assert not re.search(r'<button[^>]*name="part" value="0"', first)
    assert "word" not in "".join(re.findall(r'(?:href|action)="([^"]*)"', first)).replace("/words/", "")
    last = part(client, cast, session, 3)
    assert "801 to 1,000 of 1,000" in last
    assert "word 1000." in last
    assert "word 800." not in last
    assert not re.search(r'<button[^>]*name="part" value="4"', last)
    assert "word 1000." in part(client, cast, session, 99)
    rows = looks("transcript")
    assert [row.sections for row in rows] == [
        ["words", "messages 1-400"], ["words", "messages 801-1000"], ["words", "messages 801-1000"],
    ]  # fmt: skip
    assert {row.object_id for row in rows} == {session.pk}


def test_the_reasons_of_a_long_conversation_are_paged_to_the_last(cast: Cast) -> None:
    session = conversation(cast, 120)
    client = client_of(cast.alice)
    page = client.get(url(cast, session)).content.decode()
    assert "1 to 50 of 120" in page
    assert "Policy 50" in page
    assert "Policy 51" not in page
    assert "Policy 120" in client.get(url(cast, session, "?reasons=3")).content.decode()


def test_a_page_asks_as_much_of_two_messages_as_of_a_thousand(cast: Cast) -> None:
    few, many = conversation(cast, 2, 2), conversation(cast, MANY, MANY)
    client = client_of(cast.alice)
    for session_page in (
        lambda one: client.get(url(cast, one)),
        lambda one: client.post(url(cast, one, "words/"), {"purpose": "treatment"}),
    ):
        for one in (few, many):
            session_page(one)
        counts = [asked(session_page, one) for one in (few, many)]
        assert len(counts[0]) == len(counts[1]), set(counts[0]) ^ set(counts[1])
    second, third = (asked(lambda one: part(client, cast, many, one), number) for number in (2, 3))
    assert len(second) == len(third)


def test_the_curve_of_a_long_session_covers_all_of_it_and_says_what_it_leaves_out(cast: Cast) -> None:
    session = conversation(cast, 0, 1240)
    client = client_of(cast.alice)
    page = client.get(url(cast, session)).content.decode()
    words = "The curve shows 300 of 1,240 readings, spread evenly over the whole session."
    assert words in page
    picture = page.split('class="cx emo"')[1].split('class="legend')[0]
    assert picture.count("<g><title>") == 300
    assert "0:00 min" in picture
    assert re.search("20:3[89] min", picture), "the reading of the last second"
    assert "1 to 100 of 1240" in page
    last = client.get(url(cast, session, "?emotions=13")).content.decode()
    assert "1201 to 1240 of 1240" in last
    assert last.count("data-emotion") == 40
    short = client.get(url(cast, conversation(cast, 0, 5))).content.decode()
    assert "spread evenly" not in short


def marks(count: int, flagged: set[int]) -> list[tuple[UUID, bool]]:
    return [(uuid4(), place in flagged) for place in range(count)]


def test_a_curve_is_thinned_evenly_with_its_ends_and_what_is_flagged() -> None:
    rows = marks(3000, {7, 1501})
    shown = set(spread(rows))
    places = [place for place, (pk, _) in enumerate(rows) if pk in shown]
    assert len(places) <= MOST_DRAWN
    assert {0, 7, 1501, 2999} <= set(places)
    assert max(after - before for before, after in itertools.pairwise(places)) <= 12
    short = marks(MOST_DRAWN, set())
    assert spread(short) == [pk for pk, _ in short]
    loud = marks(5000, set(range(5000)))
    assert len(spread(loud)) <= MOST_DRAWN


def test_a_verdict_goes_back_to_the_part_of_the_list_where_it_was_given(cast: Cast) -> None:
    session = conversation(cast, 0, 150)
    client = client_of(cast.alice)
    page = client.get(url(cast, session, "?emotions=2")).content.decode()
    form = page.split('class="em-list"')[1]
    assert '<input type="hidden" name="page" value="2">' in form
    action = re.findall(r'action="([^"]*/review/)"', form)[0]
    back = client.post(action, {"verdict": "confirmed", "session": str(session.pk), "page": "2"})
    assert back["Location"] == url(cast, session, "?emotions=2#emotions")
    other = re.findall(r'action="([^"]*/review/)"', form)[1]
    back = client.post(other, {"verdict": "confirmed", "session": str(session.pk), "page": "2&x=1"})
    assert back["Location"] == url(cast, session, "#emotions")
