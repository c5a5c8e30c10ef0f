"""Places of one colleague on two rows of a person: who leads, who may join, and how often they are named."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from clinical.pathway import actions as ways
from patients.care.actions import end_care_team_place
from patients.care.models import CareTeamMember
from patients.codes import EndingReason
from patients.pathway.actions import EndingData
from patients.registry.models import Patient
from tests import makers
from tests.cast import Cast
from tests.makers import staff
from tests.unit.pathway.test_again import a_caller, accepted, link
from tests.unit.pathway.test_leads import task

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def caller(cast: Cast) -> Patient:
    """A row that was linked to the person; Alice has a place on either and leads both."""
    found = a_caller(cast)
    makers.add_to_team(found, cast.alice)
    link(cast, found)
    assert leads(cast, found) == (cast.alice.pk, cast.alice.pk)
    return found


def leads(cast: Cast, caller: Patient) -> tuple[UUID | None, UUID | None]:
    makers.scope_all()
    rows = dict(Patient.objects.values_list("pk", "primary_clinician_id"))
    return rows[cast.patient.pk], rows[caller.pk]


def leave(cast: Cast, patient: Patient) -> None:
    place = CareTeamMember.objects.get(patient=patient, user=cast.alice)
    end_care_team_place(actor=staff(cast.ada), member_id=place.pk)


@pytest.mark.parametrize("first", ["record", "caller"])
def test_who_leads_goes_on_leading_until_the_last_of_their_places_on_any_row_ends(
    cast: Cast, caller: Patient, first: str
) -> None:
    makers.add_to_team(caller, cast.bob, starts_at=makers.now() + timedelta(microseconds=1))
    rows = [cast.patient, caller] if first == "record" else [caller, cast.patient]
    leave(cast, rows[0])
    assert leads(cast, caller) == (cast.alice.pk, cast.alice.pk), "they are on the team still"
    leave(cast, rows[1])
    assert leads(cast, caller) == (cast.bob.pk, cast.bob.pk), "then the next one does, whatever row"
    assert task(cast.patient).owner_id == cast.bob.pk


def test_a_discharge_and_a_transfer_go_for_all_rows(cast: Cast, caller: Patient) -> None:
    carol = makers.make_user("therapist", cast.home, full_name="Carol Chebet")
    makers.add_to_team(cast.patient, carol)
    handed = EndingData(EndingReason.PERSON_ASKED, "Met twice.", days=3)
    ways.transfer(actor=staff(cast.alice), patient_id=cast.patient.pk, to_id=cast.bob.pk, data=handed)
    assert leads(cast, caller) == (cast.bob.pk, cast.bob.pk)
    done = EndingData(EndingReason.GOALS_REACHED, "She sleeps again.", days=3)
    ways.discharge(actor=staff(cast.bob), patient_id=cast.patient.pk, data=done)
    assert leads(cast, caller) == (None, None)


def test_whoever_is_taken_back_by_who_leads_them_is_led_by_them_still(cast: Cast, caller: Patient) -> None:
    leave(cast, cast.patient)
    CareTeamMember.objects.filter(patient=caller).update(ends_at=makers.now() + DAY)
    makers.add_to_team(cast.patient, cast.bob)
    accepted(cast, cast.patient)
    assert leads(cast, caller) == (cast.alice.pk, cast.alice.pk)
