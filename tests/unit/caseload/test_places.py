"""What is on record of a person decides their place: level, last sign of them, review of the plan."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinical.assessments.schedule import TASK_AFTER
from clinical.caseload.actions import mark_reviewed, note_look
from clinical.caseload.models import CaseMark
from clinical.caseload.queries import Case, caseload
from clinical.caseload.showing import first, row_of
from clinical.plans.actions import begin_plan
from clinical.plans.models import PlanStatus, TreatmentPlan
from clinical.scheduling.actions import book_appointment, note_held, note_no_show, put_back
from clinical.sessions.actions import start_session
from cortex.ui.templatetags.ui import day
from crisis.alerts.models import RiskAlert
from crisis.reviews.models import ReviewItem
from crisis.risk.models import RiskAssessment
from patients.care.models import CareTeamMember
from patients.sessions.models import Session
from patients.sessions.observations import DailyCheckIn
from patients.sessions.records import Batch, MessageData
from tests import makers
from tests.cast import Cast
from tests.makers import staff

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def line(cast: Cast) -> Case:
    """The patient's line for a therapist who took them over yesterday: no measure is overdue."""
    makers.scope_all()
    CareTeamMember.objects.update(starts_at=makers.now() - DAY)
    (found,) = (one for one in caseload(cast.alice, makers.now()) if one.who.pk == cast.patient.pk)
    return found


def assessed(cast: Cast, level: str, at: datetime, entered: datetime | None = None) -> None:
    RiskAssessment.objects.create(
        organization=cast.home, patient=cast.patient, level=level, engine_level=level, level_source="score",
        score="0.40", score_raw="0.4000", protective_applied=0, engine_version="1.2.0",
        inputs_digest="0" * 64, computed_at=at, entered_level_at=entered or at,
    )  # fmt: skip


def looked(cast: Cast, at: datetime) -> None:
    note_look(actor=staff(cast.alice), patient_id=cast.patient.pk, at=at)


def test_a_level_that_came_down_has_not_risen(cast: Cast) -> None:
    at = makers.now()
    looked(cast, at - 3 * DAY)
    assessed(cast, "critical", at - 5 * DAY)
    assessed(cast, "high", at - DAY)
    found = line(cast)
    # It stands high all the same: who only looked is asked for a review.
    assert (found.level, found.place.why) == ("high", "The level has stood at high for 1 day.")
    mark_reviewed(actor=staff(cast.alice), patient_id=cast.patient.pk)
    assert line(cast).place.group == "reviewed"


def test_a_first_low_level_is_no_rise(cast: Cast) -> None:
    at = makers.now()
    looked(cast, at - 3 * DAY)
    assessed(cast, "low", at - DAY)
    assert line(cast).place.group == "steady"


def test_a_first_level_above_low_has_risen(cast: Cast) -> None:
    at = makers.now()
    looked(cast, at - 3 * DAY)
    assessed(cast, "medium", at - DAY)
    assert line(cast).place.why == "The level rose to medium."


def test_a_level_that_rose_since_one_looked_comes_first(cast: Cast) -> None:
    at = makers.now()
    looked(cast, at - 3 * DAY)
    assessed(cast, "low", at - 5 * DAY)
    assessed(cast, "medium", at - DAY)
    # Seen again at the same level: it was entered a day ago.
    assessed(cast, "medium", at - timedelta(hours=1), entered=at - DAY)
    assert line(cast).place.why == "The level rose to medium."


def test_of_two_alerts_that_ended_the_one_that_ended_last_is_the_news(cast: Cast) -> None:
    at = makers.now()
    checked_in(cast, at)
    looked(cast, at - 2 * DAY)
    for raised, ended, by in (
        (at - 9 * DAY, at - DAY, cast.cleo), (at - 5 * DAY, at - 4 * DAY, cast.bob)
    ):  # fmt: skip
        one = makers.make_alert(cast.patient, "high")
        RiskAlert.objects.filter(pk=one.pk).update(
            status="resolved", raised_at=raised, level_since=raised, resolved_at=ended, resolved_by=by
        )
    found = line(cast)
    assert found.place.why == "An alert was ended by Cleo Cherono since you looked."
    assert row_of(found)["news"] == [f"alert ended {day(at - DAY)}"]


def checked_in(cast: Cast, at: datetime) -> None:
    DailyCheckIn.objects.create(
        organization=cast.home, patient=cast.patient, date=at.date(), mood=5, submitted_at=at, received_at=at
    )


def wrote(cast: Cast, at: datetime, role: str = "patient") -> None:
    words = MessageData(
        cast.patient.pk, cast.home.pk, at, session_id=None, content="I went to the market", role=role,
        sent_at=at,
    )  # fmt: skip
    actor = makers.machine(cast.home)
    makers.store(actor=actor, patient=cast.patient, sessions=[], batch=Batch(messages=[words]))


def sat(cast: Cast, at: datetime, status: str = "completed", *labels: str) -> None:
    makers.make_session(
        cast.patient, started_at=at, received_at=at, status=status,
        client_ref=str(uuid4()), sensitivity_labels=list(labels),
    )  # fmt: skip


