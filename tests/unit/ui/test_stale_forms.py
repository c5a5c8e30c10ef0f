"""A change form that was drawn before somebody else's change undoes nothing of it."""

from __future__ import annotations

import html
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from clinical.assessments.models import Instrument
from clinical.assessments.planning.models import InstrumentSwitch
from clinical.scheduling.billing.actions import add_code
from cortex.accounts.actions import save_staff_profile
from cortex.accounts.apikeys.actions import create_client
from cortex.accounts.models import Organization, User
from cortex.audit import SYSTEM
from cortex.audit.models import AuditLog
from cortex.ops import actions as house
from cortex.ops.letters.actions import bury_slot
from cortex.ops.models import RetentionPolicy
from cortex.ui.admin import ActionAdmin
from cortex.ui.sent import STALE
from crisis.escalation.models import SlaPolicy
from crisis.policies.actions import add_pager
from crisis.resources.actions import add_resource
from patients.holds.actions import issue_hold
from patients.registry.models import Patient
from tests import makers
from tests.cast import Cast
from tests.forms import fields_of
from tests.makers import client_of, staff

pytestmark = pytest.mark.django_db
CHANGEABLE = sorted(
    model._meta.label
    for model, office in admin.site._registry.items()
    if isinstance(office, ActionAdmin) and office.change_action is not None
)


def _rows(cast: Cast) -> dict[str, Any]:
    ada = staff(cast.ada)
    return {
        "accounts.ApiClient": lambda: create_client(actor=ada, organization_id=cast.home.pk, name="App"),
        "accounts.Organization": lambda: cast.home,
        "accounts.StaffProfile": lambda: save_staff_profile(actor=ada, user_id=cast.cleo.pk, title="Dr"),
        "accounts.User": lambda: cast.cleo,
        "clinical.BillingCode": lambda: add_code(
            actor=ada, code="X1", system="own", own_label="Made", service="psychotherapy", min_minutes=1,
            active_from=makers.now().date(),
        ),
        "clinical.InstrumentSwitch": lambda: InstrumentSwitch.objects.create(
            organization=cast.home, instrument=Instrument.objects.all()[0], is_offered=False
        ),
        "crisis.CrisisResource": lambda: add_resource(
            actor=ada, name="Line", jurisdiction="KE", kind="crisis_line", phone="1190"
        ),
        "crisis.PagerEndpoint": lambda: add_pager(
            actor=ada, name="Pager", url="https://pager.example/", secret="s" * 40
        ),
        "crisis.SlaPolicy": lambda: SlaPolicy.objects.get(organization=None, level="high"),
        "ops.DeadLetter": lambda: bury_slot(actor=SYSTEM, job="made", slot=makers.now(), error_code="made"),
        "ops.FeatureFlag": lambda: house.add_flag(actor=SYSTEM, name="made"),
        "ops.RetentionPolicy": lambda: RetentionPolicy.objects.all()[0],
        "patients.LegalHold": lambda: issue_hold(
            actor=staff(makers.make_user("compliance", cast.home)), patient_id=cast.patient.pk, matter="HC 1",
            reason="A claim names these records.",
        ),
        "patients.Patient": lambda: cast.patient,
    }  # fmt: skip


def _office(cast: Cast, label: str) -> Client:
    if label == "patients.LegalHold":
        return client_of(makers.make_user("compliance", cast.home))
    return client_of(makers.make_user("admin", cast.home, is_operator=True))


@pytest.mark.parametrize("label", CHANGEABLE)
def test_a_form_that_was_drawn_before_another_s_change_comes_back(cast: Cast, label: str) -> None:
    row = _rows(cast)[label]()
    makers.scope_all()
    client = _office(cast, label)
    page = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    sent = fields_of(client.get(page).content.decode(), f"{row._meta.model_name}_form")
    makers.scope_all()
    before = row._meta.model._base_manager.values().get(pk=row.pk)
    assert sent["row_version"] == before["updated_at"].isoformat()
    for name in ("why", "reason"):
        sent |= {name: "What it kept is settled."} if name in sent else {}
    if label == "ops.DeadLetter":
        sent["reason"] = "not_needed"

    moved = before["updated_at"] + timedelta(microseconds=1)
    row._meta.model._base_manager.filter(pk=row.pk).update(updated_at=moved)
    rows_of_trail = AuditLog.objects.count()
    answer = client.post(page, sent)
    said = html.unescape(answer.content.decode())
    makers.scope_all()
    assert (answer.status_code, STALE in said) == (200, True)
    # It comes back as it was typed, and is refused again: its version is still the one that it was drawn of.
    again = fields_of(answer.content.decode(), f"{row._meta.model_name}_form")
    assert {name: again.get(name) for name in sent} == sent
    assert row._meta.model._base_manager.values().get(pk=row.pk) == before | {"updated_at": moved}
    assert AuditLog.objects.count() == rows_of_trail

    newest = fields_of(client.get(page).content.decode(), f"{row._meta.model_name}_form")
    answer = client.post(page, sent | {"row_version": newest["row_version"]})
    assert answer.status_code == 302


def test_of_two_people_s_forms_the_later_one_keeps_what_the_first_changed(cast: Cast) -> None:
    page = reverse("admin:patients_patient_change", args=[cast.patient.pk])
    one, other = client_of(cast.ada), client_of(makers.make_user("admin", cast.home))
    first, second = (fields_of(client.get(page).content.decode(), "patient_form") for client in (one, other))
    assert one.post(page, first | {"phone": "+254711111111"}).status_code == 302
    answer = other.post(page, second | {"given_name": "Second"})
    assert answer.status_code == 200 and STALE in html.unescape(answer.content.decode())
    makers.scope_all()
    row = Patient.objects.get(pk=cast.patient.pk)
    assert makers.opened(row, "phone") == "+254711111111"
    assert makers.opened(row, "given_name") == "Zawadi"


def test_a_form_of_the_house_sends_the_settings_that_were_changed_alone(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cortex.accounts.admin import OrganizationAdmin

    told: list[dict[str, Any]] = []

    def note(*, actor: Any, **arguments: Any) -> Organization:
        told.append(arguments)
        return cast.home

    Organization.objects.filter(pk=cast.home.pk).update(settings={"desk_phone": "ext. 1", "leads": []})
    monkeypatch.setattr(OrganizationAdmin, "change_action", staticmethod(note))
    client = client_of(cast.ada)
    page = reverse("admin:accounts_organization_change", args=[cast.home.pk])
    sent = fields_of(client.get(page).content.decode(), "organization_form")
    assert client.post(page, sent | {"desk_phone": "", "document_max_mb": "5"}).status_code == 302
    changes = {"desk_phone": None, "document_max_mb": 5}
    assert told == [{"organization_id": cast.home.pk, "setting_changes": changes}]


def test_changed_settings_leave_the_others_as_they_are(cast: Cast) -> None:
    from cortex.accounts.actions import update_organization

    Organization.objects.filter(pk=cast.home.pk).update(settings={"desk_phone": "1", "document_max_mb": 3})
    changes = {"desk_phone": None, "voice_retention_days": 0}
    update_organization(actor=staff(cast.ada), organization_id=cast.home.pk, setting_changes=changes)
    cast.home.refresh_from_db()
    assert cast.home.settings == {"document_max_mb": 3, "voice_retention_days": 0}
    assert User.objects.filter(organization=cast.home).exists()
