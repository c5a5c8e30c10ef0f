"""A colleague with a place on each row of a person is one: on banner, chart, plan and signature."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clinical.chart.banner import team_words
from clinical.chart.news.queries import places_ended
from clinical.chart.news.showing import team_lines
from clinical.notes.actions import begin_note
from clinical.notes.reminders.queries import cosigners
from clinical.pathway.queries import answers
from clinical.plans.signing.queries import content_of
from clinical.plans.versions import differences
from cortex.access.context import reading
from patients.care.actions import end_care_team_place, plan_cover
from patients.care.models import CareTeamMember
from patients.care.queries import care_team, seats
from patients.registry import access
from patients.registry.models import Patient
from tests import makers
from tests.cast import Cast
from tests.makers import client_of, staff
from tests.unit.pathway.test_again import a_caller, link
from tests.unit.plans.conftest import Planned, planned  # noqa: F401

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def caller(cast: Cast) -> Patient:
    """A row that will be linked to the person: Alice has a place on either."""
    found = a_caller(cast)
    makers.add_to_team(found, cast.alice)
    return found


def told(cast: Cast) -> str:
    page = client_of(cast.alice).get(reverse("clinical:chart", args=[cast.patient.pk])).content.decode()
    makers.scope_all()
    return page


def test_who_is_on_two_rows_is_counted_and_named_once(cast: Cast, caller: Patient) -> None:
    link(cast, caller)
    team = care_team(cast.patient.pk, makers.now())
    assert (len(team), team_words(team)) == (2, "Alice Achieng")
    makers.add_to_team(cast.patient, cast.bob, role="case_manager")
    page = told(cast)
    assert "<dd>Alice Achieng and 1 more</dd>" in page
    assert page.split('id="te"')[1].split("</section>")[0].count("Alice Achieng") == 1
    assert answers(cast.patient, care_team(cast.patient.pk, makers.now()), makers.now()).others == [
        "Bob Barasa"
    ]


@pytest.mark.parametrize("row", ["record", "caller"])
def test_the_cover_of_either_place_is_said_and_answers(cast: Cast, caller: Patient, row: str) -> None:
    place = CareTeamMember.objects.get(patient=caller if row == "caller" else cast.patient)
    at = makers.now()
    plan_cover(
        actor=staff(cast.ada), member_id=place.pk, user_id=cast.bob.pk, starts_at=at, ends_at=at + 2 * DAY
    )
    link(cast, caller)
    team = care_team(cast.patient.pk, makers.now())
    assert team_words(team) == "Bob Barasa for Alice Achieng"
    found = answers(cast.patient, team, makers.now())
    assert (found.name, found.covers, found.others) == ("Bob Barasa", "Alice Achieng", [])


def test_of_two_places_the_one_that_lasts_is_told(cast: Cast, caller: Patient) -> None:
    until = makers.now() + DAY
    CareTeamMember.objects.filter(patient=cast.patient).update(ends_at=until)
    link(cast, caller)
    [one] = seats(care_team(cast.patient.pk, makers.now()))
    assert (one.patient_id, one.ends_at) == (caller.pk, None)


def test_whose_place_on_one_row_ended_has_not_left(cast: Cast, caller: Patient) -> None:
    since = makers.now()
    gone = makers.add_to_team(cast.patient, cast.bob)
    link(cast, caller)
    for place in (gone, CareTeamMember.objects.get(patient=caller, user=cast.alice)):
        end_care_team_place(actor=staff(cast.ada), member_id=place.pk)
    makers.scope_all()
    rows, at = [cast.patient.pk, caller.pk], makers.now()
    lines = team_lines(care_team(cast.patient.pk, at), places_ended(rows, since, at), cast.sam.pk)
    assert [one.words for one in lines if "left" in one.words] == ["Bob Barasa left the team"]


def test_what_is_signed_names_them_once_and_a_link_is_no_change_of_the_team(
    planned: Planned,  # noqa: F811
    caller: Patient,
) -> None:
    cast, contents = planned.cast, []
    CareTeamMember.objects.filter(patient=caller).update(starts_at=makers.now() - 9 * DAY)
    for linked in (False, True):
        if linked:
            link(cast, caller)
        with reading(staff(cast.alice), purpose="treatment", permission=access.CHART) as context:
            context.saw("plan", subjects=[cast.patient.pk])
            contents.append(content_of(context, cast.patient, planned.fresh(), makers.now()))
        makers.scope_all()
    before, after = contents
    assert [one["name"] for one in after["team"]] == ["Alice Achieng"]
    assert differences(before, after) == []
    twice = {**before, "team": [*before["team"], {**before["team"][0], "id": "other"}]}
    assert differences(twice, after) == [], "as versions were signed before"


def test_who_cosigns_is_asked_for_once_whatever_rows_a_person_has(cast: Cast, caller: Patient) -> None:
    makers.add_to_team(caller, cast.sam, role="supervisor")
    note = begin_note(actor=staff(cast.alice), patient_id=cast.patient.pk, note_type="progress")
    link(cast, caller)
    with CaptureQueriesContext(connection) as asked:
        assert cosigners(note, makers.now()) == {cast.sam.pk}
    assert len(asked) == 1
