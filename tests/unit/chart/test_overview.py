"""The first screen of a chart: five questions answered, with data and without, and one row of the log."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from clinical.assessments.actions import finish_assessment
from clinical.chart import parts
from clinical.chart.parts import Flag, Line, Look, Mark, Part, Shown
from clinical.chart.showing import effect_words
from cortex.audit.models import PhiAccessLog
from crisis.reviews.actions import make_item
from patients.registry.queries import local_day
from patients.registry.records import PreferenceData
from patients.sessions.models import Session
from patients.sessions.observations import DailyCheckIn
from patients.sessions.records import Batch, FeedbackData
from tests import makers
from tests.cast import Cast
from tests.makers import staff

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def opened(cast: Cast, user: Any = None, query: str = "") -> str:
    client = Client()
    client.force_login(user or cast.alice)
    answer = client.get(reverse("clinical:chart", args=[cast.patient.pk]) + query)
    assert answer.status_code == 200
    makers.scope_all()
    return " ".join(answer.content.decode().split())


def take(cast: Cast, value: int, days: int) -> None:
    answers = {f"q{number}": value for number in range(1, 9)} | {"q9": 0}
    finish_assessment(
        actor=staff(cast.alice), patient_id=cast.patient.pk, key="phq9", answers=answers,
        administered_at=makers.now() - days * DAY,
    )  # fmt: skip


def session(cast: Cast, days: float, **fields: Any) -> Session:
    at = makers.now() - days * DAY
    values = {"kind": "therapy", "status": "completed", "started_at": at, "received_at": at} | fields
    return Session.objects.create(organization=cast.home, patient=cast.patient, **values)


def moods(cast: Cast, *scores: int) -> None:
    """Moods of the last days, yesterday's first."""
    at = makers.now()
    today = local_day(cast.patient, at)
    DailyCheckIn.objects.bulk_create(
        DailyCheckIn(
            organization=cast.home, patient=cast.patient, date=today - number * DAY, mood=mood,
            sleep_quality=6, focus_score=4, submitted_at=at - number * DAY, received_at=at,
        )
        for number, mood in enumerate(scores, 1)
    )  # fmt: skip


def test_a_new_person_s_chart_says_what_is_not_known_and_leaves_no_empty_box(cast: Cast) -> None:
    text = opened(cast)
    for said in (
        "Nobody was assessed yet.", "Nothing has changed.", "No next session is booked.",
        "No measure was taken yet: nobody can say.", "No session yet.", "No check-in in the last 30 days.",
    ):  # fmt: skip
        assert said in text, said
    for absent in ("Signals", "preferences", "Goals", "Medication", "Diagnos", "None</"):
        assert absent not in text, absent


def test_five_questions_are_answered_where_there_is_something_to_say(cast: Cast) -> None:
    take(cast, 2, 40)
    session(cast, 10, duration_seconds=3000)
    session(cast, -3, status="scheduled")
    moods(cast, *[3] * 9, *[7] * 8)
    take(cast, 1, 2)
    alert = makers.make_alert(cast.patient, "high", reason_code="H11")
    make_item(
        actor=makers.machine(cast.home), organization_id=cast.home.pk, patient=cast.patient,
        reason_code="cssrs_due", owner_id=cast.alice.pk, due_at=makers.now() - DAY,
    )  # fmt: skip
    makers.scope_all()
    text = opened(cast)
    assert "An alert is open, high: Speaks of suicide. Nobody has it yet." in text
    assert reverse("crisis:alert_page", args=[alert.pk]) in text
    assert "Engine " in text, "who says how risky it is"
    assert "Since the last session" in text
    assert "PHQ-9 8, \N{MINUS SIGN}8" in text
    assert "Mood 3.0 on 9 days, was 7.0" in text
    assert "Next session" in text
    assert "Offer the C-SSRS today" in text and "overdue" in text
    assert "reliably better" in text and "not on track" not in text
    assert "Mood, level and measures over time" in text
    assert "View as table" in text


def test_what_came_before_the_last_session_is_not_told_again(cast: Cast) -> None:
    take(cast, 1, 12)
    session(cast, 5)
    assert "PHQ-9 8, the first one" not in opened(cast)
    session(cast, 1, kind="chat")
    assert "PHQ-9 8, the first one" not in opened(cast), "a chat in the app is no session with a clinician"


