"""Reviewing sessions: each kind shows what it has; words open by a logged request, and until they go."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clinical.sessions.emotions import actions
from cortex.audit import InputRefused, NotFound, RuleBroken
from cortex.audit.models import PhiAccessLog
from cortex.ids import uuid7
from patients.sessions.models import Session, VoiceSession
from patients.sessions.observations import EmotionObservation
from patients.sessions.records import (
    ActivityData,
    Batch,
    EmotionData,
    FeatureData,
    FeedbackData,
    MessageData,
    RationaleData,
    ToolActionData,
    VoiceData,
)
from patients.upkeep.actions import purge_voice
from tests import makers
from tests.cast import Cast
from tests.makers import staff
from tests.unit.sessions.test_running import client_of

pytestmark = pytest.mark.django_db


def kept(cast: Cast, **rows: list[Any]) -> None:
    makers.store(actor=makers.machine(cast.home), patient=cast.patient, sessions=[], batch=Batch(**rows))
    makers.scope_all()


def common(cast: Cast) -> tuple[Any, ...]:
    return cast.patient.pk, cast.home.pk, makers.now()


def url(cast: Cast, session: Session, part: str = "") -> str:
    return reverse("clinical:session", args=[cast.patient.pk, session.pk]) + part


def reading(cast: Cast, session: Session, **more: Any) -> EmotionObservation:
    values = {
        "source": "voice",
        "confidence": 0.8,
        "label": "hopeless",
        "model_name": "ser",
        "model_version": "1",
    }
    data = EmotionData(*common(cast), session_id=session.pk, observed_at=makers.now(), **(values | more))
    kept(cast, emotions=[data])
    return EmotionObservation.objects.get(pk=str(data.id))


def looks(kind: str) -> list[PhiAccessLog]:
    makers.scope_all()
    return list(PhiAccessLog.objects.filter(data_type=kind).order_by("id"))


def test_a_transcript_opens_by_a_request_that_names_the_purpose_and_leaves_a_row_of_its_own(
    cast: Cast,
) -> None:
    voice = makers.make_voice(cast.patient, "I sold the goat yesterday")
    client, session = client_of(cast.alice), Session.objects.get(pk=voice.pk)
    page = client.get(url(cast, session)).content.decode()
    assert "Open the words" in page
    assert "goat" not in page
    assert looks("transcript") == []
    assert client.get(url(cast, session, "words/")).status_code == 405
    assert client.post(url(cast, session, "words/"), {"purpose": "curiosity"}).status_code == 422
    opened = client.post(url(cast, session, "words/"), {"purpose": "alert_review"})
    assert "I sold the goat yesterday" in opened.content.decode()
    (row,) = looks("transcript")
    assert (row.purpose, row.object_id, row.subject) == ("alert_review", session.pk, cast.patient.pk)
    assert row.actor_id == cast.alice.pk


def test_after_the_purge_the_page_says_what_was_deleted_and_when_and_nothing_opens(cast: Cast) -> None:
    voice = makers.make_voice(cast.patient, "I sold the goat yesterday")
    session = Session.objects.get(pk=voice.pk)
    VoiceSession.objects.filter(pk=voice.pk).update(delete_after=makers.now() - timedelta(hours=1))
    purge_voice(actor=makers.machine(cast.home))
    client = client_of(cast.alice)
    page = client.get(url(cast, session)).content.decode()
    assert "were deleted" in page
    assert "before anything was taken from them" in page
    assert "Open the words" not in page
    asked = client.post(url(cast, session, "words/"), {"purpose": "treatment"}).content.decode()
    assert "goat" not in asked
    assert "The transcript was deleted" in asked


def test_a_stranger_learns_nothing_of_a_session(cast: Cast) -> None:
    voice = makers.make_voice(cast.patient, "I sold the goat yesterday")
    session = Session.objects.get(pk=voice.pk)
    for user in (cast.bob, cast.charlie, cast.sam):
        client = client_of(user)
        assert client.get(url(cast, session)).status_code == 404
        assert client.post(url(cast, session, "words/"), {"purpose": "treatment"}).status_code == 404
    assert client_of(cast.ada).get(url(cast, session)).status_code == 403


def test_a_self_guided_session_is_the_person_s_own_until_they_share_it(cast: Cast) -> None:
    own = makers.make_session(cast.patient, kind="self_guided")
    shared = makers.make_session(cast.patient, kind="self_guided", is_shared=True)
    for session in (own, shared):
        kept(cast, activities=[ActivityData(
            *common(cast), session_id=session.pk, activity_type="breathing_exercise", started_at=makers.now(),
            outcome_score=0.7, user_feedback="It helped with the goat",
        )])  # fmt: skip
    client = client_of(cast.alice)
    hidden = client.get(url(cast, own)).content.decode()
    assert "keeps this session to themself" in hidden
    assert "Breathing exercise" not in hidden
    assert client.post(url(cast, own, "words/"), {"purpose": "treatment"}).status_code == 404
    page = client.get(url(cast, shared)).content.decode()
    assert "Breathing exercise" in page
    assert "outcome 70 of 100" in page
    assert "goat" in client.post(url(cast, shared, "words/"), {"purpose": "treatment"}).content.decode()


def test_whatever_an_app_sends_into_a_session_of_the_person_s_own_stays_theirs(cast: Cast) -> None:
    own = makers.make_session(cast.patient, kind="self_guided")
    makers.make_message(cast.patient, "I sold the goat yesterday", session=own)
    reading(cast, own)
    kept(
        cast,
        feedback=[FeedbackData(
            *common(cast), session_id=own.pk, given_at=makers.now(), effectiveness_raw=2,
            physical_effects=["nausea"],
        )],
        features=[FeatureData(
            *common(cast), session_id=own.pk, observed_at=makers.now(),
            values={"voice_emotion": "hopeless", "voice_confidence": 0.9},
        )],
    )  # fmt: skip
    client = client_of(cast.alice)
    assert client.post(url(cast, own, "words/"), {"purpose": "treatment"}).status_code == 404
    assert looks("transcript") == []
    for name in ("sessions", "chart", "timeline"):
        text = client.get(reverse(f"clinical:{name}", args=[cast.patient.pk])).content.decode().lower()
        assert "goat" not in text and "hopeless" not in text and "nausea" not in text, name
    waiting = reverse("clinical:emotions")
    assert "Zawadi" not in client.get(waiting).content.decode()
    Session.objects.filter(pk=own.pk).update(is_shared=True)
    assert "Zawadi" in client.get(waiting).content.decode()
    assert client.post(url(cast, own, "words/"), {"purpose": "treatment"}).status_code == 200


def test_a_chat_shows_what_the_assistant_did_and_why(cast: Cast) -> None:
    session = makers.make_session(cast.patient, kind="chat")
    said = MessageData(
        *common(cast), session_id=session.pk, role="patient", content="No sleep", sent_at=makers.now()
    )
    kept(
        cast, messages=[said],
        tool_actions=[ToolActionData(*common(cast), tool_name="sleep_timer", status="failed",
                                     started_at=makers.now(), session_id=session.pk, error="no such alarm")],
        rationales=[RationaleData(*common(cast), message_id=said.id, policy_selected="validate_first",
                                  target_state="calm", citations=[{"title": "Sleep guide", "chunk": "7"}])],
    )  # fmt: skip
    client = client_of(cast.alice)
    page = client.get(url(cast, session)).content.decode()
    for words in ("sleep timer", "failed", "Validate first", "towards calm", "Sleep guide, 7", "1 message"):
        assert words in page
    assert "No sleep" not in page
    assert "no such alarm" not in page
    opened = client.post(url(cast, session, "words/"), {"purpose": "treatment"}).content.decode()
    assert "No sleep" in opened
    assert "no such alarm" in opened


def test_a_voice_shows_its_dissonance_topics_feedback_and_how_many_earlier_voices_are_missing(
    cast: Cast,
) -> None:
    session = makers.make_session(cast.patient, kind="voice_checkin")
    values = {
        "pitch_mean": 170.0, "speech_seconds": 50.0, "signal_ok": True, "dissonance_score": 0.7,
        "dissonance_type": "concealment", "topic_codes": ["school_fees"], "voice_emotion": "numb",
        "voice_confidence": 0.5,
    }  # fmt: skip
    who, at = common(cast), makers.now()
    kept(
        cast,
        features=[FeatureData(*who, session_id=session.pk, observed_at=at, values=values)],
        voices=[VoiceData(*who, session_id=session.pk, started_at=at, transcript="Niko sawa")],
        feedback=[FeedbackData(*who, session_id=session.pk, given_at=at, satisfaction_raw=4,
                               physical_effects={"headache": "mild"})],
    )  # fmt: skip
    page = client_of(cast.alice).get(url(cast, session)).content.decode()
    for words in (
        "The voice is heavier than the words", "dissonance high", "school fees", "Numb, likely",
        "3 more clear sessions", "Liked it 4 of 5", "headache: mild",
    ):  # fmt: skip
        assert words in page


def test_the_list_filters_by_kind_and_marks_what_waits(cast: Cast) -> None:
    session = makers.make_session(cast.patient, kind="chat")
    makers.make_session(cast.patient, kind="voice_checkin")
    reading(cast, session)
    client = client_of(cast.alice)
    everything = client.get(reverse("clinical:sessions", args=[cast.patient.pk])).content.decode()
    assert everything.count('class="ss-row"') == 2
    assert "1 to review" in everything
    some = client.get(reverse("clinical:sessions", args=[cast.patient.pk]), {"kind": "voice_checkin"})
    assert some.content.decode().count('class="ss-row"') == 1
    none = client.get(reverse("clinical:sessions", args=[cast.patient.pk]), {"status": "no_show"})
    assert "None of these" in none.content.decode()


def test_the_list_asks_the_same_few_questions_for_two_sessions_and_for_fifty(
    cast: Cast,
) -> None:
    def count() -> int:

        with CaptureQueriesContext(connection) as asked:
            assert client.get(reverse("clinical:sessions", args=[cast.patient.pk])).status_code == 200
        return len(asked)

    client = client_of(cast.alice)
    for number in range(2):
        makers.make_session(cast.patient, kind="chat", client_ref=f"few{number}")
    count()
    few = count()
    for number in range(20):
        makers.make_session(cast.patient, kind="voice_checkin", client_ref=f"many{number}")
    assert count() == few


def verdict(cast: Cast, row: EmotionObservation, user: Any = None, **more: Any) -> EmotionObservation:
    found = actions.review_emotion(
        actor=staff(user or cast.alice), patient_id=cast.patient.pk, observation_id=row.pk, **more
    )
    makers.scope_all()
    return found


def test_a_flagged_reading_is_confirmed_corrected_or_rejected_and_counted_per_version(cast: Cast) -> None:
    session = makers.make_session(cast.patient, kind="voice_checkin")
    rows = [reading(cast, session, model_version=version) for version in ("1", "1", "2")]
    client = client_of(cast.alice)
    queue = client.get(reverse("clinical:emotions")).content.decode()
    assert queue.count("data-emotion") == 3
    assert "Zawadi" in queue
    verdict(cast, rows[0], verdict="confirmed")
    corrected = verdict(cast, rows[1], verdict="corrected", label="sad")
    assert (corrected.label, corrected.corrected_label) == ("hopeless", "sad")
    verdict(cast, rows[2], verdict="rejected")
    page = client.get(reverse("clinical:emotions")).content.decode()
    assert "Nothing waits" in page
    cells = page.split("<tbody>")[1].split("</tbody>")[0]
    assert cells.count("<tr>") == 2
    assert "<td>1</td><td>1</td><td>1</td><td>0</td><td>2</td>" in cells
    assert "<td>2</td><td>0</td><td>0</td><td>1</td><td>1</td>" in cells


def test_a_reader_takes_their_own_verdict_back_within_a_quarter_of_an_hour(cast: Cast) -> None:
    row = reading(cast, makers.make_session(cast.patient, kind="voice_checkin"))
    makers.add_to_team(cast.patient, cast.bob)
    verdict(cast, row, verdict="rejected")
    with pytest.raises(RuleBroken, match="reviewed this already"):
        verdict(cast, row, cast.bob, verdict="confirmed")
    undo = {"patient_id": cast.patient.pk, "observation_id": row.pk}
    with pytest.raises(RuleBroken, match="not your review"):
        actions.take_back_review(actor=staff(cast.bob), **undo)
    with pytest.raises(RuleBroken, match="quarter"):
        actions.take_back_review(actor=staff(cast.alice), at=makers.now() + timedelta(minutes=16), **undo)
    actions.take_back_review(actor=staff(cast.alice), **undo)
    makers.scope_all()
    row.refresh_from_db()
    assert (row.review_status, row.reviewed_by_id, row.corrected_label) == ("unreviewed", None, "")


@pytest.mark.parametrize(
    ("source", "more"),
    [("voice", {"verdict": "corrected", "label": "trust"}), ("voice", {"verdict": "corrected", "label": ""}),
     ("voice", {"verdict": "corrected", "label": "hopeless"}), ("voice", {"verdict": "maybe"})],
)  # fmt: skip
def test_a_verdict_that_says_nothing_is_refused(cast: Cast, source: str, more: dict[str, str]) -> None:
    row = reading(cast, makers.make_session(cast.patient, kind="voice_checkin"), source=source)
    with pytest.raises(InputRefused):
        verdict(cast, row, **more)


def test_nobody_reviews_a_reading_of_somebody_else_s_person(cast: Cast) -> None:
    row = reading(cast, makers.make_session(cast.patient, kind="voice_checkin"))
    with pytest.raises(NotFound):
        verdict(cast, row, cast.bob, verdict="confirmed")
    for strange in (uuid7(), UUID("11111111-1111-4111-8111-111111111111")):
        with pytest.raises(NotFound):
            actions.review_emotion(
                actor=staff(cast.alice), patient_id=cast.patient.pk, verdict="confirmed",
                observation_id=strange,
            )  # fmt: skip
    assert "data-emotion" not in client_of(cast.bob).get(reverse("clinical:emotions")).content.decode()


def test_a_correction_without_a_choice_comes_back_in_its_row_and_the_queue_stays(cast: Cast) -> None:
    session = makers.make_session(cast.patient, kind="voice_checkin")
    rows = [reading(cast, session) for _ in range(3)]
    client, chosen = client_of(cast.alice), rows[1]
    to = reverse("clinical:emotion_review", args=[cast.patient.pk, chosen.pk])
    for more in ({}, {"session": str(session.pk), "page": "1"}):
        answer = client.post(to, {"verdict": "corrected", "label": "", **more})
        page = answer.content.decode()
        assert answer.status_code == 422
        assert page.count("data-emotion") == 3, "nothing of the queue is gone"
        error = f'id="er-{chosen.pk}"'
        assert page.count(' id="er-') == 1 and error in page
        assert "Choose the emotion that you see." in page
        select = page.split(f'id="l-{chosen.pk}"')[1].split(">")[0]
        assert "required" in select and "autofocus" in select and 'aria-invalid="true"' in select
    same = client.post(to, {"verdict": "corrected", "label": "hopeless"}).content.decode()
    assert "confirm it instead" in same
    makers.scope_all()
    assert not EmotionObservation.objects.exclude(review_status="unreviewed").exists()


def test_a_verdict_leads_to_the_reading_that_waits_next(cast: Cast) -> None:
    session = makers.make_session(cast.patient, kind="voice_checkin")
    rows = [reading(cast, session) for _ in range(2)]
    client = client_of(cast.alice)
    queue = client.get(reverse("clinical:emotions")).content.decode()
    order = re.findall(r'id="v-([0-9a-f-]+)"', queue)
    assert set(order) == {str(one.pk) for one in rows}
    assert re.findall(r'name="next" value="([0-9a-f-]+)"', queue) == [order[1], order[0]]
    to = reverse("clinical:emotion_review", args=[cast.patient.pk, order[0]])
    back = client.post(to, {"verdict": "confirmed", "next": order[1]})
    assert back["Location"] == reverse("clinical:emotions") + f"#v-{order[1]}"
    to = reverse("clinical:emotion_review", args=[cast.patient.pk, order[1]])
    assert client.post(to, {"verdict": "confirmed"})["Location"] == reverse("clinical:emotions") + "#wt"


def test_verdicts_by_the_page_s_own_forms_go_back_to_where_they_stood(cast: Cast) -> None:
    session = makers.make_session(cast.patient, kind="voice_checkin")
    row = reading(cast, session)
    client: Client = client_of(cast.alice)
    to = reverse("clinical:emotion_review", args=[cast.patient.pk, row.pk])
    back = client.post(to, {"verdict": "confirmed", "session": str(session.pk)})
    assert back["Location"] == url(cast, session, "#emotions")
    assert (
        client.post(reverse("clinical:emotion_undo", args=[cast.patient.pk, row.pk]))["Location"]
        == reverse("clinical:emotions") + f"#v-{row.pk}"
    )
    assert client.post(to, {"verdict": "confirmed", "session": "x"}).status_code == 422
