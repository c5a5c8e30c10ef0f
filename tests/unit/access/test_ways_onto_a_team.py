"""Seeing somebody for a while is no way onto their team: claims, grants, covers and break-glass."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from clinical.pathway import actions as ways
from clinical.plans.diagnoses.actions import add_diagnosis
from clinical.record import actions as chart
from cortex.accounts.models import StaffProfile, User
from cortex.audit import InputRefused, NotFound, RuleBroken
from cortex.ops.models import Notification
from crisis.ownership.actions import claim_alert
from patients.care.actions import add_to_care_team, end_care_team_place
from patients.care.models import CareTeamMember
from patients.codes import EndingReason
from patients.pathway.actions import EndingData, ReferralData, accept_referral
from patients.pathway.models import Referral
from patients.privacy.queries import has_consent
from patients.registry import access
from tests import makers
from tests.cast import Cast
from tests.makers import staff
from tests.unit.crisis.test_second_readings import asked as second_reading

pytestmark = pytest.mark.django_db
END = EndingData(EndingReason.GOALS_REACHED, "She sleeps again and knows her signs.")
LEFT = EndingData(EndingReason.STAFF_LEFT, "She sleeps again and knows her signs.")


def sent(user: User | None) -> ReferralData:
    return ReferralData("colleague", "soon", "Wants to talk.", asked_id=user.pk if user else None)


def claimed(cast: Cast) -> User:
    cast.on_duty(cast.bob)
    alert = makers.make_alert(cast.patient)
    claim_alert(actor=staff(cast.bob), alert_id=alert.pk)
    makers.scope_all()
    return cast.bob


def glassed(cast: Cast) -> User:
    return makers.glass(cast.patient, cast.bob)


def granted(cast: Cast) -> User:
    makers.grant(cast.patient, cast.bob, permission="view_chart")
    return cast.bob


@pytest.mark.parametrize("way", [claimed, granted])
def test_nobody_refers_somebody_on_record_to_themself(cast: Cast, way: object) -> None:
    bob = way(cast)  # type: ignore[operator]
    with pytest.raises(InputRefused, match="supervisors say who answers") as refused:
        ways.refer(actor=staff(bob), data=sent(bob), pseudonym=cast.patient.anonymous_id)
    assert refused.value.extra["field"] == "asked"
    makers.scope_all()
    assert not Referral.objects.exists()
    # To a colleague, or for the supervisors to decide, they may.
    ways.refer(actor=staff(bob), data=sent(None), pseudonym=cast.patient.anonymous_id)


def test_break_glass_and_a_question_to_a_second_reader_refer_nobody(cast: Cast) -> None:
    number, bob = cast.patient.anonymous_id, staff(glassed(cast))
    for asked in (cast.bob, cast.alice, None):
        with pytest.raises(RuleBroken) as refused:
            ways.refer(actor=bob, data=sent(asked), pseudonym=number)
        assert refused.value.code == "read_only"
        makers.scope_all()
    pendo = makers.make_user("psychiatrist", cast.home)
    alert, _ = second_reading(cast, makers.now())
    cast.on_duty(pendo)
    assert access.relationship_of(pendo, cast.patient.pk, makers.now()) == "second_review"
    with pytest.raises(InputRefused, match="Nobody open to you"):
        ways.refer(actor=staff(pendo), data=sent(cast.alice), pseudonym=number)
    makers.scope_all()
    assert alert.patient_id == cast.patient.pk and not Referral.objects.exists()


def test_who_takes_somebody_into_care_is_told_to_the_team_and_the_supervisors(cast: Cast) -> None:
    one = ways.refer(actor=staff(cast.sam), data=sent(cast.bob), pseudonym=cast.patient.anonymous_id)
    makers.scope_all()
    accept_referral(actor=staff(cast.bob), referral_id=one.pk)
    makers.scope_all()
    told = Notification.objects.filter(code="referral_accepted")
    assert {row.recipient_id for row in told} == {cast.alice.pk, cast.sam.pk}


def test_a_single_grant_decides_nothing_about_the_team_its_end_or_what_the_person_agreed_to(
    cast: Cast,
) -> None:
    bob, at = staff(granted(cast)), makers.now()
    place = CareTeamMember.objects.get(patient=cast.patient, user=cast.alice)
    who = {"actor": bob, "patient_id": cast.patient.pk}
    doors = [
        lambda: chart.add_member(**who, role="primary_therapist", user_id=cast.bob.pk),
        lambda: chart.end_member(**who, member_id=place.pk),
        lambda: chart.withdraw_consent(**who, consent_type="treatment"),
        lambda: ways.discharge(**who, data=END),
        lambda: ways.transfer(**who, to_id=cast.bob.pk, data=END),
        lambda: add_diagnosis(**who, code="F11.20", status="provisional"),
    ]
    for door in doors:
        with pytest.raises(RuleBroken) as refused:
            door()
        assert refused.value.code == "team_only"
        makers.scope_all()
    assert has_consent(cast.patient.pk, "treatment", at + timedelta(seconds=1))
    assert [one.user_id for one in CareTeamMember.objects.filter(patient=cast.patient)] == [cast.alice.pk]


def test_a_place_with_an_end_makes_itself_none_without_one(cast: Cast) -> None:
    ends = makers.now() + timedelta(days=2)
    makers.add_to_team(cast.patient, cast.bob, role="psychiatrist", ends_at=ends)
    who = {"actor": staff(cast.bob), "patient_id": cast.patient.pk}
    with pytest.raises(InputRefused, match="Your own place has an end"):
        chart.add_member(**who, role="primary_therapist", user_id=cast.bob.pk)  # type: ignore[arg-type]
    makers.scope_all()
    # A colleague whose place lasts gives it; one's own second role is one's own to add.
    alice = {"actor": staff(cast.alice), "patient_id": cast.patient.pk}
    assert chart.add_member(**alice, role="primary_therapist", user_id=cast.bob.pk).ends_at is None  # type: ignore[arg-type]


def test_whom_the_chart_is_closed_to_learns_nothing_of_it(cast: Cast) -> None:
    with pytest.raises(NotFound):
        chart.add_member(
            actor=staff(cast.bob), patient_id=cast.patient.pk, role="primary_therapist", user_id=cast.bob.pk
        )


def test_nobody_makes_themself_a_supervisor_and_a_peer_makes_nobody_one(cast: Cast) -> None:
    makers.add_to_team(cast.patient, cast.bob, role="case_manager")
    makers.add_to_team(cast.patient, cast.sam, role="case_manager")
    who = {"patient_id": cast.patient.pk, "role": "supervisor"}
    for actor, named, words in (
        (cast.alice, cast.alice, "Nobody makes themself"), (cast.sam, cast.sam, "Nobody makes themself"),
        (cast.alice, cast.bob, "Choose a supervisor"), (cast.alice, cast.cleo, "Choose a supervisor"),
        (cast.sam, cast.cleo, "Choose a supervisor"),
    ):  # fmt: skip
        with pytest.raises(InputRefused, match=words) as refused:
            chart.add_member(actor=staff(actor), user_id=named.pk, **who)  # type: ignore[arg-type]
        assert refused.value.extra["field"] == "user"
        makers.scope_all()
    StaffProfile.objects.create(organization=cast.home, user=cast.bob, is_trainee=True)
    with pytest.raises(InputRefused, match="in training"):
        chart.add_member(actor=staff(cast.sam), user_id=cast.bob.pk, **who)  # type: ignore[arg-type]
    makers.scope_all()
    assert not CareTeamMember.objects.filter(role="supervisor").exists()
    # A peer asks a supervisor onto the team, and a supervisor names a colleague who treats.
    chart.add_member(actor=staff(cast.alice), user_id=cast.sam.pk, **who)  # type: ignore[arg-type]
    chart.add_member(actor=staff(cast.sam), user_id=cast.alice.pk, **who)  # type: ignore[arg-type]


def test_a_supervisor_s_place_is_not_handed_on(cast: Cast) -> None:
    makers.add_to_team(cast.patient, cast.alice, role="supervisor")
    ways.transfer(actor=staff(cast.alice), patient_id=cast.patient.pk, to_id=cast.bob.pk, data=LEFT)
    makers.scope_all()
    rows = CareTeamMember.objects.running(makers.now()).filter(user=cast.bob)
    assert [one.role for one in rows] == ["primary_therapist"]


def test_nobody_puts_somebody_on_a_team_for_days_that_are_long_over(cast: Cast) -> None:
    place: dict[str, Any] = {
        "patient_id": cast.patient.pk, "user_id": cast.bob.pk, "role": "psychiatrist",
        "ends_at": makers.now() + timedelta(days=1),
    }  # fmt: skip
    with pytest.raises(InputRefused) as refused:
        add_to_care_team(actor=makers.staff(cast.ada), starts_at=makers.now() - timedelta(days=3), **place)
    assert (refused.value.code, refused.value.extra["field"]) == ("backdated", "starts_at")
    yesterday = makers.now() - timedelta(days=1)
    first = add_to_care_team(actor=makers.staff(cast.ada), starts_at=yesterday, **place)
    end_care_team_place(actor=makers.machine(cast.home), member_id=first.pk)
    # What an import brings was so.
    assert add_to_care_team(
        actor=makers.machine(cast.home),
        starts_at=makers.now() - timedelta(days=300),
        **place | {"role": "case_manager"},
    )
