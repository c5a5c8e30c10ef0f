"""A session's voice against the person's own usual, and the topics and coping of its words."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from clinical.sessions.baseline import VERSION
from patients.sessions.models import Session, SessionFeature
from tests import makers
from tests.cast import Cast
from tests.makers import client_of
from tests.unit.sessions.test_pure import HISTORY, TODAY
from tests.unit.sessions.test_review import url

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def spoken(cast: Cast, days: int, **values: object) -> Session:
    """A voice check-in of so many days ago with its coded leavings, its recording long gone."""
    at = makers.now() - days * DAY
    voice = makers.make_voice(cast.patient, "Niko sawa")
    SessionFeature.objects.create(
        organization=cast.home, patient=cast.patient, session_id=voice.pk, observed_at=at,
        speech_seconds=60, signal_ok=True, **values,
    )  # fmt: skip
    return Session.objects.get(pk=voice.pk)


def earlier(cast: Cast, count: int) -> None:
    for number in range(count):
        spoken(cast, number + 1, **{name: values[number] for name, values in HISTORY.items()})


def shown(cast: Cast, session: Session) -> tuple[str, dict[str, list[str]]]:
    page = " ".join(client_of(cast.alice).get(url(cast, session)).content.decode().split())
    card = page.split("Voice against their own usual</h2>")[1].split("</section>")[0]
    rows = {}
    for title, cells in re.findall(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', card):
        told = [re.sub(r"<svg.*?</svg>|<[^>]+>", "", one).strip() for one in cells.split("</td>")]
        rows[title] = [one for one in told if one]
    return card, rows


def test_each_feature_stands_in_a_row_against_the_person_s_own_baseline(cast: Cast) -> None:
    earlier(cast, 9)
    card, rows = shown(cast, spoken(cast, 0, **TODAY))
    assert rows == {
        "Pitch": ["170 Hz", "185", "-3.0", "lower than usual"],
        "Loudness": ["-27 dB", "-22", "-2.2", "quieter than usual"],
        "Speech rate": ["3.40 syllables/s", "4.20", "-1.8", "within usual"],
        "Pauses": ["0.31 share", "0.18", "+4.3", "more than usual"],
        "Melody": ["0.25", "0.40", "-3.0", "flatter than usual"],
    }
    assert len(re.findall(r"</th><td>[^/]*<svg", card)) == 5, "each with its picture"
    assert "from 9 earlier sessions on 9 days" in card
    assert "In all 3.0, far from their usual." in card
    assert f"Voice comparison {VERSION}: fairly sure." in card and "no diagnosis" in card


def test_three_earlier_voices_are_a_provisional_baseline_and_two_are_none(cast: Cast) -> None:
    earlier(cast, 2)
    card, rows = shown(cast, spoken(cast, 0, **TODAY))
    assert rows == {}
    assert "1 more clear session of 30 s or longer is needed" in card
    spoken(cast, 5, **{name: values[2] for name, values in HISTORY.items()})
    last = SessionFeature.objects.order_by("observed_at").last()
    assert last is not None
    card, rows = shown(cast, Session.objects.get(pk=last.session_id))
    assert len(rows) == 5
    assert "provisional, from 3 earlier sessions" in card
    assert "not sure, from too few voices." in card


def test_topics_and_coping_are_said_in_words_and_where_there_are_none_that_too(cast: Cast) -> None:
    def card(session: Session) -> str:
        page = client_of(cast.alice).get(url(cast, session)).content.decode()
        return page.split("Words and voice</h2>")[1].split("</section>")[0]

    told = card(spoken(cast, 0, topic_codes=["school_fees", "sleep"], coping_codes=["breathing_exercise"]))
    assert "<dt>Topics</dt><dd>school fees, sleep</dd>" in told
    assert "<dt>Coping</dt><dd>breathing exercise</dd>" in told
    assert "Topics and coping coded by the app." in told
    silent = card(spoken(cast, 1))
    assert "<dt>Topics</dt><dd>none named</dd>" in silent and "<dt>Coping</dt><dd>none named</dd>" in silent
    assert "coded by the app" not in silent


def test_voices_of_a_session_that_the_person_keeps_to_themself_are_nobody_s_usual(cast: Cast) -> None:
    earlier(cast, 9)
    today = spoken(cast, 0, **TODAY)
    own = spoken(cast, 2, **{name: values[3] for name, values in HISTORY.items()})
    assert "from 10 earlier sessions" in shown(cast, today)[0]
    Session.objects.filter(pk=own.pk).update(kind="self_guided")
    assert "from 9 earlier sessions" in shown(cast, today)[0]


def test_no_voice_is_compared_anew_once_the_consent_to_it_is_taken_back(cast: Cast) -> None:
    earlier(cast, 9)
    today = spoken(cast, 0, **TODAY)
    makers.consent(cast.patient, "voice_processing", granted=False)
    page = client_of(cast.alice).get(url(cast, today)).content.decode()
    assert "Voice against their own usual" not in page
    assert "does not allow that their voice is analysed" in page
    makers.scope_all()
    makers.consent(cast.patient, "voice_processing")
    assert "does not allow" not in client_of(cast.alice).get(url(cast, today)).content.decode()
    assert "from 9 earlier sessions" in shown(cast, today)[0]
