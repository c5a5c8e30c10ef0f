"""The one predicate: lists, single questions and Django's permissions agree, and only relationships open."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cortex.accounts.choices import Role
from patients.care.models import CareTeamMember
from patients.care.queries import grants_of
from patients.registry import access
from patients.registry.actions import create_provisional, link_provisional
from patients.registry.models import Patient
from patients.registry.predicate import CHART, CONSENTS, VIEW
from tests import makers
from tests.cast import Cast

pytestmark = pytest.mark.django_db
PERMISSIONS = (VIEW, CHART, CONSENTS)
HOUR = timedelta(hours=1)


def test_the_team_sees_its_patient_and_nobody_else_does(cast: Cast) -> None:
    now = makers.now()
    assert access.relationship_of(cast.alice, cast.patient.pk, now) == "care_team"
    assert access.relationship_of(cast.alice, cast.patient.pk, now, CHART) == "care_team"
    for user in (cast.bob, cast.charlie, cast.cleo):
        assert access.relationship_of(user, cast.patient.pk, now) is None
        assert not access.visible_to(user, now).filter(pk=cast.patient.pk).exists()


def test_an_administrator_sees_the_person_of_their_organization_but_no_chart(cast: Cast) -> None:
    now = makers.now()
    assert access.relationship_of(cast.ada, cast.patient.pk, now) == "administration"
    assert access.relationship_of(cast.ada, cast.patient.pk, now, CHART) is None
    assert access.relationship_of(cast.ada, cast.stranger.pk, now) is None


def test_compliance_sees_consents_only_and_an_auditor_sees_nobody(cast: Cast) -> None:
    now = makers.now()
    officer = makers.make_user(Role.COMPLIANCE, cast.home)
    auditor = makers.make_user(Role.AUDITOR, cast.home)
    assert access.relationship_of(officer, cast.patient.pk, now, CONSENTS) == "compliance"
    assert access.relationship_of(officer, cast.patient.pk, now) is None
    for permission in PERMISSIONS:
        assert not access.visible_to(auditor, now, permission).exists()


def test_a_place_on_the_team_opens_nothing_to_an_administrator(cast: Cast) -> None:
    row = {"organization": cast.home, "patient": cast.patient, "role": "case_manager"}
    CareTeamMember.objects.create(user=cast.ada, starts_at=makers.now() - HOUR, **row)
    assert access.relationship_of(cast.ada, cast.patient.pk, makers.now(), CHART) is None


def test_a_spell_is_half_open(cast: Cast) -> None:
    now = makers.now()
    member = makers.add_to_team(cast.patient, cast.bob, starts_at=now, ends_at=now + HOUR)
    moment = timedelta(microseconds=1)
    expected = {now - moment: None, now: "care_team", now + HOUR - moment: "care_team", now + HOUR: None}
    for at, name in expected.items():
        assert access.relationship_of(cast.bob, cast.patient.pk, at) == name, (at, member.ends_at)


def test_a_cover_ends_with_the_place_that_it_covers(cast: Cast) -> None:
    from patients.care.actions import end_care_team_place, plan_cover

    now = makers.now()
    place = CareTeamMember.objects.get(user=cast.alice)
    actor = makers.machine(cast.home)
    plan_cover(actor=actor, member_id=place.pk, user_id=cast.bob.pk, starts_at=now, ends_at=now + 8 * HOUR)
    assert access.relationship_of(cast.bob, cast.patient.pk, now + HOUR) == "cover"
    end_care_team_place(actor=actor, member_id=place.pk, at=now + 2 * HOUR)
    assert access.relationship_of(cast.bob, cast.patient.pk, now + HOUR) == "cover"
    assert access.relationship_of(cast.bob, cast.patient.pk, now + 2 * HOUR) is None


def test_a_grant_opens_what_it_says_and_names_its_reason(cast: Cast) -> None:
    now = makers.now()
    makers.grant(cast.patient, cast.bob, starts_at=now, ends_at=now + HOUR)
    assert access.relationship_of(cast.bob, cast.patient.pk, now) == "grant:consultation"
    assert access.relationship_of(cast.bob, cast.patient.pk, now, CHART) is None
    end = now + HOUR
    makers.grant(
        cast.patient,
        cast.cleo,
        reason_code="break_glass",
        reason="Found collapsed",
        permission=CHART,
        starts_at=now,
        ends_at=end,
    )
    assert access.relationship_of(cast.cleo, cast.patient.pk, now, CHART) == "grant:break_glass"
    assert access.relationship_of(cast.cleo, cast.patient.pk, now) == "grant:break_glass"
    assert access.relationship_of(cast.cleo, cast.patient.pk, end) is None
    assert grants_of(cast.cleo, now).count() == 1


def test_a_linked_row_and_its_person_are_reached_by_each_others_relationships(cast: Cast) -> None:
    now = makers.now()
    actor = makers.machine(cast.home)
    provisional = create_provisional(actor=actor, organization_id=cast.home.pk, phone="+254711000000")
    makers.scope_all()
    makers.add_to_team(provisional, cast.bob, starts_at=now)
    assert access.relationship_of(cast.bob, cast.patient.pk, now) is None
    link_provisional(actor=actor, provisional_id=provisional.pk, patient_id=cast.patient.pk)
    for user in (cast.alice, cast.bob):
        for row in (provisional, cast.patient):
            assert access.relationship_of(user, row.pk, now) == "care_team"
    assert access.visible_to(cast.alice, now).canonical().count() == 1


def test_an_erased_person_and_a_disabled_user_are_out_of_reach(cast: Cast) -> None:
    now = makers.now()
    Patient.objects.filter(pk=cast.patient.pk).update(status="deleted")
    for user in (cast.alice, cast.ada):
        assert access.relationship_of(user, cast.patient.pk, now) is None
    Patient.objects.filter(pk=cast.patient.pk).update(status="suspended")
    assert access.relationship_of(cast.alice, cast.patient.pk, now) == "care_team"
    cast.alice.is_active = False
    assert access.relationship_of(cast.alice, cast.patient.pk, now) is None
    assert not access.visible_to(cast.alice, now).exists()


def test_the_question_costs_one_query_for_one_as_for_fifty(
    cast: Cast, django_assert_num_queries: Any
) -> None:
    now = makers.now()
    many = [makers.make_patient(cast.home, team=[cast.alice]).pk for _ in range(3)]
    with django_assert_num_queries(1):
        assert len(access.patients_related(cast.alice, [cast.patient.pk, *many], now)) == 4
    with django_assert_num_queries(1):
        assert access.visible_to(cast.alice, now).count() == 4


def test_the_backend_answers_about_patients_only(cast: Cast) -> None:
    assert cast.alice.has_perm("patients.view_patient", cast.patient)
    assert cast.alice.has_perm("patients.view_chart", cast.patient)
    assert not cast.bob.has_perm("patients.view_patient", cast.patient)
    assert not cast.alice.has_perm("patients.change_patient", cast.patient)
    assert not cast.alice.has_perm("patients.view_patient")
