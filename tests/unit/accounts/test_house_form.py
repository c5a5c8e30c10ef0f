"""An organization's settings in the back office: a field each, nothing lost that the form doesn't show."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from django.test import Client

from cortex.accounts import actions
from cortex.accounts.houseform import AS_JSON, OrganizationForm
from cortex.accounts.models import Role
from cortex.accounts.policies import POLICIES
from cortex.audit import SYSTEM
from cortex.audit.models import AuditLog
from tests.unit.accounts.conftest import People, make_user, sign_in

pytestmark = pytest.mark.django_db
COLUMNS = {
    "name": "Amani Service", "domain": "", "jurisdiction": "KE", "default_timezone": "Africa/Nairobi",
    "default_language": "en", "emergency_number": "999", "settings": "{}",
}  # fmt: skip


@pytest.fixture
def ada(people: People) -> Client:
    client = Client()
    sign_in(client, "ada@example.org")
    client.post(address(people), COLUMNS)  # the columns of a test's house are those of the form from here on
    return client


def address(people: People) -> str:
    return f"/admin/accounts/organization/{people.home.pk}/change/"


def send(client: Client, people: People, **fields: Any) -> str:
    answer = client.post(address(people), COLUMNS | fields, follow=True)
    people.home.refresh_from_db()
    return html.unescape(answer.content.decode())


def test_each_setting_is_a_field_of_its_own_kind(ada: Client, people: People) -> None:
    send(
        ada, people, desk_phone="ext. 4400", leads=[str(people.sam.pk)], notify_by_email="no",
        plans_need_approval="yes", unplanned_clinicians="yes", document_max_mb="5",
        voice_retention_days="0", factor_rule="own",
        mfa_required_roles=["supervisor", "counselor"],
    )  # fmt: skip
    assert people.home.settings == {
        "desk_phone": "ext. 4400", "leads": [str(people.sam.pk)], "notify_by_email": False,
        "plans_need_approval": True, "unplanned_clinicians": True,
        "document_max_mb": 5, "voice_retention_days": 0,
        "mfa_required_roles": ["supervisor", "counselor"],
    }  # fmt: skip
    row = AuditLog.objects.filter(event_type="organization.changed").latest("id")
    assert row.fields == ["settings"]
    assert row.codes == {"settings": sorted(people.home.settings)}
    assert "4400" not in str(row.codes)

    page = ada.get(address(people)).content.decode()
    assert re.search(rf'value="{people.sam.pk}"[^>]*checked', page)
    assert re.search(r'<option value="no" selected', page)
    assert re.search(r'name="voice_retention_days" value="0"', page)
    send(ada, people)
    assert people.home.settings == {}


def test_what_the_form_shows_is_what_it_sends_back(ada: Client, people: People) -> None:
    """Saved untouched, nothing changes: neither of what stands there nor of what people don't set."""
    other = str(people.elsewhere.pk)
    full = {
        "fictional": True, "desk_phone": "ext. 1", "leads": [str(people.sam.pk)], "notify_by_email": True,
        "part2_program": False, "document_max_mb": 10, "mfa_required_roles": [],
        "covered_by": {other: "Agreement 7"}, "text_models": {"linear-2": "shadow"},
    }  # fmt: skip
    actions.update_organization(actor=SYSTEM, organization_id=people.home.pk, settings=full)
    people.home.refresh_from_db()
    form = OrganizationForm(instance=people.home)
    sent = {name: form[name].value() for name in form.fields if form[name].value() is not None}
    again = OrganizationForm(sent, instance=people.home)
    assert again.is_valid(), again.errors
    assert again.cleaned_data["settings"] == full
    assert again.changed_data == []
    newer = {"covered_by": {other: "Agreement 8"}}
    send(ada, people, desk_phone="ext. 2", settings=json.dumps(newer))
    assert people.home.settings == newer | {"fictional": True, "desk_phone": "ext. 2"}


def test_leads_and_roles_in_another_order_and_an_empty_phone_are_no_change(
    ada: Client, people: People
) -> None:
    two = [str(people.sam.pk), str(make_user(people.home, Role.SUPERVISOR, "abel").pk)]
    stored = {"leads": two, "mfa_required_roles": ["supervisor", "counselor"], "desk_phone": ""}
    people.home.settings = stored
    people.home.save()
    send(ada, people, leads=two, factor_rule="own", mfa_required_roles=["counselor", "supervisor"])
    assert people.home.settings == stored
    assert not AuditLog.objects.filter(event_type="organization.changed", fields=["settings"]).exists()


def test_a_lead_who_left_stays_until_somebody_takes_the_tick_away(ada: Client, people: People) -> None:
    send(ada, people, leads=[str(people.sam.pk)])
    actions.disable_user(actor=SYSTEM, user_id=people.sam.pk)
    page = ada.get(address(people)).content.decode()
    assert f"{people.sam.full_name}, supervisor, no longer here" in page
    send(ada, people, leads=[str(people.sam.pk)], desk_phone="ext. 3")
    assert people.home.lead_ids == [str(people.sam.pk)]
    send(ada, people)
    assert people.home.lead_ids == []


def test_only_the_desks_own_people_can_be_ticked(ada: Client, people: People) -> None:
    cora = make_user(people.home, Role.COMPLIANCE, "cora")
    page = ada.get(address(people)).content.decode()
    assert str(people.sam.pk) in page
    assert str(cora.pk) not in page
    assert str(people.charlie.pk) not in page
    said = send(ada, people, leads=[str(people.charlie.pk)])
    assert "not one of the available choices" in said
    assert people.home.settings == {}


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"desk_phone": "<b>1</b>"}, "desk_phone must be a number"),
        ({"document_max_mb": "11"}, "less than or equal to 10"),
        ({"voice_retention_days": "nan"}, "whole number"),
        ({"factor_rule": "own"}, "Tick at least one role"),
        ({"mfa_required_roles": ["admin"]}, "These count only with"),
        ({"settings": '{"leads": []}'}, "leads has a field of its own"),
        ({"settings": '{"leeds": []}'}, "leeds is not known here: covered_by, text_models"),
        ({"settings": "[1]"}, "Give names with values"),
        ({"settings": '{"text_models": {"x": "on"}}'}, "text_models must be"),
        ({"settings": '{"fictional": true}'}, "fictional is not known here"),
    ],
)
def test_what_does_not_fit_is_said_at_its_field_and_nothing_is_lost(
    ada: Client, people: People, fields: dict[str, Any], told: str
) -> None:
    said = send(ada, people, emergency_number="112", **fields)
    assert told in said
    assert 'value="112"' in said
    people.home.refresh_from_db()
    assert (people.home.settings, people.home.emergency_number) == ({}, "999")


def test_a_second_factor_is_turned_off_by_a_word_and_by_no_missing_field(ada: Client, people: People) -> None:
    send(ada, people, factor_rule="own", mfa_required_roles=["counselor"])
    send(ada, people)
    assert "mfa_required_roles" not in people.home.settings
    send(ada, people, factor_rule="nobody")
    assert people.home.settings["mfa_required_roles"] == []


def test_every_setting_that_people_set_has_its_place_in_the_form() -> None:
    names = set(OrganizationForm.base_fields) | set(AS_JSON)
    assert {name for name, one in POLICIES.items() if one.by_people} <= names
