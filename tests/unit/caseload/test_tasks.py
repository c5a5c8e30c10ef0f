"""Whose tasks ask for the reader of a caseload, and in which order they wait."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.urls import reverse

from clinical.caseload.queries import Case, caseload
from clinical.caseload.showing import first, news
from cortex.accounts.models import User
from crisis.reviews.models import ReviewItem
from patients.care.actions import plan_cover
from patients.care.models import CareTeamMember
from patients.registry.models import Patient
from tests import makers
from tests.cast import Cast
from tests.makers import staff
from tests.unit.caseload.test_live import client_of
from tests.unit.caseload.test_places import checked_in, looked

pytestmark = pytest.mark.django_db
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def task(
    patient: Patient, owner: User | None, due: datetime, code: str = "cssrs_due", made: datetime | None = None
) -> ReviewItem:
    one = ReviewItem.objects.create(
        organization=patient.organization, patient=patient, reason_code=code, owner=owner, due_at=due
    )
    if made is not None:
        ReviewItem.objects.filter(pk=one.pk).update(created_at=made)
    return one


def case_of(user: User, patient: Patient) -> Case:
    makers.scope_all()
    CareTeamMember.objects.update(starts_at=makers.now() - DAY)
    (found,) = (one for one in caseload(user, makers.now()) if one.who.pk == patient.pk)
    return found


def test_what_is_somebody_else_s_to_do_does_not_ask_for_the_reader(cast: Cast) -> None:
    at = makers.now()
    checked_in(cast, at)
    looked(cast, at - 3 * DAY)
    task(cast.patient, cast.sam, at - HOUR, "caller_linked")
    task(cast.patient, cast.bob, at + HOUR, "note_unsigned")
    found = case_of(cast.alice, cast.patient)
    assert (found.place.group, found.items, news(found)) == ("steady", [], [])


@pytest.mark.parametrize("whose", ["alice", ""], ids=["own", "the desk's"])
def test_one_s_own_and_the_desk_s_ask_for_the_reader(cast: Cast, whose: str) -> None:
    at = makers.now()
    checked_in(cast, at)
    one = task(cast.patient, getattr(cast, whose) if whose else None, at - 3 * HOUR)
    found = case_of(cast.alice, cast.patient)
    assert (found.place.group, [item.pk for item in found.items]) == ("overdue", [one.pk])
    (told,) = first([found], cast.alice.pk)["cases"]
    page = reverse("crisis:review_detail", args=[one.pk])
    assert told["url"] == (page if whose else reverse("clinical:chart", args=[cast.patient.pk]))


def test_what_a_covered_colleague_has_to_do_asks_for_who_covers_them_and_opens(cast: Cast) -> None:
    at = makers.now()
    checked_in(cast, at)
    place = CareTeamMember.objects.get(patient=cast.patient, user=cast.alice)
    plan_cover(
        actor=staff(cast.ada), member_id=place.pk, user_id=cast.bob.pk, starts_at=at, ends_at=at + 2 * DAY
    )
    one = task(cast.patient, cast.alice, at - HOUR)
    task(cast.patient, cast.sam, at - 2 * HOUR, "caller_linked")
    found = case_of(cast.bob, cast.patient)
    assert (found.place.group, [item.pk for item in found.items]) == ("overdue", [one.pk])
    (told,) = first([found], cast.bob.pk)["cases"]
    assert (told["label"], told["url"]) == ("Open the task", reverse("crisis:review_detail", args=[one.pk]))
    assert client_of(cast.bob).get(told["url"]).status_code == 200


def test_a_cover_of_one_person_lends_nothing_of_another(cast: Cast) -> None:
    at = makers.now()
    place = CareTeamMember.objects.get(patient=cast.patient, user=cast.alice)
    plan_cover(
        actor=staff(cast.ada), member_id=place.pk, user_id=cast.bob.pk, starts_at=at, ends_at=at + 2 * DAY
    )
    other = makers.make_patient(cast.home, team=[cast.bob])
    task(other, cast.alice, at - HOUR)
    assert case_of(cast.bob, other).items == []


def test_what_has_waited_longest_comes_first_whenever_it_is_due(cast: Cast) -> None:
    at = makers.now()
    other = makers.make_patient(cast.home, team=[cast.alice])
    for patient, made, due in ((cast.patient, 5 * DAY, 9 * DAY), (other, DAY, 2 * HOUR)):
        checked_in_by(patient, at)
        task(patient, cast.alice, at + due, made=at - made)
    # Made earlier and due later than another one about the same person: the words and the way name it.
    young = task(cast.patient, cast.alice, at + HOUR, "risk_review", made=at - HOUR)
    makers.scope_all()
    CareTeamMember.objects.update(starts_at=at - DAY)
    found = caseload(cast.alice, at)
    assert [one.who.pk for one in found] == [cast.patient.pk, other.pk]
    assert {one.place.group for one in found} == {"waiting"}
    assert found[0].place.why == "Offer the C-SSRS today."
    (told, _) = first(found, cast.alice.pk)["cases"]
    assert told["url"] != reverse("crisis:review_detail", args=[young.pk])


def checked_in_by(patient: Patient, at: datetime) -> None:
    makers.make_session(patient, started_at=at - HOUR, received_at=at, status="completed")
