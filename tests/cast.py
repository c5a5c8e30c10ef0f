"""The people of the tests: who works where, and who stands in a relationship to whom."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

import pytest

from cortex.access.context import opening
from cortex.accounts.choices import Role
from cortex.accounts.models import Organization, User
from cortex.audit.actors import Actor
from cortex.audit.machine import action, record
from cortex.ids import uuid7
from cortex.keys.actions import ensure_keys
from crisis.alerts.models import RiskAlert
from crisis.ownership.actions import claim_alert
from patients.care.models import CareTeamMember
from patients.privacy.actions import _rows
from patients.privacy.models import Consent
from patients.registry.actions import _add_details
from patients.registry.builders import patient_row
from patients.registry.models import Patient
from patients.registry.records import RegisterPatient
from tests import makers


@dataclass(frozen=True, slots=True)
class Cast:
    """Two organizations, six members of staff, a patient in each organization.

    Alice is on `patient`'s team; Bob works beside her and is not; Charlie works elsewhere and cares for
    `stranger`; Sam supervises, Ada administrates, Cleo is a counselor (`on_duty` puts her on shift).
    """

    home: Organization
    elsewhere: Organization
    alice: User
    bob: User
    charlie: User
    sam: User
    ada: User
    cleo: User
    patient: Patient
    stranger: Patient

    def on_duty(self, user: User | None = None) -> Any:
        """Put somebody (Cleo unless said otherwise) on shift now, unless they are; return the shift."""
        from crisis.duty.models import DutyShift, DutyStatus

        user = user or self.cleo
        running = DutyShift.objects.filter(user=user, started_at__isnull=False, ended_at=None).first()
        if running is not None:
            return running
        now = makers.now()
        role = "supervisor" if user.role == Role.SUPERVISOR else "counselor"
        return DutyShift.objects.create(
            organization=user.organization, user=user, role=role, status=DutyStatus.ACTIVE,
            covers=[user.organization_id], planned_start=now - timedelta(hours=1),
            planned_end=now + timedelta(hours=7), started_at=now - timedelta(hours=1), sound_tested_at=now,
        )  # fmt: skip

    def claimed_alert(self, level: str = "critical", **fields: Any) -> RiskAlert:
        """An alert about the patient that Cleo claimed just now; Sam is on shift too."""
        self.on_duty()
        self.on_duty(self.sam)
        alert = makers.make_alert(self.patient, level, **fields)
        return claim_alert(actor=makers.staff(self.cleo), alert_id=alert.pk)


PLAYERS = {
    "alice": (Role.THERAPIST, "home", "Alice Achieng"),
    "bob": (Role.THERAPIST, "home", "Bob Barasa"),
    "charlie": (Role.THERAPIST, "elsewhere", "Charlie Chebet"),
    "sam": (Role.SUPERVISOR, "home", "Sam Simiyu"),
    "ada": (Role.ADMIN, "home", "Ada Adhiambo"),
    "cleo": (Role.COUNSELOR, "home", "Cleo Cherono"),
}
SERVICES = {
    "home": ("Amani Service (fictional)", "amani"),
    "elsewhere": ("Baraka Service (fictional)", "baraka"),
}
NAMES = {
    "patient": {"given_name": "Zawadi", "family_name": "Planted"},
    "stranger": {"given_name": "Imani"},
}
DAYS = timedelta(days=30)


def make_cast() -> Cast:
    """Write the cast into the test's databases, each kind of row at once: most tests begin with it.

    The rows are those that `makers`, and so the real actions, would write (`tests/unit/test_cast.py`).
    """
    houses = {key: Organization(name=name, slug=slug) for key, (name, slug) in SERVICES.items()}
    Organization.objects.bulk_create(houses.values())
    users = {
        key: User(
            email=f"{key}@example.org",
            full_name=name,
            role=role,
            organization=houses[where],
            is_verified=True,
        )
        for key, (role, where, name) in PLAYERS.items()
    }
    for user in users.values():
        user.set_password(makers.PASSWORD)
    User.objects.bulk_create(users.values())
    places = {
        "patient": (houses["home"], users["alice"]),
        "stranger": (houses["elsewhere"], users["charlie"]),
    }
    both = Actor(
        kind="system", id=None, label="test", role="system", org_ids=tuple(one.pk for one in houses.values())
    )
    people = _register(actor=both, places=places, at=makers.now() - DAYS)
    makers.scope_all()
    everybody: dict[str, Any] = {**houses, **users, **people}
    return Cast(**everybody)


@action
def _register(
    *, actor: Actor, places: dict[str, tuple[Organization, User]], at: datetime
) -> dict[str, Patient]:
    """Put the people on record, each with a primary therapist, as `register_patient` and its kin do."""
    told = {name: makers.registration(at, **NAMES[name]) for name in places}
    rows = {name: patient_row(uuid7(at), house, told[name], at) for name, (house, _) in places.items()}
    ensure_keys(row.pk for row in rows.values())  # at once; each look below finds them in the cache
    consents: list[Consent] = []
    for name, row in rows.items():
        machine = makers.machine(row.organization_id)
        with opening(machine, purpose="registration") as ctx:
            ctx.load_keys([row.pk], create=True)
            row.primary_clinician = places[name][1]
            row.save(force_insert=True)
            _add_details(row, told[name])
        consents += _rows(machine, row, told[name].consents, at)
        granted = sorted(one.consent_type for one in told[name].consents)
        record(machine, "consent.recorded", row, subject=row.pk, codes={"granted": granted, "withdrawn": []})
        record(machine, "patient.registered", row, subject=row.pk, fields=_given(told[name]))
    Consent.objects.bulk_create(consents)
    members = [
        CareTeamMember(
            organization_id=house.pk, patient=rows[name], user=user, role="primary_therapist", starts_at=at
        )
        for name, (house, user) in places.items()
    ]
    for member in CareTeamMember.objects.bulk_create(members):
        codes = {"role": member.role, "user": str(member.user_id)}
        record(makers.machine(member.organization_id), "care_team.joined", member, codes=codes)
    return rows


def _given(data: RegisterPatient) -> list[str]:
    return [item.name for item in fields(data) if getattr(data, item.name) not in (None, "", [], {})]


@pytest.fixture
def cast(db: None) -> Cast:
    """The cast, fresh for one test."""
    return make_cast()
