"""In random worlds lists, questions, Django permissions and the access context agree on everybody."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import Permission

from cortex.access.context import AccessContext
from cortex.accounts.choices import Role
from cortex.accounts.models import Organization, User
from cortex.audit import NotFound
from crisis.alerts.access import AFTER_END, pages_for, relationship_to
from crisis.alerts.models import RiskAlert
from crisis.alerts.states import OPEN, OWNED
from crisis.duty.models import DutyShift
from crisis.reviews.models import SecondReview
from patients.care.models import CareTeamMember, PatientUserObjectPermission
from patients.registry import access, backends
from patients.registry.models import Patient
from patients.registry.predicate import CHART, CONSENTS, PARTS, VIEW
from tests import makers

pytestmark = pytest.mark.django_db
PERMISSIONS = (VIEW, CHART, CONSENTS)
HOUR = timedelta(hours=1)
WORLDS = range(20 if os.environ.get("CORTEX_EXPLORE") else 2)
INSTANT = timedelta(microseconds=1)
CLINICAL = (Role.COUNSELOR, Role.THERAPIST, Role.PSYCHIATRIST, Role.SUPERVISOR)


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
    places = [makers.make_organization() for _ in range(2)]
    users = [makers.make_user(role, place) for place in places for role in Role.values]
    places[0].settings = {"leads": [str(users[1].pk)]}
    if chance.random() < 0.5:  # otherwise a shift that says it covers this place reaches nobody of it
        places[0].settings["covered_by"] = [str(places[1].pk)]
    places[0].save()
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
    _care(world, chance, base)
    _desk(world, chance, base)
    # As a request would find them: a settings change reaches nobody who was loaded before.
    world.users = list(User.objects.select_related("organization").filter(pk__in=[one.pk for one in users]))
    return world


def _care(world: World, chance: random.Random, base: datetime) -> None:
    """Teams, covers and grants, also where they open nothing."""
    permissions = list(
        Permission.objects.filter(content_type__app_label="patients", codename__in=[VIEW, CHART])
    )
    for _ in range(14):
        user, patient = chance.choice(world.users), chance.choice(world.patients)
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
            CareTeamMember.objects.create(**common, user=chance.choice(world.users), **cover)
    for number in range(8):
        patient = chance.choice(world.patients)
        start, end = world.spell(chance, base, open_ended=False)
        PatientUserObjectPermission.objects.create(
            organization=patient.organization,
            user=chance.choice(world.users),
            permission=chance.choice(permissions),
            content_object=patient,
            starts_at=start + INSTANT * number,
            ends_at=end + HOUR,
            reason_code=chance.choice(["consultation", "second_opinion", "break_glass"]),
        )
        world.moments.add(end + HOUR)


def _desk(world: World, chance: random.Random, base: datetime) -> None:
    """Shifts, some of which cover the other organization; alerts, claimed, ended, waiting for a reader."""
    places = sorted({user.organization_id for user in world.users})
    for user in chance.sample(world.users, 6):
        DutyShift.objects.create(
            organization_id=user.organization_id, user=user, planned_start=base, planned_end=base + 8 * HOUR,
            status=chance.choice(["active", "active", "paused", "ended"]),
            covers=chance.sample(places, chance.randint(1, 2)),
        )  # fmt: skip
    for number in range(6):
        patient = chance.choice(world.patients)
        status = chance.choice(["new", "acknowledged", "in_contact", "resolved", "resolved"])
        ended = base + timedelta(hours=chance.randint(-48, 12)) if status == "resolved" else None
        owner = chance.choice(world.users) if status in OWNED or ended else None
        if ended:
            world.moments.add(ended + AFTER_END)
        kind = ("self_harm", "medical", "other", "harm_to_others", "safeguarding", "could_not_screen")[number]
        alert = RiskAlert.objects.create(
            organization=patient.organization, patient=patient, kind=kind, level="critical", status=status,
            reason_code="text_a", assigned_to=owner, resolved_at=ended, raised_at=base, level_since=base,
            claim_due_at=base, contact_due_at=base, disposition_due_at=base,
        )  # fmt: skip
        if chance.random() < 0.6:
            SecondReview.objects.create(
                organization=patient.organization, alert=alert, kind="disposition", asked_at=base,
                due_at=base, asked_by=owner or chance.choice(world.users),
                decided_at=chance.choice([None, None, base]),
            )  # fmt: skip


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
    shifts: list[DutyShift] = field(default_factory=lambda: list(DutyShift.objects.all()))
    alerts: list[RiskAlert] = field(default_factory=lambda: list(RiskAlert.objects.all()))
    asked: dict[UUID, UUID] = field(
        default_factory=lambda: dict(
            SecondReview.objects.filter(decided_at__isnull=True).values_list("alert_id", "asked_by_id")
        )
    )
    places_by_id: dict[UUID, Organization] = field(
        default_factory=lambda: {one.pk: one for one in Organization.objects.all()}
    )

    def agrees(self, alert: RiskAlert, shift: DutyShift) -> bool:
        """Whether the alert's organization is the shift's own, or agrees to be covered by it."""
        agreed = self.places_by_id[alert.organization_id].settings.get("covered_by", [])
        return alert.organization_id == shift.organization_id or str(shift.organization_id) in agreed


def by_hand(rows: Rows, user: User, patient: Patient, at: datetime, permission: str) -> bool:
    """The rules of domain 1.2 once more, row by row in Python, apart from the SQL."""
    if patient.status == "deleted":
        return False
    is_own = user.organization_id == patient.organization_id
    if user.role == Role.ADMIN:
        return is_own and permission != CHART
    if user.role == Role.COMPLIANCE:
        return is_own and permission == CONSENTS
    if user.role == Role.AUDITOR:
        return False
    same = {row.pk for row in rows.patients if row.person_id == patient.person_id}
    if permission == VIEW and any(
        row.patient_id in same and by_alert(rows, user, row, at) for row in rows.alerts
    ):
        return True
    return is_own and by_care(rows, user, same, at, permission)


def by_alert(rows: Rows, user: User, alert: RiskAlert, at: datetime) -> bool:
    """A claim, supervision, or a second reading that somebody else waits for."""
    is_fresh = alert.status in OPEN or (alert.resolved_at is not None and alert.resolved_at + AFTER_END > at)
    if is_fresh and alert.assigned_to_id == user.pk:
        return True
    if is_fresh and user.role == Role.SUPERVISOR and alert.organization_id == user.organization_id:
        return True
    return is_reader(rows, user, alert)


def is_reader(rows: Rows, user: User, alert: RiskAlert) -> bool:
    if user.role == Role.COUNSELOR or rows.asked.get(alert.pk) in (None, user.pk):
        return False
    leads = user.role == Role.SUPERVISOR or str(user.pk) in user.organization.lead_ids
    if leads and alert.organization_id == user.organization_id:
        return True
    mine = [one for one in rows.shifts if one.user_id == user.pk and one.is_running]
    return any(alert.organization_id in one.covers and rows.agrees(alert, one) for one in mine)


def by_care(rows: Rows, user: User, same: set[UUID], at: datetime, permission: str) -> bool:
    """A place on the team, a cover, or a single grant."""

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


def context_opens(user: User, patients: list[Patient], at: datetime, permission: str) -> bool:
    """Whether the access context opens all of them."""
    try:
        AccessContext(makers.staff(user), purpose="test", permission=permission, at=at).open(patients)
    except NotFound:
        return False
    return True


@pytest.mark.parametrize("seed", WORLDS)
def test_in_random_worlds_all_answers_agree_also_just_after_an_end(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert {"claim", "supervision", "second_review"} < PARTS.keys()
    chance = random.Random(seed)
    base = makers.now()
    world = build_world(chance, base)
    rows = Rows()
    world.patients = rows.patients
    backend = backends.RelationshipBackend()
    some = sorted(world.moments)
    seen = 0
    # The very end of something, or the last instant of it.
    for at in (base, chance.choice(some) - INSTANT * (seed % 2)):
        monkeypatch.setattr(backends, "clock", lambda at=at: at)
        for user in world.users:
            for permission in PERMISSIONS:
                listed = set(access.visible_to(user, at, permission).values_list("pk", flat=True))
                everyone = [patient.pk for patient in world.patients]
                assert set(access.patients_related(user, everyone, at, permission)) == listed
                expected = {row.pk for row in world.patients if by_hand(rows, user, row, at, permission)}
                assert listed == expected, (user.role, at, permission)
                seen += len(listed)
                inside = [row for row in world.patients if row.pk in listed]
                assert context_opens(user, inside, at, permission)
                strangers = [row for row in world.patients if row.pk not in listed]
                asked = strangers if permission == VIEW else chance.sample(strangers, min(2, len(strangers)))
                assert not any(context_opens(user, [row], at, permission) for row in asked)
                for patient in world.patients if permission == VIEW else asked:
                    held = backend.has_perm(user, f"patients.{permission}", patient)
                    assert held == (patient.pk in listed), (user.role, permission)
    assert seen, "a world without any relationship proves nothing"


@pytest.mark.parametrize("seed", WORLDS)
def test_in_random_worlds_a_page_opens_by_a_relationship_and_a_reading_opens_one_alert_alone(
    seed: int,
) -> None:
    base = makers.now()
    world = build_world(random.Random(seed), base)
    rows, named = Rows(), set()
    besides = {name for name in PARTS if name != "second_review"}
    for user in world.users:
        pages = set(pages_for(user, base).values_list("pk", flat=True))
        for alert in rows.alerts:
            name = relationship_to(user, alert, base)
            named.add(name)
            assert bool(name) == (alert.pk in pages), (user.role, name)
            if name == "second_review":
                assert is_reader(rows, user, alert)
            elif name:
                assert name.partition(":")[0] in besides
    assert named - {""}, "nobody could open any page"
