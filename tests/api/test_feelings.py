"""What apps say of voice and feeling: the gap between a session's words and voice, readings to look at."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from crisis.reviews.models import ReviewItem
from crisis.risk.models import Evidence, RiskAssessment
from crisis.risk.policy import ENGINE_VERSION
from patients.sessions.models import SessionFeature
from patients.sessions.observations import EmotionObservation
from tests import makers
from tests.api.conftest import Api, ago, item, message, results
from tests.cast import Cast

pytestmark = pytest.mark.django_db
VOICE = {"voice_valence": -0.7, "voice_confidence": 0.9, "voice_emotion": "sad"}
TEXT = {"text_valence": 0.4, "text_confidence": 0.8}
STATED = {"stated_valence": 0.4, "stated_confidence": 0.8}


def voice(cast: Cast, /, session: str = "v1", **values: Any) -> dict[str, Any]:
    return item("voice_features", cast.patient, session=session, **values)


def gaps() -> list[float]:
    rows = Evidence.objects.filter(domain="dissonance").order_by("received_at", "id")
    return [round(row.value, 4) for row in rows]


@pytest.mark.parametrize("words", [TEXT, STATED])
def test_words_and_voice_of_one_item_make_a_gap(api: Api, cast: Cast, words: dict[str, float]) -> None:
    api.send(voice(cast, **VOICE, **words))
    assert gaps() == [0.7778]
    feature = SessionFeature.objects.get()
    assert (feature.dissonance_type, round(feature.dissonance_score, 4)) == ("concealment", 0.7778)
    row = Evidence.objects.get(domain="dissonance")
    assert (row.source_type, row.source_id, row.session_ref) == (
        "voice",
        feature.session_id,
        feature.session_id,
    )


@pytest.mark.parametrize("together", [True, False])
def test_words_and_voice_that_come_apart_make_the_same_gap(api: Api, cast: Cast, together: bool) -> None:
    items = [voice(cast, **VOICE), voice(cast, **TEXT)]
    if together:
        api.send(*items)
    else:
        for one in items:
            assert gaps() == []
            api.send(one)
    assert gaps() == [0.7778]
    api.send(voice(cast, pitch_mean=180))
    assert gaps() == [0.7778]


def test_a_counted_deflection_of_the_session_widens_the_gap(api: Api, cast: Cast) -> None:
    started = item("session_started", cast.patient, session="v1", session_kind="chat", at=ago(minutes=5))
    api.send(started, voice(cast, **VOICE, **TEXT))
    courtesies = [message(cast.patient, "Niko sawa", session="v1") for _ in range(2)]
    api.send(*courtesies)
    assert gaps() == [0.7778]
    api.send(message(cast.patient, "Niko sawa", session="v1"))
    assert gaps() == [0.7778, 0.8778]
    assert round(SessionFeature.objects.get().dissonance_score, 4) == 0.8778


def test_what_the_person_states_speaks_before_what_the_words_say(api: Api, cast: Cast) -> None:
    api.send(voice(cast, **VOICE, **STATED, text_valence=-0.9, text_confidence=0.9))
    assert gaps() == [0.7778]


def test_masked_hopelessness_of_two_days_is_high(api: Api, cast: Cast) -> None:
    heavy = {"voice_valence": -1.0, "voice_confidence": 0.9, "voice_emotion": "hopeless"}
    fine = {"text_valence": 0.5, "text_confidence": 0.9}
    api.send(voice(cast, "v1", **heavy, at=ago(days=2)), voice(cast, "v1", **fine, at=ago(days=2)))
    api.send(voice(cast, "v2", **heavy), voice(cast, "v2", **fine))
    assert "H12" in RiskAssessment.objects.latest("computed_at").rules_fired


@pytest.mark.parametrize(
    ("source", "named", "words", "read_from"),
    [("voice", {"model_name": "ser", "model_version": "1.2"}, "Emotion model ser 1.2", "the voice signal"),
     ("text", {"model_name": "text-emo"}, "Emotion model text-emo", "words in the app"),
     ("self_report", {}, "The person", "what they said that they feel"),
     ("voice", {}, "Emotion model that the app did not name", "the voice signal")],
)  # fmt: skip
def test_an_emotion_on_the_timeline_says_what_read_it_and_from_what(
    api: Api, cast: Cast, source: str, named: dict[str, str], words: str, read_from: str
) -> None:
    api.send(item("session_started", cast.patient, session="v1", session_kind="chat", at=ago(minutes=5)))
    api.send(item("emotion", cast.patient, session="v1", source=source, label="sad", confidence=0.8, **named))
    makers.scope_all()
    assert Evidence.objects.get(domain="emotion").code == "EMO_SAD"
    page = reverse("clinical:timeline", args=[cast.patient.pk])
    told = makers.client_of(cast.alice).get(page, {"kind": "signals"}).content.decode()
    assert f"{words}: " in told
    assert f"From {read_from}." in told


def test_a_gap_names_the_engine_that_told_it_on_the_timeline_and_on_its_session(api: Api, cast: Cast) -> None:
    api.send(item("session_started", cast.patient, session="v1", session_kind="chat", at=ago(minutes=5)))
    api.send(item("emotion", cast.patient, session="v1", source="voice", label="sad", confidence=0.8,
                  model_name="ser", model_version="1.2"))  # fmt: skip
    api.send(voice(cast, **VOICE, **TEXT, text_emotion="happy", topic_codes=["school_fees"]))
    makers.scope_all()
    row = Evidence.objects.get(domain="dissonance")
    assert row.lexicon_version == ENGINE_VERSION
    client = makers.client_of(cast.alice)
    page = client.get(reverse("clinical:timeline", args=[cast.patient.pk])).content.decode()
    assert f"Risk engine {ENGINE_VERSION}: very sure." in page
    review = reverse("clinical:session", args=[cast.patient.pk, row.session_ref])
    card = client.get(review).content.decode().split("Words and voice</h2>")[1].split("</section>")[0]
    for words in (
        "Voice read by the app: ser 1.2.", "Words read by the app: model not named.",
        f"Compared by risk engine {ENGINE_VERSION}.", "Topics and coping coded by the app.",
    ):  # fmt: skip
        assert words in card
    assert re.search(r"The voice is heavier than the words\. <span[^>]*>clear</span>", card)


def test_a_self_guided_session_gives_no_dissonance(api: Api, cast: Cast) -> None:
    kind = item("session_started", cast.patient, session="v1", session_kind="self_guided", at=ago(minutes=5))
    api.send(kind, voice(cast, **VOICE, **TEXT))
    api.send(item("session_ended", cast.patient, session="v1"))
    assert SessionFeature.objects.get().dissonance_type == "concealment"
    assert gaps() == []


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize(
    ("kind", "counts"),
    [("self_guided", 0), ("neural_audio", 0), ("chat", 1), ("voice_checkin", 1), (None, 1)],
)
def test_a_reading_of_a_message_counts_where_one_of_its_session_would(
    api: Api, cast: Cast, together: bool, kind: str | None, counts: int
) -> None:
    before = [message(cast.patient, session="s1" if kind else "", at=ago(minutes=4))]
    if kind:
        begun = item("session_started", cast.patient, session="s1", session_kind=kind, at=ago(minutes=5))
        before.insert(0, begun)
    else:
        del before[0]["session"]
    read = {"source": "text", "label": "sad", "confidence": 0.8}
    readings = [item("emotion", cast.patient, message=before[-1]["id"], **read) for _ in range(2)]
    for batch in [[*readings[:1], *before]] if together else [before, readings[:1]]:
        assert set(results(api.send(*batch))) == {"stored"}
    assert EmotionObservation.objects.count() == 1
    assert Evidence.objects.filter(domain="emotion").count() == counts
    with CaptureQueriesContext(connection) as queries:
        api.send(*before, *readings)
    asked = [
        one for one in queries if 'FROM "patients_message" LEFT OUTER JOIN "patients_session"' in one["sql"]
    ]
    assert len(asked) == 1
    assert Evidence.objects.filter(domain="emotion").count() == 2 * counts


def test_a_reading_of_a_message_that_nobody_knows_counts(api: Api, cast: Cast) -> None:
    reading = item("emotion", cast.patient, message="later", source="text", label="sad", confidence=0.8)
    assert results(api.send(reading)) == ["stored"]
    assert Evidence.objects.filter(domain="emotion").count() == 1


@pytest.mark.parametrize(
    ("values", "is_flagged"),
    [
        ({"clinical_markers": {"hopelessness": 0.95}}, True),
        ({"clinical_markers": {"hopelessness": 0.6}, "label": "sad"}, True),
        ({"clinical_markers": {"anxiety": 0.7}}, True),
        ({"label": "hopeless", "confidence": 0.7}, True),
        ({"label": "hopeless", "confidence": 0.69}, False),
        ({"clinical_markers": {"anxiety": 0.69, "hopelessness": 0.59}}, False),
    ],
)
def test_a_reading_that_a_person_should_look_at_is_a_task(
    api: Api, cast: Cast, values: dict[str, Any], is_flagged: bool
) -> None:
    reading = item("emotion", cast.patient, session="v1", **{"source": "voice", "confidence": 0.8} | values)
    answer = api.send(reading)
    assert results(answer) == ["stored"]
    found = ReviewItem.objects.filter(patient=cast.patient, reason_code="emotion_flagged")
    assert found.exists() == is_flagged
    assert results(api.send(reading)) == ["duplicate"]
    assert found.count() == is_flagged
    if is_flagged:
        assert str(found.get().source_id) == answer.json()["items"][0]["record"]
