"""Sensitivity labels of sessions, messages and readings: whom they shut out, and how that is said."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse

from clinical.sessions import actions as running
from clinical.sessions.emotions import actions as emotions
from clinical.timeline.actions import pin_entry
from clinical.timeline.registry import Cursor
from cortex.accounts.choices import Role
from cortex.accounts.models import User
from cortex.audit import NotFound
from cortex.ids import uuid7
from patients.registry.access import CHART
from patients.sessions.messages import Message
from patients.sessions.models import Session
from patients.sessions.observations import EmotionObservation
from patients.sessions.records import CheckInData, EmotionData
from tests import makers
from tests.cast import Cast
from tests.makers import staff
from tests.unit.sessions.test_review import common, kept, looks, reading, url
from tests.unit.sessions.test_running import client_of

pytestmark = pytest.mark.django_db
ONE = "1 session of this person is not shown to you because of its sensitivity label."


def colleague(cast: Cast) -> User:
    """Bob treats the person with Alice."""
    makers.add_to_team(cast.patient, cast.bob)
    return cast.bob


def agreed(cast: Cast) -> User:
    """Bob treats somebody who agreed to Part 2 records serving their treatment."""
    makers.consent(cast.patient, "part2_tpo")
    return colleague(cast)


def glass(cast: Cast) -> User:
    """Bob opened the chart by break-glass."""
    return makers.glass(cast.patient, cast.bob)


def confirmed(cast: Cast) -> User:
    """Bob confirmed a second time that the emergency needs what is protected."""
    return makers.glass(cast.patient, cast.bob, confirmed=True)


def counselor(cast: Cast) -> User:
    """Cleo, a counselor, is on the team."""
    makers.add_to_team(cast.patient, cast.cleo, role="counselor")
    return cast.cleo


def consultant(cast: Cast) -> User:
    """A psychiatrist who was asked for a second opinion."""
    user = makers.make_user(Role.PSYCHIATRIST, cast.home)
    makers.grant(cast.patient, user, reason_code="consultation", permission=CHART)
    return user


SHUT: list[tuple[str, Callable[[Cast], User], bool]] = [
    ("SUD_PART2", colleague, True), ("SUD_PART2", agreed, False), ("SUD_PART2", glass, True),
    ("SUD_PART2", confirmed, False), ("SUD_PART2", counselor, True), ("SUD_PART2", consultant, True),
    ("R", colleague, False), ("HIV", counselor, False), ("GBV", glass, True), ("MINOR", confirmed, True),
    ("R", consultant, True), ("V", agreed, True), ("V", confirmed, True), ("PSYTHPN", colleague, True),
]  # fmt: skip


def labelled(cast: Cast, label: str) -> Session:
    at = makers.now() - timedelta(hours=2)
    session = makers.make_session(
        cast.patient, kind="chat", started_at=at, ended_at=at + timedelta(minutes=47), duration_seconds=2820,
        received_at=at, sensitivity_labels=[label],
    )  # fmt: skip
    makers.make_message(cast.patient, "I sold the goat", session=session, sent_at=at, received_at=at)
    return session


@pytest.mark.parametrize(("label", "reader", "shut"), SHUT)
def test_a_label_shuts_a_session_out_of_every_page_and_only_its_number_shows(
    cast: Cast, label: str, reader: Callable[[Cast], User], shut: bool
) -> None:
    session = labelled(cast, label)
    client = client_of(reader(cast))
    person = [cast.patient.pk]
    assert client.get(url(cast, session)).status_code == (404 if shut else 200)
    words = client.post(url(cast, session, "words/"), {"purpose": "treatment"})
    assert words.status_code == (404 if shut else 200)
    assert ("goat" in words.content.decode()) is not shut
    assert client.get(url(cast, session, "risk/")).status_code == (404 if shut else 200)
    places = {
        "sessions": url(cast, session), "chart": "47 min", "timeline": f'id="e-{session.pk}"',
    }  # fmt: skip
    for name, trace in places.items():
        page = client.get(reverse(f"clinical:{name}", args=person)).content.decode()
        assert (trace in page) is not shut, name
        assert (ONE in page) is shut, name
    asked = {"q": "chat", "kind": "sessions"}
    hits = client.post(reverse("clinical:timeline", args=person), asked).content.decode()
    assert (f'id="e-{session.pk}"' in hits) is not shut
    listed = client.get(reverse("clinical:sessions", args=person), {"kind": "chat"}).content.decode()
    assert (ONE in listed) is shut
    assert "SUD_PART2" not in listed
    none = client.get(reverse("clinical:sessions", args=person), {"kind": "therapy"}).content.decode()
    assert ONE not in none
    assert len(looks("transcript")) == (0 if shut else 1)


def test_only_the_first_page_of_a_timeline_counts_what_is_kept_back_and_nothing_that_is_to_come(
    cast: Cast,
) -> None:
    doctor, at = consultant(cast), makers.now()
    times = [at - timedelta(hours=2), at - timedelta(days=9), at + timedelta(days=3)]
    for start in times:
        makers.make_session(
            cast.patient, kind="therapy", status="scheduled" if start > at else "completed", started_at=start,
            received_at=at, sensitivity_labels=["R"],
        )  # fmt: skip
    two = "2 sessions of this person are not shown to you because of their sensitivity label."
    where = reverse("clinical:timeline", args=[cast.patient.pk])
    assert two in client_of(doctor).get(where).content.decode()
    assert two in client_of(doctor).get(reverse("clinical:chart", args=[cast.patient.pk])).content.decode()
    day = (at - timedelta(days=5)).date().isoformat()
    assert ONE in client_of(doctor).get(where, {"until": day}).content.decode()
    later = Cursor(at, "session", uuid7()).text()
    page = client_of(doctor).get(where, {"before": later})
    assert page.status_code == 200 and "not shown to you" not in page.content.decode()


def test_a_kept_back_session_is_no_mark_no_last_session_and_in_no_sum(cast: Cast) -> None:
    session = labelled(cast, "R")
    Session.objects.filter(pk=session.pk).update(kind="therapy", status="completed")
    at = makers.now()
    kept(cast, check_ins=[CheckInData(*common(cast), date=at.date(), submitted_at=at, mood=6)])
    where = reverse("clinical:chart", args=[cast.patient.pk])
    open_to_alice = client_of(cast.alice).get(where).content.decode()
    assert "Since the last session" in open_to_alice
    assert "lg-session" in open_to_alice
    assert "<dt>Sessions</dt><dd>1</dd>" in open_to_alice
    shut = client_of(glass(cast)).get(where).content.decode()
    assert "Since the last session" not in shut
    assert "lg-session" not in shut
    assert "<dt>Sessions</dt><dd>0</dd>" in shut


def test_a_pin_on_a_session_opens_it_to_nobody_whom_its_label_shuts_out(cast: Cast) -> None:
    session = labelled(cast, "R")
    pin_entry(actor=staff(cast.alice), patient_id=cast.patient.pk, source="session", item_id=session.pk)
    makers.scope_all()
    where = reverse("clinical:timeline", args=[cast.patient.pk])
    assert "te-pins" in client_of(cast.alice).get(where).content.decode()
    reader = consultant(cast)
    page = client_of(reader).get(where).content.decode()
    assert "te-pins" not in page
    with pytest.raises(NotFound):
        pin_entry(actor=staff(reader), patient_id=cast.patient.pk, source="session", item_id=session.pk)


def test_who_ran_a_session_opens_it_whatever_its_label_and_it_is_under_way_for_nobody_else(
    cast: Cast,
) -> None:
    begun = running.start_session(actor=staff(cast.alice), patient_id=cast.patient.pk, channel="video")
    makers.scope_all()
    Session.objects.filter(pk=begun.pk).update(sensitivity_labels=["V"])
    bob = colleague(cast)
    for name in ("sessions", "chart"):
        where = reverse(f"clinical:{name}", args=[cast.patient.pk])
        assert url(cast, begun) in client_of(cast.alice).get(where).content.decode()
        assert url(cast, begun) not in client_of(bob).get(where).content.decode()
    assert client_of(cast.alice).get(url(cast, begun)).status_code == 200
    assert client_of(bob).get(url(cast, begun)).status_code == 404


def test_a_kept_back_session_that_was_scheduled_is_offered_to_nobody_and_starts_for_nobody(
    cast: Cast,
) -> None:
    planned = makers.make_session(
        cast.patient, kind="therapy", status="scheduled", sensitivity_labels=["V"],
        started_at=makers.now() + timedelta(hours=1),
    )  # fmt: skip
    page = client_of(cast.alice).get(reverse("clinical:sessions", args=[cast.patient.pk]))
    assert str(planned.pk) not in page.content.decode()
    chart = client_of(cast.alice).get(reverse("clinical:chart", args=[cast.patient.pk]))
    assert "No next session is booked." in chart.content.decode()
    with pytest.raises(NotFound):
        running.start_session(
            actor=staff(cast.alice), patient_id=cast.patient.pk, channel="video", session_id=planned.pk
        )


def test_messages_and_readings_with_a_label_stay_closed_within_an_open_session(cast: Cast) -> None:
    session = makers.make_session(cast.patient, kind="chat")
    shut = [
        makers.make_message(cast.patient, f"Of the clinic {one}", session=session, sensitivity_labels=["HIV"])
        for one in range(2)
    ]
    told = makers.make_message(cast.patient, "Slept well", session=session)
    feel: dict[str, Any] = {"source": "text", "confidence": 0.9, "observed_at": makers.now()}
    kept(cast, emotions=[
        EmotionData(*common(cast), message_id=shut[0].pk, label="fear", **feel),
        EmotionData(*common(cast), message_id=told.pk, label="trust", **feel),
        EmotionData(*common(cast), message_id=told.pk, label="disgust", sensitivity_labels=["HIV"], **feel),
    ])  # fmt: skip
    reader = client_of(consultant(cast))
    page = reader.get(url(cast, session)).content.decode()
    assert "1 message, sealed." in page
    assert "2 messages of this person are not shown to you because of their sensitivity label." in page
    assert "2 readings of this person are not shown to you because of their sensitivity label." in page
    rows = page.split('class="em-list"')[1].split("</ul>")[0]
    assert re.findall(r'class="w500">(\w+)', rows) == ["Trust"]
    words = reader.post(url(cast, session, "words/"), {"purpose": "treatment"}).content.decode()
    assert "Slept well" in words
    assert "Of the clinic" not in words
    assert "2 messages of this person are not shown" in words
    everything = client_of(cast.alice).post(url(cast, session, "words/"), {"purpose": "treatment"})
    assert everything.content.decode().count("Of the clinic") == 2
    assert "not shown to you" not in everything.content.decode()


def queue(user: User) -> str:
    return client_of(user).get(reverse("clinical:emotions")).content.decode()


@pytest.mark.parametrize("where", ["session", "reading", "message", "message's session"])
def test_the_review_of_emotions_leaves_out_what_labels_shut_until_part_2_is_agreed_to(
    cast: Cast, where: str
) -> None:
    labels = {where: ["SUD_PART2"]}
    session = makers.make_session(
        cast.patient, kind="chat", sensitivity_labels=labels.get("session") or labels.get("message's session")
    )
    if where in ("session", "reading"):
        row = reading(cast, session, sensitivity_labels=labels.get("reading", []))
    else:
        told = makers.make_message(
            cast.patient, "No sleep", session=session, sensitivity_labels=labels.get("message", [])
        )
        data = EmotionData(
            *common(cast), message_id=told.pk, source="text", label="hopeless", confidence=0.8,
            observed_at=makers.now(),
        )  # fmt: skip
        kept(cast, emotions=[data])
        row = EmotionObservation.objects.get(pk=str(data.id))
    assert row.is_flagged
    verdict = {"patient_id": cast.patient.pk, "observation_id": row.pk, "verdict": "confirmed"}
    assert "data-emotion" not in queue(cast.alice)
    assert "1 reading of your people is not shown to you because of its sensitivity label." in queue(
        cast.alice
    )
    with pytest.raises(NotFound):
        emotions.review_emotion(actor=staff(cast.alice), **verdict)
    makers.consent(cast.patient, "part2_tpo")
    assert queue(cast.alice).count("data-emotion") == 1
    assert "not shown to you" not in queue(cast.alice)
    emotions.review_emotion(actor=staff(cast.alice), **verdict)
    makers.scope_all()
    assert "Just reviewed" in queue(cast.alice)
    makers.consent(cast.patient, "part2_tpo", granted=False, at=makers.now() + timedelta(seconds=1))
    Message.objects.update(sensitivity_labels=["V"])
    Session.objects.update(sensitivity_labels=["V"])
    later = queue(cast.alice)
    assert "Just reviewed" not in later
    assert "What reviews said" not in later


def test_the_pages_ask_the_same_few_questions_whatever_is_kept_back(
    cast: Cast, django_assert_max_num_queries: Any
) -> None:
    labelled(cast, "R")
    doctor = consultant(cast)
    counts: dict[str, list[int]] = {}
    for _ in range(2):
        for name in ("sessions", "chart", "timeline"):
            where = reverse(f"clinical:{name}", args=[cast.patient.pk])
            reader = client_of(doctor)  # whose clocks were just written
            reader.get(where)
            with django_assert_max_num_queries(80) as asked:
                assert reader.get(where).status_code == 200
            counts.setdefault(name, []).append(len(asked))
        for _ in range(6):
            labelled(cast, "R")
    assert all(few == many for few, many in counts.values()), counts
