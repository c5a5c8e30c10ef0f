"""Who stands in for somebody stands in for them about the person, whichever row place and task are on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.urls import reverse

from clinical.assessments.models import Assessment
from clinical.caseload.showing import first
from clinical.scheduling.handover import queries as handover
from clinical.scheduling.models import Appointment
from cortex.accounts.models import User
from crisis.reviews.actions import finish_item
from patients.care.actions import plan_cover
from patients.registry.models import Patient
from tests import makers
from tests.cast import Cast
from tests.makers import client_of, staff
from tests.unit.caseload import written
from tests.unit.caseload.test_linked import caller, link
from tests.unit.caseload.test_places import checked_in
from tests.unit.caseload.test_promises import promise
from tests.unit.caseload.test_tasks import case_of, task

pytestmark = pytest.mark.django_db
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@dataclass
class Stood:
    """Carol's place and Bob's cover of it are on one row of a person, what is hers to do is on the other."""

    cast: Cast
    carol: User
    other: Patient


@pytest.fixture(params=["place on the caller's row", "place on the row on record"])
def stood(request: pytest.FixtureRequest, cast: Cast) -> Stood:
    called = caller(cast)
    held, other = called.patient, cast.patient
    if request.param == "place on the row on record":
        held, other = other, held
    carol = makers.make_user("therapist", cast.home, full_name="Carol Chebet")
    place = makers.add_to_team(held, carol)
    at = makers.now()
    plan_cover(
        actor=staff(cast.ada), member_id=place.pk, user_id=cast.bob.pk, starts_at=at, ends_at=at + 9 * DAY
    )
    makers.scope_all()
    link(cast, called)
    checked_in(cast, makers.now())
    return Stood(cast, carol, other)


def test_a_task_opens_to_them_from_caseload_list_and_measure(stood: Stood) -> None:
    cast, at = stood.cast, makers.now()
    written.measured(cast, at - HOUR)
    makers.scope_all()
    [result] = Assessment.objects.filter(patient=cast.patient)
    one = task(stood.other, stood.carol, at - HOUR)
    page, browser = reverse("crisis:review_detail", args=[one.pk]), client_of(cast.bob)
    found = case_of(cast.bob, cast.patient)
    assert (found.place.group, [item.pk for item in found.items]) == ("overdue", [one.pk])
    (told,) = first([found], cast.bob.pk)["cases"]
    assert (told["label"], told["url"]) == ("Open the task", page)
    assert page in browser.get(reverse("crisis:review_list")).content.decode()
    measure = reverse("clinical:measure_result", args=[cast.patient.pk, result.pk])
    assert page in browser.get(measure).content.decode()
    assert browser.get(page).status_code == 200
    assert finish_item(actor=staff(cast.bob), item_id=one.pk, outcome="no_action_needed").done_by == cast.bob


def test_a_promised_contact_stands_among_theirs_and_opens(stood: Stood) -> None:
    one, browser = promise(stood.other, stood.carol, makers.now() - HOUR), client_of(stood.cast.bob)
    makers.scope_all()
    assert [owed.pk for owed in case_of(stood.cast.bob, stood.cast.patient).promises] == [one.pk]
    page = reverse("crisis:followup_done", args=[one.pk])
    assert page in browser.get(reverse("crisis:followups")).content.decode()
    assert browser.post(page, {}).status_code == 200


def test_an_hour_stands_on_their_calendar(stood: Stood) -> None:
    at = makers.now()
    one = Appointment.objects.create(
        organization=stood.cast.home, patient=stood.other, therapist=stood.carol, starts_at=at + DAY,
        ends_at=at + DAY + HOUR,
    )  # fmt: skip
    found = handover.covered(stood.cast.bob, at - DAY, at + 7 * DAY, at + HOUR)
    assert [hour.pk for hour in found] == [one.pk]


def test_of_somebody_else_nothing_is_lent(stood: Stood) -> None:
    stranger = makers.make_patient(stood.cast.home, team=[stood.carol])
    one = task(stranger, stood.carol, makers.now() - HOUR)
    assert client_of(stood.cast.bob).get(reverse("crisis:review_detail", args=[one.pk])).status_code == 404
