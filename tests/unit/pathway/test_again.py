"""Who comes again: a referral accepted while the last care runs out, and one of a row that was linked."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from clinical.caseload.queries import caseload
from clinical.pathway import actions as ways
from clinical.pathway.queries import moving, with_caseload
from clinical.scheduling.queries import own_people
from clinical.timeline.actions import pin_entry, unpin_entry
from clinical.timeline.models import TimelinePin
from patients.care.models import CareTeamMember
from patients.care.queries import care_team, treated_ids
from patients.codes import EndingReason
from patients.pathway.actions import EndingData, ReferralData, accept_referral
from patients.registry import access
from patients.registry.actions import create_provisional, link_provisional
from patients.registry.models import Patient
from tests import makers
from tests.cast import Cast
from tests.makers import client_of, staff

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def accepted(cast: Cast, who: Patient, by: str = "alice") -> None:
    user = getattr(cast, by)
    asked = ReferralData("physician", "urgent", "Cannot sleep again.", asked_id=user.pk)
    one = ways.refer(actor=staff(cast.sam), data=asked, pseudonym=who.anonymous_id)
    makers.scope_all()
    accept_referral(actor=staff(user), referral_id=one.pk)
    makers.scope_all()


def test_whoever_takes_somebody_back_while_the_last_care_runs_out_has_a_place_without_an_end(
    cast: Cast,
) -> None:
    done = EndingData(EndingReason.GOALS_REACHED, "She sleeps again.", days=14)
    ways.discharge(actor=staff(cast.alice), patient_id=cast.patient.pk, data=done)
    makers.scope_all()
    accepted(cast, cast.patient)
    places = CareTeamMember.objects.filter(patient=cast.patient, user=cast.alice, ends_at__isnull=True)
    assert places.count() == 1
    assert access.relationship_of(cast.alice, cast.patient.pk, makers.now() + 15 * DAY) == "care_team"
    assert Patient.objects.get(pk=cast.patient.pk).primary_clinician_id == cast.alice.pk
    now = CareTeamMember.objects.memberships().running(makers.now()).filter(patient=cast.patient)
    assert [one.user_id for one in now] == [cast.alice.pk], "the one that ran out ends with it"
    assert [case.who.pk for case in caseload(cast.alice, makers.now())] == [cast.patient.pk]


def test_a_place_that_lasts_is_not_given_twice(cast: Cast) -> None:
    accepted(cast, cast.patient)
    assert CareTeamMember.objects.filter(patient=cast.patient, user=cast.alice).count() == 1


def a_caller(cast: Cast) -> Patient:
    found = create_provisional(actor=makers.machine(cast.home), organization_id=cast.home.pk)
    makers.scope_all()
    return found


def link(cast: Cast, caller: Patient) -> None:
    link_provisional(actor=makers.machine(cast.home), provisional_id=caller.pk, patient_id=cast.patient.pk)
    makers.scope_all()


def test_whoever_treated_a_caller_has_the_person_on_their_caseload_once_they_are_linked(cast: Cast) -> None:
    caller = a_caller(cast)
    accepted(cast, caller, "bob")
    at = makers.now()
    assert [case.who.pk for case in caseload(cast.bob, at)] == [caller.pk]
    link(cast, caller)
    at = makers.now()
    [case] = caseload(cast.bob, at)
    record = Patient.objects.get(pk=cast.patient.pk)
    assert (case.who.pk, case.who.anonymous_id, case.who.age_band) == (
        record.pk, record.anonymous_id, record.age_band,
    )  # fmt: skip
    assert {one.user_id for one in care_team(record.pk, at)} == {cast.alice.pk, cast.bob.pk}
    assert treated_ids(cast.bob, at) == {caller.pk, record.pk}
    assert record in own_people(cast.bob, at)
    chart = client_of(cast.bob).get(reverse("clinical:chart", args=[record.pk])).content.decode()
    assert "Bob Barasa" in chart.split('id="te"')[-1]


def test_whoever_accepts_a_referral_of_a_row_that_was_linked_treats_the_person_on_record(cast: Cast) -> None:
    caller = a_caller(cast)
    asked = ReferralData("physician", "urgent", "Cannot sleep.", asked_id=cast.bob.pk)
    one = ways.refer(actor=staff(cast.sam), data=asked, pseudonym=caller.anonymous_id)
    makers.scope_all()
    link(cast, caller)
    accept_referral(actor=staff(cast.bob), referral_id=one.pk)
    makers.scope_all()
    assert CareTeamMember.objects.get(user=cast.bob).patient_id == cast.patient.pk
    assert Patient.objects.get(pk=caller.pk).primary_clinician_id is None
    assert [case.who.pk for case in caseload(cast.bob, makers.now())] == [cast.patient.pk]


def test_a_leaver_s_places_on_two_rows_of_one_person_move_as_one(cast: Cast) -> None:
    caller = a_caller(cast)
    accepted(cast, caller, "alice")
    link(cast, caller)
    [row] = moving(cast.alice.pk, makers.now())
    assert row.patient.pk == cast.patient.pk
    assert dict(with_caseload(cast.sam, makers.now()))[cast.alice] == 1
    ways.move_caseload(actor=staff(cast.sam), user_id=cast.alice.pk, plan={cast.patient.pk: cast.bob.pk})
    makers.scope_all()
    now = CareTeamMember.objects.memberships().running(makers.now()).filter(organization=cast.home)
    assert [(one.user_id, one.patient_id) for one in now] == [(cast.bob.pk, cast.patient.pk)]
    assert Patient.objects.get(pk=cast.patient.pk).primary_clinician_id == cast.bob.pk


def test_what_was_pinned_and_said_of_a_caller_stands_on_the_person_s_timeline(cast: Cast) -> None:
    caller = a_caller(cast)
    makers.add_to_team(caller, cast.bob)
    alert = makers.make_alert(caller, "high")
    who = {"actor": staff(cast.bob), "patient_id": caller.pk}
    pin_entry(**who, source="alert", item_id=alert.pk)  # type: ignore[arg-type]
    makers.scope_all()
    link(cast, caller)
    page = client_of(cast.alice).get(reverse("clinical:timeline", args=[cast.patient.pk]), {"pinned": "1"})
    assert str(alert.pk) in page.content.decode()
    makers.scope_all()
    unpin_entry(actor=staff(cast.alice), patient_id=cast.patient.pk, source="alert", item_id=alert.pk)
    makers.scope_all()
    assert TimelinePin.objects.get().unpinned_by_id == cast.alice.pk
