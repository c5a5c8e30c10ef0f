"""Who comes again: a referral accepted while the last care runs out, and one of a row that was linked."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clinical.caseload.queries import caseload
from clinical.pathway import actions as ways
from patients.care.models import CareTeamMember
from patients.codes import EndingReason
from patients.pathway.actions import EndingData, ReferralData, accept_referral
from patients.registry import access
from patients.registry.models import Patient
from tests import makers
from tests.cast import Cast
from tests.makers import staff

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
