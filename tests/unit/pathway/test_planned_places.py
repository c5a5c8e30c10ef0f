"""Places that are planned: they hold up nobody who takes, hands over or moves care, and may be called off."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.urls import reverse

from clinical.assessments.planning import queries as planning
from clinical.chart.news.queries import places_ended
from clinical.pathway import actions as ways
from patients.care.actions import end_care_team_place
from patients.care.models import CareTeamMember
from patients.codes import EndingReason
from patients.pathway.actions import EndingData
from patients.registry.models import Patient
from tests import makers
from tests.cast import Cast
from tests.makers import client_of, staff
from tests.unit.pathway.test_again import a_caller, accepted, link

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
HANDED = EndingData(EndingReason.PERSON_ASKED, "Met twice.")


def planned(cast: Cast, how: str, patient: Patient | None = None) -> CareTeamMember:
    """Bob's place of days to come: with an end, without one, or called off again."""
    start = makers.now() + 3 * DAY
    ends = start + 3 * DAY if how == "for a while" else None
    place = makers.add_to_team(patient or cast.patient, cast.bob, starts_at=start, ends_at=ends)
    if how == "called off":
        end_care_team_place(actor=staff(cast.ada), member_id=place.pk)
        makers.scope_all()
    return place


def bobs(at: datetime | None = None) -> list[CareTeamMember]:
    """Return the places that hold or are to come."""
    makers.scope_all()
    rows = CareTeamMember.objects.memberships().ever().filter(user__full_name="Bob Barasa")
    at = at or makers.now()
    return [one for one in rows if one.ends_at is None or one.ends_at > at]


HOWS = pytest.mark.parametrize("how", ["for a while", "for good", "called off"])


@HOWS
@pytest.mark.parametrize("row", ["record", "linked"])
def test_whoever_has_a_planned_place_takes_them_into_care_now(cast: Cast, how: str, row: str) -> None:
    caller = a_caller(cast)
    planned(cast, how, caller if row == "linked" else None)
    link(cast, caller)
    accepted(cast, cast.patient, "bob")
    [place] = bobs()
    assert (place.patient_id, place.ends_at, place.holds(makers.now())) == (cast.patient.pk, None, True)


@HOWS
@pytest.mark.parametrize("way", ["transfer", "caseload"])
def test_whoever_has_a_planned_place_is_handed_them_now(cast: Cast, how: str, way: str) -> None:
    planned(cast, how)
    if way == "transfer":
        ways.transfer(actor=staff(cast.alice), patient_id=cast.patient.pk, to_id=cast.bob.pk, data=HANDED)
    else:
        other = makers.make_patient(cast.home, team=[cast.alice])
        plan = {cast.patient.pk: cast.bob.pk, other.pk: cast.bob.pk}
        assert ways.move_caseload(actor=staff(cast.sam), user_id=cast.alice.pk, plan=plan) == 2
    [place] = [one for one in bobs() if one.patient_id == cast.patient.pk]
    assert (place.ends_at, place.holds(makers.now())) == (None, True)
    assert Patient.objects.get(pk=cast.patient.pk).primary_clinician_id == cast.bob.pk


def test_a_place_that_was_called_off_is_given_again(cast: Cast) -> None:
    planned(cast, "called off")
    again = makers.add_to_team(cast.patient, cast.bob)
    assert [one.pk for one in bobs()] == [again.pk]


def test_a_place_that_was_called_off_hands_nothing_on(cast: Cast) -> None:
    planned(cast, "called off")
    makers.add_to_team(cast.patient, cast.bob, role="psychiatrist")
    third = makers.make_user("therapist", cast.home, full_name="Third One")
    ways.transfer(actor=staff(cast.bob), patient_id=cast.patient.pk, to_id=third.pk, data=HANDED)
    makers.scope_all()
    assert [one.role for one in CareTeamMember.objects.filter(user=third)] == ["psychiatrist"]


def test_a_place_that_was_called_off_never_was_and_is_not_to_come(cast: Cast) -> None:
    place = planned(cast, "called off")
    url = reverse("clinical:chart_people", args=[cast.patient.pk])
    assert "Bob Barasa</span>" not in client_of(cast.alice).get(url).content.decode()
    makers.scope_all()
    start = makers.now() - DAY
    CareTeamMember.objects.filter(pk=place.pk).update(starts_at=start, ends_at=start)
    page = client_of(cast.alice).get(reverse("clinical:timeline", args=[cast.patient.pk])).content.decode()
    assert "Bob Barasa left" not in page and "Bob Barasa joined" not in page
    makers.scope_all()
    assert places_ended([cast.patient.pk], start - DAY, makers.now()) == []
    own = CareTeamMember.objects.get(patient=cast.patient, user=cast.alice)
    [told] = planning._places_of({cast.patient.pk: cast.patient.pk}).values()
    assert told == [(own.starts_at, None)]