def came(cast: Cast, at: datetime) -> None:
    """An hour that was held elsewhere than in a session here."""
    (one,) = book_appointment(actor=staff(cast.alice), patient_id=cast.patient.pk, starts=[at], minutes=50)
    note_held(actor=staff(cast.alice), appointment_id=one.pk)


@pytest.mark.parametrize("heard", [checked_in, wrote, sat, came])
def test_the_last_sign_of_somebody_counts_whichever_way_it_came(
    heard: Callable[[Cast, datetime], None], cast: Cast
) -> None:
    at = makers.now()
    sat(cast, at - 60 * DAY)
    heard(cast, at - 20 * DAY)
    assert line(cast).place.why == "Nothing heard for 20 days."


def test_what_others_wrote_or_nobody_came_to_is_no_sign(cast: Cast) -> None:
    at = makers.now()
    sat(cast, at - 30 * DAY)
    wrote(cast, at - 2 * DAY, role="assistant")
    for status in ("no_show", "cancelled", "scheduled"):
        sat(cast, at - DAY, status)
    assert line(cast).place.why == "Nothing heard for 30 days."


def test_an_hour_that_was_held_without_a_session_is_the_last_contact(cast: Cast) -> None:
    at = makers.now()
    sat(cast, at - 30 * DAY)
    looked(cast, at - 20 * DAY)
    starts = at - 3 * DAY
    (one,) = book_appointment(
        actor=staff(cast.alice), patient_id=cast.patient.pk, starts=[starts], minutes=50
    )
    assert (line(cast).last_session_at, line(cast).last_heard) == (at - 30 * DAY, at - 30 * DAY), (
        "only booked"
    )
    note_held(actor=staff(cast.alice), appointment_id=one.pk)
    found = line(cast)
    assert (found.last_session_at, found.last_heard, found.next_at) == (starts, starts, None)
    row = row_of(found)
    assert (row["last"], row["news"]) == (day(starts), [f"session {day(starts)}"])
    put_back(actor=staff(cast.alice), appointment_id=one.pk)
    assert line(cast).last_heard == at - 30 * DAY
    note_no_show(actor=staff(cast.alice), appointment_id=one.pk)
    assert line(cast).last_heard == at - 30 * DAY


def test_an_hour_that_became_a_session_says_no_more_than_the_session_s_labels(cast: Cast) -> None:
    at = makers.now()
    sat(cast, at - 3 * DAY, "completed", "V")
    (one,) = book_appointment(
        actor=staff(cast.alice), patient_id=cast.patient.pk, starts=[at - 3 * DAY], minutes=50
    )
    session = Session.objects.get(patient=cast.patient)
    note_held(actor=staff(cast.alice), appointment_id=one.pk, session_id=session.pk)
    found = line(cast)
    assert (found.last_session_at, found.last_heard) == (None, None)


@pytest.mark.parametrize("label", ["V", "PSYTHPN", "SUD_PART2"])
def test_a_session_that_a_label_shuts_is_neither_the_last_nor_the_next_one(cast: Cast, label: str) -> None:
    at = makers.now()
    sat(cast, at - 30 * DAY)
    sat(cast, at - 2 * DAY, "completed", label)
    sat(cast, at + 2 * DAY, "scheduled", label)
    sat(cast, at + 5 * DAY, "scheduled", "HIV")
    found = line(cast)
    assert (found.last_session_at, found.next_at) == (at - 30 * DAY, at + 5 * DAY)
    assert found.place.why == "Nothing heard for 30 days."
    makers.consent(cast.patient, "part2_tpo")
    found, opens = line(cast), label == "SUD_PART2"
    assert found.last_session_at == at - (2 if opens else 30) * DAY
    assert found.next_at == at + (2 if opens else 5) * DAY


def test_one_s_own_session_is_the_last_one_whatever_its_label(cast: Cast) -> None:
    begun = start_session(actor=staff(cast.alice), patient_id=cast.patient.pk, channel="video")
    Session.objects.filter(pk=begun.pk).update(sensitivity_labels=["V"])
    assert line(cast).last_session_at == Session.objects.get(pk=begun.pk).started_at
    makers.add_to_team(cast.patient, cast.bob)
    (theirs,) = caseload(cast.bob, makers.now())
    assert theirs.last_session_at is None


def test_a_caseload_asks_two_questions_more_where_a_label_may_shut_a_session_whosever(cast: Cast) -> None:
    def cost() -> int:
        line(cast)
        with CaptureQueriesContext(connection) as asked:
            caseload(cast.alice, makers.now())
        return len(asked)

    at = makers.now()
    sat(cast, at - 3 * DAY)
    plain = cost()
    sat(cast, at - 2 * DAY, "completed", "HIV")
    assert cost() == plain, "a label that is open to every team asks nothing"
    sat(cast, at - DAY, "completed", "SUD_PART2")
    one = cost()
    for _ in range(3):
        other = makers.make_patient(organization=cast.home, team=[cast.alice])
        makers.make_session(other, kind="therapy", status="completed", sensitivity_labels=["SUD_PART2"])
        makers.make_session(other, kind="therapy", status="completed", sensitivity_labels=["V"])
    assert (one, cost()) == (plain + 2, plain + 2)


