"""What stands there already is said at its field, where it was an error page."""

from __future__ import annotations

from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.urls import reverse

from clinical.scheduling.billing.models import BillingCode
from cortex.accounts.apikeys.actions import create_client
from cortex.audit import InputRefused
from patients.care.actions import add_to_care_team
from patients.care.models import CareTeamMember
from tests import makers
from tests.cast import Cast
from tests.forms import fields_of
from tests.makers import client_of, staff

pytestmark = pytest.mark.django_db


def typed(cast: Cast) -> dict[str, tuple[dict[str, Any], str, str]]:
    """Return of each form what is typed, the field of the refusal, and its words."""
    tomorrow = makers.now() + timedelta(days=1)
    start, end = f"{tomorrow:%Y-%m-%dT%H:%M}", f"{tomorrow + timedelta(days=1):%Y-%m-%dT%H:%M}"
    return {
        "clinical_billingcode": (
            {"code": "X1", "system": "own", "own_label": "Made", "service": "psychotherapy",
             "min_minutes": "1", "active_from": "2026-01-01", "jurisdiction": "ke"},
            "code", "stands in the table already",
        ),
        "crisis_crisisresource": (
            {"jurisdiction": "ke", "name": "A line", "kind": "crisis_line", "phone": "1190", "hours": "24/7",
             "priority": "9", "languages": "en"},
            "name", "stands in the list already",
        ),
        "accounts_apiclient": (
            {"organization": str(cast.home.pk), "name": "App"}, "name", "already exists",
        ),
        "patients_careteammember": (
            {"patient": str(cast.patient.pk), "user": str(cast.bob.pk), "role": "psychiatrist",
             "starts_at": start},
            "user", "on this team already",
        ),
        "patients_patientuserobjectpermission": (
            {"content_object": str(cast.patient.pk), "user": str(cast.bob.pk), "starts_at": start,
             "reason_code": "consultation", "ends_at": end, "opens": "view_patient", "why": ""},
            "user", "given this already",
        ),
    }  # fmt: skip


FORMS = ["clinical_billingcode", "crisis_crisisresource", "accounts_apiclient", "patients_careteammember",
         "patients_patientuserobjectpermission"]  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_a_form_that_is_sent_twice_says_so_at_its_field(cast: Cast, form: str) -> None:
    sent, field, words = typed(cast)[form]
    client, page = client_of(cast.ada), reverse(f"admin:{form}_add")
    first = client.post(page, sent)
    assert first.status_code == 302, unescape(first.content.decode())
    second = client.post(page, sent)
    said = unescape(second.content.decode())
    assert second.status_code == 200 and words in said, said
    # The factory of forms finds a taken name by itself, and says it above the fields.
    assert f'id="id_{field}_error"' in said or words == "already exists"


def test_a_code_and_an_app_are_not_changed_into_ones_that_stand_there(cast: Cast) -> None:
    client, rows = client_of(cast.ada), {}
    sent, _, words = typed(cast)["clinical_billingcode"]
    for code in ("X1", "X2"):
        assert (
            client.post(reverse("admin:clinical_billingcode_add"), sent | {"code": code}).status_code == 302
        )
    rows["clinical_billingcode"] = (BillingCode.objects.get(code="X2").pk, {"code": "X1"}, words)
    create_client(actor=staff(cast.ada), organization_id=cast.home.pk, name="One")
    two = create_client(actor=staff(cast.ada), organization_id=cast.home.pk, name="Two")
    rows["accounts_apiclient"] = (two.pk, {"name": "One"}, "name that no other one has")
    for form, (pk, change, told) in rows.items():
        page = reverse(f"admin:{form}_change", args=[pk])
        sent = fields_of(client.get(page).content.decode(), f"{form.split('_')[1]}_form")
        answer = client.post(page, sent | change)
        said = unescape(answer.content.decode())
        assert answer.status_code == 200 and told in said, said


def test_a_place_of_days_to_come_and_a_new_one_are_not_both_open(cast: Cast) -> None:
    where: dict[str, Any] = {
        "actor": staff(cast.ada), "patient_id": cast.patient.pk, "user_id": cast.bob.pk,
        "role": "psychiatrist",
    }  # fmt: skip
    later = makers.now() + timedelta(days=7)
    add_to_care_team(starts_at=later, **where)
    with pytest.raises(InputRefused) as refused:
        add_to_care_team(**where)
    assert (refused.value.code, refused.value.extra["field"]) == ("already_on_team", "user")
    # One that ends before the other begins stands beside it.
    assert add_to_care_team(ends_at=later - timedelta(days=1), **where)
    makers.scope_all()
    assert CareTeamMember.objects.filter(patient=cast.patient, user=cast.bob).count() == 2
