"""The first screen of a chart: five questions answered, with data and without, and one row of the log."""

from __future__ import annotations

import re
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
from clinical.sessions.actions import assess_risk, end_session, start_session
from cortex.audit.models import PhiAccessLog
from crisis.decisions.actions import finish_risk_review
from crisis.reviews.actions import make_item
from patients.privacy.models import Consent
from patients.registry.queries import local_day
from patients.registry.records import PreferenceData
from patients.sessions.models import Session
from patients.sessions.observations import DailyCheckIn
from patients.sessions.records import Batch, FeedbackData
from tests import makers
from tests.cast import Cast
from tests.makers import staff
from tests.unit.caseload.test_live import client_of

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


def assessed(cast: Cast, level: str, note: str = "", **factors: str) -> None:
    started = start_session(actor=staff(cast.alice), patient_id=cast.patient.pk, channel="video")
    who: dict[str, Any] = {
        "actor": staff(cast.alice), "patient_id": cast.patient.pk, "session_id": started.pk,
    }  # fmt: skip
    assess_risk(**who, level=level, note=note, factors=factors)
    end_session(**who)
    makers.scope_all()


def test_the_clinician_s_level_stands_beside_the_signals_with_who_set_it_and_when(cast: Cast) -> None:
    assessed(cast, "low", "Long ago to her.", RF_ATTEMPT_3M="present")
    text = opened(cast)
    assert re.search(r"Alice Achieng set low, <time", text)
    assert "Signals are higher than that level and stand at medium: an attempt within 3 months" in text
    assessed(cast, "high")
    text = opened(cast)
    assert "Alice Achieng set high, " in text and "Alice Achieng set low" not in text
    assert "Signals beside it: an attempt within 3 months on record." in text
    take(cast, 2, 0)
    assert "PHQ-9 total in the severe bands" in opened(cast)


def test_a_level_that_was_left_to_the_signals_says_who_left_it(cast: Cast) -> None:
    assessed(cast, "same", PF_REASONS_LIVING="present")
    assert "Alice Achieng left the level to the signals, " in opened(cast)


def test_a_review_s_level_names_its_reader(cast: Cast) -> None:
    item = make_item(
        actor=makers.machine(cast.home), organization_id=cast.home.pk, patient=cast.patient,
        reason_code="risk_review", owner_id=cast.alice.pk,
    )  # fmt: skip
    finish_risk_review(actor=staff(cast.alice), item_id=item.pk, outcome="reviewed", level="medium")
    text = opened(cast)
    assert "Alice Achieng set medium, " in text and "No other signals." in text


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
    consent = "Given: Treatment. Never asked: Voice processing, Emergency contact and 13 more"
    for said in ("she/her", "30 years", "Swahili", "Alice Achieng and 1 more", "Crisis lines", consent):
        assert said in text, said


def test_no_consent_is_said_to_be_given_that_nobody_asked_about(cast: Cast) -> None:
    def banner() -> str:
        return opened(cast).split("<dt>Consent</dt><dd>")[1].split("</dd>")[0]

    assert banner().endswith("Never asked: Sharing with the care team and 12 more</a>")
    makers.consent(cast.patient, "care_team_sharing")
    assert "pt-missing" not in opened(cast)
    assert "Given: Treatment, Voice processing and 2 more. Never asked: 12<" in banner()
    makers.consent(cast.patient, "recording", granted=False)
    makers.consent(cast.patient, "treatment", granted=False)
    page = opened(cast)
    assert "pt-missing" in page
    assert "Declined: Recording. Withdrawn: Treatment. Never asked: 11<" in banner()
    card = page.split('id="co"')[1].split("</section>")[0]
    for label, state in (
        ("Treatment", "withdrawn"),
        ("Recording", "declined"),
        ("Voice processing", "given"),
    ):
        assert f'<span class="grow">{label}</span><span class="xs muted">{state}</span>' in card
    assert "Telehealth" in card.split("Never asked: ")[1]
    consent = (
        client_of(cast.alice).get(reverse("clinical:chart_consent", args=[cast.patient.pk])).content.decode()
    )
    assert "Withdrawn, " in consent and "Declined, " in consent


def test_a_consent_that_ran_out_is_neither_given_nor_withdrawn(cast: Cast) -> None:
    at = makers.now()
    Consent.objects.create(
        organization=cast.home, patient=cast.patient, consent_type="telehealth", granted=True,
        recorded_at=at - 9 * DAY, expires_at=at - DAY,
    )  # fmt: skip
    assert "Expired: Telehealth" in opened(cast)


def test_the_session_under_way_is_not_the_last_one(cast: Cast) -> None:
    session(cast, 9)
    take(cast, 1, 3)
    start_session(actor=staff(cast.alice), patient_id=cast.patient.pk, channel="in_person")
    page = opened(cast)
    assert "Since the last session" in page and "PHQ-9 8, the first one" in page


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
    for said in ("Warm", "07:15", "calmer", '<td>5.0<span class="xs muted blk">said 10 of 10</span></td>'):
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


def test_the_mood_before_the_last_session_is_the_same_whatever_the_axis_shows(cast: Cast) -> None:
    at = makers.now()
    sat = makers.make_session(cast.patient, kind="therapy")
    start = at - timedelta(days=25)
    Session.objects.filter(pk=sat.pk).update(
        started_at=start, ended_at=start + timedelta(hours=1), status="completed"
    )
    today = local_day(cast.patient, at)
    for back in range(60):
        mood = 7 if back < 25 else 5 if back < 32 else 2
        DailyCheckIn.objects.create(
            organization=cast.home, patient=cast.patient, date=today - timedelta(days=back), mood=mood,
            submitted_at=at - timedelta(days=back), received_at=at - timedelta(days=back),
        )  # fmt: skip
    said = {
        days: re.findall(r"Mood [\d.]+ on \d+ days, was [\d.]+", opened(cast, query=f"?days={days}"))[:1]
        for days in (30, 90, 365)
    }
    assert said[30] == said[90] == said[365] == ["Mood 7.0 on 25 days, was 2.8"]
