"""The people of the tests: who works where, and who stands in a relationship to whom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from cortex.accounts.choices import Role
from cortex.accounts.models import Organization, User
from crisis.alerts.models import RiskAlert
from crisis.ownership.actions import claim_alert
from patients.registry.models import Patient
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
        """Put somebody (Cleo unless said otherwise) on shift now and return the shift."""
        from crisis.duty.models import DutyShift, DutyStatus

        user = user or self.cleo
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


def make_cast() -> Cast:
    """Write the cast into the test's databases."""
    home = makers.make_organization(name="Amani Service (fictional)", slug="amani")
    elsewhere = makers.make_organization(name="Baraka Service (fictional)", slug="baraka")
    people = {
        "alice": (Role.THERAPIST, home, "Alice Achieng"),
        "bob": (Role.THERAPIST, home, "Bob Barasa"),
        "charlie": (Role.THERAPIST, elsewhere, "Charlie Chebet"),
        "sam": (Role.SUPERVISOR, home, "Sam Simiyu"),
        "ada": (Role.ADMIN, home, "Ada Adhiambo"),
        "cleo": (Role.COUNSELOR, home, "Cleo Cherono"),
    }
    users = {
        name: makers.make_user(role, where, email=f"{name}@example.org", full_name=full)
        for name, (role, where, full) in people.items()
    }
    patient = makers.make_patient(home, team=[users["alice"]], given_name="Zawadi", family_name="Planted")
    stranger = makers.make_patient(elsewhere, team=[users["charlie"]], given_name="Imani")
    return Cast(home=home, elsewhere=elsewhere, patient=patient, stranger=stranger, **users)


@pytest.fixture
def cast(db: None) -> Cast:
    """The cast, fresh for one test."""
    return make_cast()