def plan_due(cast: Cast, at: datetime) -> None:
    begin_plan(
        actor=staff(cast.alice), patient_id=cast.patient.pk, presenting_problem="Low since the spring.",
        start=(at - 40 * DAY).date(), target_end=(at + 40 * DAY).date(),
    )  # fmt: skip
    TreatmentPlan.objects.update(
        status=PlanStatus.ACTIVE, next_review_at=at, signed_version=1, signed_at=at - 40 * DAY
    )


def test_a_plan_whose_review_has_come_is_overdue_and_leads_to_it(cast: Cast) -> None:
    at = makers.now()
    checked_in(cast, at)
    plan_due(cast, at - 3 * DAY)
    found = line(cast)
    assert (found.place.group, found.place.why) == ("overdue", "Review of the plan, overdue for 3 days.")
    (told,) = first([found], cast.alice.pk)["cases"]
    assert (told["label"], told["url"]) == (
        "Review the plan", f"/charts/{cast.patient.pk}/plan/review/",
    )  # fmt: skip


def test_one_who_was_ticked_off_comes_back_when_the_review_is_due(cast: Cast) -> None:
    at = makers.now()
    checked_in(cast, at)
    plan_due(cast, at - DAY)
    mark_reviewed(actor=staff(cast.alice), patient_id=cast.patient.pk, at=at - 2 * DAY)
    assert line(cast).place.group == "overdue"
    mark_reviewed(actor=staff(cast.alice), patient_id=cast.patient.pk, at=at)
    ticked = line(cast).place
    assert (ticked.group, ticked.why) == ("reviewed", "Review of the plan, overdue for 1 day.")


def test_one_who_was_ticked_off_comes_back_when_a_task_is_overdue(cast: Cast) -> None:
    at = makers.now()
    checked_in(cast, at)
    item = ReviewItem.objects.create(
        organization=cast.home, patient=cast.patient, reason_code="cssrs_due", due_at=at + DAY
    )
    ReviewItem.objects.filter(pk=item.pk).update(created_at=at - 3 * DAY)
    mark_reviewed(actor=staff(cast.alice), patient_id=cast.patient.pk, at=at - 2 * DAY)
    assert line(cast).place.group == "reviewed", "it waits still"
    ReviewItem.objects.filter(pk=item.pk).update(due_at=at - DAY)
    assert line(cast).place.group == "overdue"
    mark_reviewed(actor=staff(cast.alice), patient_id=cast.patient.pk, at=at)
    assert line(cast).place.group == "reviewed"


def test_one_who_was_ticked_off_comes_back_when_a_measure_is_overdue(cast: Cast) -> None:
    """It is due since yesterday; it makes a task, and the line overdue, so many days later."""
    at = makers.now()
    late = at + TASK_AFTER

    def group_at(moment: datetime) -> str:
        makers.scope_all()
        (found,) = (one for one in caseload(cast.alice, moment) if one.who.pk == cast.patient.pk)
        return found.place.group

    line(cast)
    checked_in(cast, at)
    mark_reviewed(actor=staff(cast.alice), patient_id=cast.patient.pk, at=at)
    assert group_at(late - 2 * DAY) == "reviewed"
    assert group_at(late) == "overdue"
    mark_reviewed(actor=staff(cast.alice), patient_id=cast.patient.pk, at=late)
    assert group_at(late + timedelta(hours=1)) == "reviewed"


def test_what_came_between_two_openings_of_one_look_is_no_news_and_stays_marked_on_the_chart(
    cast: Cast,
) -> None:
    at = makers.now()
    checked_in(cast, at)
    looked(cast, at - DAY)
    looked(cast, at - timedelta(minutes=20))
    alert = makers.make_alert(cast.patient, "high")
    ReviewItem.objects.all().delete()
    RiskAlert.objects.filter(pk=alert.pk).update(
        status="resolved", raised_at=at - DAY, level_since=at - DAY, resolved_by=cast.cleo,
        resolved_at=at - timedelta(minutes=10),
    )  # fmt: skip
    assert line(cast).place.group == "alert"
    looked(cast, at)
    assert (line(cast).place.group, row_of(line(cast))["news"]) == ("steady", [])
    mark = CaseMark.objects.get(user=cast.alice)
    assert (mark.looked_before, mark.looked_at) == (at - DAY, at), "on the chart it is still new"


def test_what_one_ended_oneself_is_no_news(cast: Cast) -> None:
    at = makers.now()
    checked_in(cast, at)
    looked(cast, at - timedelta(minutes=20))
    alert = makers.make_alert(cast.patient, "high")
    ReviewItem.objects.all().delete()
    RiskAlert.objects.filter(pk=alert.pk).update(
        status="resolved", raised_at=at - DAY, level_since=at - DAY, resolved_by=cast.alice,
        resolved_at=at - timedelta(minutes=10),
    )  # fmt: skip
    assert (line(cast).place.group, row_of(line(cast))["news"]) == ("steady", [])
