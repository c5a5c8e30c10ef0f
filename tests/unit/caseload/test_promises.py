"""Contacts promised after a crisis: on their day they ask for whoever owes them, on list and chart."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.urls import reverse

from clinical.caseload.actions import mark_reviewed, note_look
from clinical.caseload.queries import mark
from clinical.caseload.showing import first
from cortex.accounts.models import User
from crisis.alerts.models import RiskAlert
from crisis.reviews.models import FollowUp, ReviewItem
from patients.care.actions import plan_cover
from patients.care.models import CareTeamMember
from patients.registry.models import Patient
from tests import makers
from tests.cast import Cast
from tests.makers import client_of, staff
from tests.unit.caseload.test_places import checked_in, looked
from tests.unit.caseload.test_tasks import case_of

pytestmark = pytest.mark.django_db
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def noon(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> datetime:
    """It is noon where the person lives: today goes on for half a day."""
    at = makers.now().replace(hour=9, minute=0, second=0, microsecond=0)
    monkeypatch.setattr(makers, "now", lambda: at)
    checked_in(cast, at)
    looked(cast, at - HOUR)
    return at


def promise(patient: Patient, owner: User | None, due: datetime, label: str = "24h") -> FollowUp:
    at = makers.now()
    alert = makers.make_alert(patient, "critical")
    RiskAlert.objects.filter(pk=alert.pk).update(
        status="resolved", raised_at=at - 3 * DAY, level_since=at - 3 * DAY, resolved_at=at - 1.1 * DAY,
        disposition="remained_community_with_plan",
    )  # fmt: skip
    # What else the crisis asks for has its own tests.
    ReviewItem.objects.all().delete()
    one = FollowUp.objects.create(
        organization=patient.organization, patient=patient, alert=alert, label=label, due_at=due, owner=owner
    )
    FollowUp.objects.filter(pk=one.pk).update(created_at=at - DAY)
    return one


@pytest.mark.parametrize(
    ("due", "group", "why"),
    [
        (-2 * HOUR, "overdue", "Contact after 24 hours, overdue for less than a day."),
        (2 * HOUR, "waiting", "Contact after 24 hours, today."),
        (13 * HOUR, "steady", "Nothing asks for you now."),
    ],
)
def test_a_promised_contact_asks_for_its_owner_on_its_day(
    cast: Cast, noon: datetime, due: timedelta, group: str, why: str
) -> None:
    promise(cast.patient, cast.alice, noon + due)
    found = case_of(cast.alice, cast.patient)
    assert (found.place.group, found.place.why) == (group, why)
    if group != "steady":
        [told] = first([found], cast.alice.pk)["cases"]
        assert told["url"] == reverse("crisis:followups")


def test_a_contact_is_named_before_what_is_late_for_longer(cast: Cast, noon: datetime) -> None:
    promise(cast.patient, cast.alice, noon - 2 * HOUR)
    ReviewItem.objects.create(
        organization=cast.home, patient=cast.patient, reason_code="cssrs_due", owner=cast.alice,
        due_at=noon - 3 * DAY,
    )  # fmt: skip
    assert case_of(cast.alice, cast.patient).place.why.startswith("Contact after 24 hours, overdue")
    FollowUp.objects.update(due_at=noon + HOUR)
    ReviewItem.objects.update(due_at=noon + DAY)
    assert case_of(cast.alice, cast.patient).place.why == "Contact after 24 hours, today."


def test_somebody_else_s_contact_asks_for_them_and_for_who_stands_in(cast: Cast, noon: datetime) -> None:
    promise(cast.patient, cast.bob, noon - 2 * HOUR)
    makers.add_to_team(cast.patient, cast.bob)
    assert case_of(cast.alice, cast.patient).place.group == "steady"
    third = makers.make_user("therapist", cast.home, full_name="Third One")
    place = CareTeamMember.objects.get(patient=cast.patient, user=cast.bob)
    plan_cover(
        actor=staff(cast.bob), member_id=place.pk, user_id=third.pk, starts_at=noon - HOUR,
        ends_at=noon + 9 * DAY, at=noon - HOUR,
    )  # fmt: skip
    note_look(actor=staff(third), patient_id=cast.patient.pk, at=noon - HOUR)
    assert case_of(third, cast.patient).place.group == "overdue"


def test_a_review_of_the_day_before_hides_no_contact_of_today(cast: Cast, noon: datetime) -> None:
    mark_reviewed(actor=staff(cast.alice), patient_id=cast.patient.pk, at=noon - DAY)
    promise(cast.patient, cast.alice, noon + 2 * HOUR)
    RiskAlert.objects.update(resolved_at=noon - 2 * DAY)
    assert case_of(cast.alice, cast.patient).place.group == "waiting"
    mark_reviewed(actor=staff(cast.alice), patient_id=cast.patient.pk, at=noon - HOUR)
    assert case_of(cast.alice, cast.patient).place.group == "reviewed"
    FollowUp.objects.update(due_at=noon - timedelta(minutes=1))
    assert case_of(cast.alice, cast.patient).place.group == "overdue"


def test_the_mark_of_a_list_that_is_open_moves_when_a_contact_becomes_due_and_when_it_is_made(
    cast: Cast, noon: datetime
) -> None:
    one = promise(cast.patient, cast.alice, noon + 2 * HOUR)
    marks = [mark(cast.alice, noon), mark(cast.alice, noon + 3 * HOUR)]
    FollowUp.objects.filter(pk=one.pk).update(status="done", done_at=noon)
    marks.append(mark(cast.alice, noon + 3 * HOUR))
    assert len(set(marks)) == 3


def test_on_the_chart_a_contact_moves_from_what_was_agreed_to_what_is_due_and_stands_first(
    cast: Cast,
) -> None:
    at = makers.now()
    promise(cast.patient, cast.alice, at - HOUR)
    promise(cast.patient, cast.alice, at + 2 * DAY, "72h")
    page = client_of(cast.alice).get(reverse("clinical:chart", args=[cast.patient.pk])).content.decode()
    due, agreed = (
        page.split('id="du"')[1].split("</section>")[0],
        page.split('id="ag"')[1].split("</section>")[0],
    )
    assert "Contact after 24 hours" in due.split("<details")[0] and "overdue" in due
    assert "Contact after 24 hours" not in agreed and "Contact after 72 hours" in agreed
