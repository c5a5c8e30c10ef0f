"""The one predicate: lists, single questions and Django's permissions agree, and only relationships open."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from cortex.accounts.choices import Role
from cortex.accounts.models import User
from patients.care.models import CareTeamMember, PatientUserObjectPermission
from patients.care.queries import grants_of
from patients.registry import access, backends
from patients.registry.actions import create_provisional, link_provisional
from patients.registry.models import Patient
from patients.registry.predicate import CHART, CONSENTS, PARTS, VIEW
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
        cast.patient, cast.cleo, reason_code="break_glass", permission=CHART, starts_at=now, ends_at=end
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


@dataclass
class World:
    """Random people, patients and relationships, and the moments at which something begins or ends."""

    users: list[User]
    patients: list[Patient]
    moments: set[datetime] = field(default_factory=set)

    def spell(self, chance: random.Random, base: datetime, *, open_ended: bool) -> tuple[Any, Any]:
        start = base + timedelta(hours=chance.randint(-48, 12))
        end = None if open_ended and chance.random() < 0.4 else start + timedelta(hours=chance.randint(0, 60))
        self.moments |= {start, *([end] if end else [])}
        return start, end


def build_world(chance: random.Random, base: datetime) -> World:
    from django.contrib.auth.models import Permission

    places = [makers.make_organization() for _ in range(2)]
    users = [makers.make_user(role, place) for place in places for role in Role.values]
    world = World(users, [])
    for _ in range(7):
        place = chance.choice(places)
        row = Patient.objects.create(
            organization=place,
            registered_at=base,
            status=chance.choice(["active"] * 5 + ["suspended", "deleted"]),
        )
        same = [
            other for other in world.patients if other.organization_id == place.pk and not other.merged_into
        ]
        if same and chance.random() < 0.4:
            row.merged_into = chance.choice(same)
            row.save()
        world.patients.append(row)
    permissions = list(
        Permission.objects.filter(content_type__app_label="patients", codename__in=[VIEW, CHART])
    )
    for _ in range(14):
        user, patient = chance.choice(users), chance.choice(world.patients)
        start, end = world.spell(chance, base, open_ended=True)
        common = {"organization": patient.organization, "patient": patient}
        role = chance.choice(["psychiatrist", "counselor", "caregiver"])
        taken = {"patient": patient, "user": user, "role": role, "ends_at": None}
        if end is None and CareTeamMember.objects.filter(**taken).exists():
            continue
        place = CareTeamMember.objects.create(**common, user=user, role=role, starts_at=start, ends_at=end)
        if chance.random() < 0.5:
            start, end = world.spell(chance, base, open_ended=False)
            cover = {"role": place.role, "starts_at": start, "ends_at": end, "cover_for": place}
            CareTeamMember.objects.create(**common, user=chance.choice(users), **cover)
    for number in range(8):
        patient = chance.choice(world.patients)
        start, end = world.spell(chance, base, open_ended=False)
        PatientUserObjectPermission.objects.create(
            organization=patient.organization,
            user=chance.choice(users),
            permission=chance.choice(permissions),
            content_object=patient,
            starts_at=start + timedelta(microseconds=number),
            ends_at=end + HOUR,
            reason_code=chance.choice(["consultation", "second_opinion", "break_glass"]),
        )
        world.moments.add(end + HOUR)
    return world


@dataclass
class Rows:
    """Everything of a world, loaded once."""

    patients: list[Patient] = field(default_factory=lambda: list(Patient.objects.all()))
    places: list[CareTeamMember] = field(
        default_factory=lambda: list(CareTeamMember.objects.select_related("cover_for"))
    )
    grants: list[PatientUserObjectPermission] = field(
        default_factory=lambda: list(PatientUserObjectPermission.objects.select_related("permission"))
    )


def by_hand(rows: Rows, user: User, patient: Patient, at: datetime, permission: str) -> bool:
    """The rules of domain 1.2 once more, row by row in Python, apart from the SQL."""
    if patient.status == "deleted":
        return False
    if user.role == Role.ADMIN:
        return user.organization_id == patient.organization_id and permission != CHART
    if user.role == Role.COMPLIANCE:
        return user.organization_id == patient.organization_id and permission == CONSENTS
    if user.role == Role.AUDITOR or user.organization_id != patient.organization_id:
        return False
    same = {row.pk for row in rows.patients if row.person_id == patient.person_id}

    def holds(row: Any) -> bool:
        return row.starts_at <= at and (row.ends_at is None or row.ends_at > at)

    for place in rows.places:
        if place.user_id != user.pk or place.patient_id not in same or place.role == "caregiver":
            continue
        if holds(place) and (place.cover_for is None or holds(place.cover_for)):
            return True
    opens = {VIEW: {VIEW, CHART}, CHART: {CHART}, CONSENTS: set()}[permission]
    own = [row for row in rows.grants if row.user_id == user.pk and row.content_object_id in same]
    return any(holds(row) and row.permission.codename in opens for row in own)


@pytest.mark.parametrize("seed", range(5))
def test_in_random_worlds_all_answers_agree_also_just_after_an_end(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = {name: PARTS[name] for name in ("care_team", "cover", "grant", "administration", "compliance")}
    monkeypatch.setattr("patients.registry.predicate.PARTS", own)
    chance = random.Random(seed)
    base = makers.now()
    world = build_world(chance, base)
    rows = Rows()
    world.patients = rows.patients
    backend = backends.RelationshipBackend()
    some = sorted(world.moments)
    moments = [base, chance.choice(some), chance.choice(some) - timedelta(microseconds=1)]
    seen = 0
    for at in moments:
        monkeypatch.setattr(backends, "clock", lambda at=at: at)
        for user in world.users:
            viewed: set[Any] = set()
            for permission in PERMISSIONS:
                listed = set(access.visible_to(user, at, permission).values_list("pk", flat=True))
                everyone = [patient.pk for patient in world.patients]
                named = access.patients_related(user, everyone, at, permission)
                assert set(named) == listed
                expected = {row.pk for row in world.patients if by_hand(rows, user, row, at, permission)}
                assert listed == expected, (user.role, at, permission)
                seen += len(listed)
                viewed = listed if permission == VIEW else viewed
            someone = chance.choice(world.patients)
            assert (access.relationship_of(user, someone.pk, at) is not None) == (someone.pk in viewed)
            for patient in chance.sample(world.patients, 2):
                held = backend.has_perm(user, "patients.view_patient", patient)
                assert held == (patient.pk in viewed)
    assert seen, "a world without any relationship proves nothing"


def test_the_backend_answers_about_patients_only(cast: Cast) -> None:
    assert cast.alice.has_perm("patients.view_patient", cast.patient)
    assert cast.alice.has_perm("patients.view_chart", cast.patient)
    assert not cast.bob.has_perm("patients.view_patient", cast.patient)
    assert not cast.alice.has_perm("patients.change_patient", cast.patient)
    assert not cast.alice.has_perm("patients.view_patient")
