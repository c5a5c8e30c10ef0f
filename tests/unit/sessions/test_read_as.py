"""Words beside what was read in them, the note about the session and its measures."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clinical.assessments.actions import finish_assessment
from clinical.notes.actions import begin_note, save_draft, sign_note
from cortex.ids import uuid7
from crisis.risk.models import Evidence
from patients.sessions.models import Session
from patients.sessions.observations import DailyCheckIn
from tests import makers
from tests.api.conftest import TIER_A, Api, issue_key, item, message
from tests.cast import Cast
from tests.makers import staff
from tests.unit.sessions.test_labels import glass
from tests.unit.sessions.test_review import url
from tests.unit.sessions.test_running import client_of

pytestmark = pytest.mark.django_db
READ = "words of immediate danger"


def words(cast: Cast, session: Session, user: Any = None) -> str:
    answer = client_of(user or cast.alice).post(url(cast, session, "words/"), {"purpose": "treatment"})
    makers.scope_all()
    assert answer.status_code == 200
    return answer.content.decode()


def signed(cast: Cast, source: Any, code: str, **more: Any) -> Evidence:
    at = makers.now()
    values = {"domain": "text", "source_type": "message", "confidence": 0.9} | more
    return Evidence.objects.create(
        organization=cast.home, patient=cast.patient, code=code, source_id=source, observed_at=at,
        received_at=at, **values,
    )  # fmt: skip


def marks(page: str) -> int:
    return page.count("Read as:")


def test_each_word_that_the_app_sent_is_marked_with_what_was_read_in_it(cast: Cast) -> None:
    app, who = Api(f"Api-Key {issue_key(cast.home)[1]}"), cast.patient
    answer = app.send(
        item("session_started", who, session="v", session_kind="voice_checkin"),
        message(who, f"{TIER_A} mbuyuni1", session="v"),
        message(who, "Nimelala mbuyuni6", session="v"),
        item("transcript", who, session="v", text=f"{TIER_A} mbuyuni2"),
        item("activity", who, session="v", activity_type="journal", text=f"{TIER_A} mbuyuni3"),
        item("activity", who, session="v", activity_type="diary", data={"page": f"{TIER_A} mbuyuni7"}),
        item("feedback", who, session="v", satisfaction=2, text=f"{TIER_A} mbuyuni4"),
        item("checkin", who, date=f"{makers.now():%Y-%m-%d}", notes=f"{TIER_A} mbuyuni5"),
    )  # fmt: skip
    assert {one["result"] for one in answer.json()["items"]} == {"stored"}
    makers.scope_all()
    page = words(cast, Session.objects.get(patient=who, client_ref="v"))
    assert marks(page) == 5
    lines = page.split('class="ss-line')
    (calm,) = [one for one in lines if "mbuyuni6" in one]
    for told in ("mbuyuni1", "mbuyuni3", "mbuyuni4", "mbuyuni7"):
        (line,) = [one for one in lines if told in one]
        assert READ in line and "ss-marked" in line.split('"')[0]
    assert "ss-marked" not in calm.split(">")[0]
    assert "where in it nobody keeps" in page, "the transcript"
    day = DailyCheckIn.objects.get(patient=who)
    opened = client_of(cast.alice).post(
        reverse("clinical:day_words", args=[who.pk, day.pk]), {"purpose": "treatment"}
    )
    makers.scope_all()
    assert READ in opened.content.decode()


def test_a_sign_that_was_refuted_says_so_and_what_people_or_shadows_say_marks_nothing(cast: Cast) -> None:
    session = makers.make_session(cast.patient, kind="chat")
    said = makers.make_message(cast.patient, "It was a song", session=session).pk
    signed(cast, said, "TEXT_C", refuted_at=makers.now())
    signed(cast, said, "TEXT_A_SHADOW", domain="context")
    signed(cast, said, "RF_DEBT_MOBILE_LOAN", domain="stressors", status="absent")
    signed(cast, said, "CLINICIAN_LEVEL", domain="review", source_type="clinician")
    page = words(cast, session)
    assert marks(page) == 1
    assert "a wish to be dead (found to be no sign when the alert ended)" in page
    for silent in ("shadow", "debt", "clinician level"):
        assert silent not in page.lower().split("read as:")[1].split("</p>")[0]


def test_a_sign_of_substance_use_is_no_mark_to_whom_part_2_is_closed(cast: Cast) -> None:
    session = makers.make_session(cast.patient, kind="chat")
    said = makers.make_message(cast.patient, "Nimekunywa sana", session=session).pk
    signed(cast, said, "RF_INTOXICATED", domain="state")
    assert marks(words(cast, session)) == 0
    signed(cast, said, "TEXT_D")
    page = words(cast, session)
    assert marks(page) == 1 and "intoxicated" not in page.lower() and "protected" not in page.lower()
    makers.consent(cast.patient, "part2_tpo")
    assert "intoxicated" in words(cast, session).lower()


def test_beside_the_words_stand_the_note_with_its_state_and_the_measures_of_the_visit(cast: Cast) -> None:
    at = makers.now() - timedelta(minutes=30)
    session = makers.make_session(
        cast.patient, kind="chat", started_at=at, ended_at=at + timedelta(minutes=20)
    )
    makers.make_message(cast.patient, "Goat", session=session, sent_at=at, received_at=at)
    page = words(cast, session)
    assert "Write the note" in page and f'value="{session.pk}"' in page
    assert "None was taken for it or during it" in page
    who: dict[str, Any] = {"actor": staff(cast.alice), "patient_id": cast.patient.pk}
    calm: dict[str, int | None] = {f"q{number}": 1 for number in range(1, 8)}
    during = at + timedelta(minutes=10)
    one, _ = finish_assessment(**who, key="gad7", answers=calm, administered_at=during)
    note = begin_note(**who, note_type="session_note", session_id=session.pk)
    makers.scope_all()
    page = words(cast, session)
    assert reverse("clinical:measure_result", args=[cast.patient.pk, one.pk]) in page
    assert reverse("clinical:note_edit", args=[cast.patient.pk, note.pk]) in page and "Draft" in page
    assert "Write the note" not in page, "one's own is there"
    makers.add_to_team(cast.patient, cast.bob)
    others = words(cast, session, cast.bob)
    assert str(note.pk) not in others and "Write the note" in others, "a draft is its author's"
    saved = save_draft(
        **who, note_id=note.pk, version=note.version, spell=uuid7(), number=1,
        sections={"free_text": "She sold the goat."},
    ).note  # fmt: skip
    sign_note(**who, note_id=note.pk, version=saved.version)
    makers.scope_all()
    others = words(cast, session, cast.bob)
    assert reverse("clinical:note_page", args=[cast.patient.pk, note.pk]) in others and "Signed" in others
    assert "She sold the goat" not in others
    note.__class__.objects.filter(pk=note.pk).update(sensitivity_labels=["V"])
    assert str(note.pk) not in words(cast, session, cast.bob)


def test_whoever_reads_by_break_glass_is_not_asked_for_a_note(cast: Cast) -> None:
    session = makers.make_session(cast.patient, kind="chat")
    makers.make_message(cast.patient, "Goat", session=session)
    page = words(cast, session, glass(cast))
    assert "Write the note" not in page
    assert "No note that is open to you" in page


def test_a_long_conversation_asks_for_its_marks_once(cast: Cast) -> None:
    session = makers.make_session(cast.patient, kind="chat")

    def count() -> int:
        words(cast, session)
        with CaptureQueriesContext(connection) as asked:
            words(cast, session)
        return len(asked)

    first = makers.make_message(cast.patient, "One", session=session)
    signed(cast, first.pk, "TEXT_D")
    few = count()
    for number in range(12):
        one = makers.make_message(cast.patient, f"More {number}", session=session)
        signed(cast, one.pk, "TEXT_D")
    assert count() == few
