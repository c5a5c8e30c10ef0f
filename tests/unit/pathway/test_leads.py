"""Whose the tasks about a person are, and that no page leads to a task that its reader can't open."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from crisis.reviews.actions import CONTACTS_OPENED, make_item
from crisis.reviews.models import ReviewItem
from patients.care.actions import end_care_team_place
from patients.care.models import CareTeamMember
from patients.registry.models import Patient
from tests import makers
from tests.cast import Cast

pytestmark = pytest.mark.django_db


def task(patient: Patient, reason: str = "measure_worse", **more: Any) -> ReviewItem:
    made = make_item(
        actor=makers.machine(patient.organization), organization_id=patient.organization_id,
        patient=Patient.objects.get(pk=patient.pk), reason_code=reason, **more,
    )  # fmt: skip
    makers.scope_all()
    return made


def leave(cast: Cast, patient: Patient, user: Any) -> None:
    place = CareTeamMember.objects.get(patient=patient, user=user)
    end_care_team_place(actor=makers.staff(cast.ada), member_id=place.pk)
    makers.scope_all()


def test_who_becomes_the_primary_therapist_owns_the_tasks_and_who_leaves_owns_no_new_ones(cast: Cast) -> None:
    patient = makers.make_patient(cast.home)
    makers.scope_all()
    assert task(patient).owner_id is None
    for user in (cast.alice, cast.bob):
        makers.add_to_team(patient, user)
        makers.scope_all()
    assert task(patient, "phq9_due").owner_id == cast.alice.pk, "the first one leads"
    leave(cast, patient, cast.alice)
    assert task(patient, "cssrs_due").owner_id == cast.bob.pk, "then the next one"
    leave(cast, patient, cast.bob)
    assert task(patient, "risk_review").owner_id is None, "then it is the desk's"


def test_whoever_joins_in_another_role_leads_nothing(cast: Cast) -> None:
    patient = makers.make_patient(cast.home)
    makers.add_to_team(patient, cast.bob, role="case_manager")
    makers.scope_all()
    assert task(patient).owner_id is None


def test_every_task_that_the_pages_of_a_therapist_lead_to_opens(cast: Cast) -> None:
    """Also where the first one is a supervisor's own: that one is named, and leads nowhere."""
    theirs = task(cast.patient, CONTACTS_OPENED, owner_id=cast.sam.pk)
    own = task(cast.patient)
    client = Client()
    client.force_login(cast.alice)
    chart = reverse("clinical:chart", args=[cast.patient.pk])
    found = set()
    for path in (reverse("clinical:caseload"), chart, f"{chart}timeline/"):
        page = client.get(path).content.decode()
        assert f"/reviews/{theirs.pk}/" not in page, path
        found |= set(re.findall(r'href="(/reviews/[^"]+/)"', page))
    assert found == {reverse("crisis:review_detail", args=[own.pk])}
    assert {client.get(path).status_code for path in found} == {200}