def test_the_banner_says_who_how_old_in_which_language_and_who_cares(cast: Cast) -> None:
    person = makers.make_patient(
        cast.home, team=[cast.alice], given_name="Amina", pronouns="she/her", language="sw",
        date_of_birth=makers.now().date() - 30 * 366 * DAY, consents=("treatment",),
    )  # fmt: skip
    makers.add_to_team(person, cast.bob, starts_at=makers.now() - DAY, at=makers.now() - DAY)
    client = Client()
    client.force_login(cast.alice)
    text = client.get(reverse("clinical:chart", args=[person.pk])).content.decode()
    for said in ("she/her", "30 years", "Swahili", "Alice Achieng and 1 more", "Crisis lines",
                 "Not for voice and patterns, emergency contact, sharing with the team"):  # fmt: skip
        assert said in text, said


def test_a_missing_consent_is_marked_for_the_widths_that_hide_the_other_facts(cast: Cast) -> None:
    page = opened(cast)
    missing = "<div><dt>Consent</dt><dd>Not for sharing with the team</dd>"
    assert f'<dl class="pt-facts pt-missing">{missing}' in page
    makers.consent(cast.patient, "care_team_sharing")
    assert '<dl class="pt-facts"><div><dt>Consent</dt><dd>All given</dd>' in opened(cast)
    makers.consent(cast.patient, "treatment", granted=False)
    assert "pt-missing" in opened(cast) and "Not for treatment" in opened(cast)


def test_preferences_and_what_helped_are_shown_from_what_the_app_sent(cast: Cast) -> None:
    person = makers.make_patient(
        cast.home, team=[cast.alice],
        preference=PreferenceData(voice_preference="warm", morning_routine_time="07:15"),
    )  # fmt: skip
    done = makers.make_session(person)
    feedback = FeedbackData(
        patient_id=person.pk, organization_id=cast.home.pk, received_at=makers.now(), session_id=done.pk,
        given_at=makers.now(), effectiveness_raw=10, effectiveness_scale=10, mental_effects=["calmer"],
    )  # fmt: skip
    makers.store(
        actor=makers.machine(cast.home), patient=person, sessions=[], batch=Batch(feedback=[feedback])
    )
    makers.scope_all()
    client = Client()
    client.force_login(cast.alice)
    text = client.get(reverse("clinical:chart", args=[person.pk])).content.decode()
    for said in ("Warm", "07:15", "calmer", "<td>5.0</td>"):
        assert said in text, said


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (["calm", "less_tense"], "calm, less tense"),
        ({"head_ache": 2}, "head ache 2"),
        ("fine", "fine"),
        (None, ""),
    ],
)
def test_effects_are_told_whatever_shape_an_app_gave_them(sent: Any, said: str) -> None:
    assert effect_words(sent) == said


@pytest.mark.parametrize("days", ["30", "365", "7", "x", ""])
def test_how_far_back_is_one_of_three_and_each_opening_leaves_one_row(cast: Cast, days: str) -> None:
    moods(cast, 5, 5, 5)
    before = PhiAccessLog.objects.filter(data_type="chart").count()
    text = opened(cast, query=f"?days={days}")
    assert text.count('aria-current="true"') == 1
    assert PhiAccessLog.objects.filter(data_type="chart").count() == before + 1


@pytest.fixture
def goals() -> Iterator[None]:
    def overview(look: Look) -> Shown:
        return Shown(
            agreed=[Line("Walk on three days", look.at + DAY)],
            due=[Line("Plan review", look.at - DAY, late=True)],
            changes=[Line("Plan changed", look.at)],
            marks=[Mark(look.at - DAY, "Plan changed")],
        )

    parts.register(Part("test", lambda _: [Flag("Penicillin allergy", "crit")], overview))
    yield
    parts.unregister("test")


@pytest.mark.usefixtures("goals")
def test_a_feature_adds_flags_and_answers_without_this_page_knowing_it(cast: Cast) -> None:
    text = opened(cast)
    for said in (
        "Penicillin allergy",
        "Walk on three days",
        "Plan review",
        "Plan changed",
        "Plan change</li>",
    ):
        assert said in text, said
    client = Client()
    client.force_login(cast.alice)
    other = client.get(reverse("clinical:timeline", args=[cast.patient.pk])).content.decode()
    assert "Penicillin allergy" in other, "the banner stays on every page of the chart"
    assert "Walk on three days" not in other
