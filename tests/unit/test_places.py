"""Jurisdictions and emergency numbers: what people type is put as it is kept, or refused at its field."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest
from django.urls import reverse

from cortex.accounts.actions import create_organization, update_organization
from cortex.audit import SYSTEM, InputRefused
from cortex.places import emergency_number_of, jurisdiction_of
from crisis.resources.actions import add_resource, change_resource
from crisis.resources.models import CrisisResource
from crisis.resources.queries import resources_near
from tests.cast import Cast
from tests.forms import fields_of
from tests.makers import client_of, staff


@pytest.mark.parametrize(("typed", "kept"), [("ke", "KE"), (" KE ", "KE"), ("us-ca", "US-CA"), ("XK", "XK")])
def test_a_jurisdiction_is_put_as_it_is_kept(typed: str, kept: str) -> None:
    assert jurisdiction_of(typed) == kept


@pytest.mark.parametrize("typed", ["", "K", "Kenya", "ZZ", "UK", "KE-", "KE-NAIRO", "K3", "KE US", "ＫＥ"])
def test_what_is_no_jurisdiction_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match="code of two letters"):
        jurisdiction_of(typed)


@pytest.mark.parametrize("typed", ["999", "112", " 911 ", "+254 20 112", "(020) 112-112"])
def test_a_number_that_can_be_dialled_is_taken(typed: str) -> None:
    assert emergency_number_of(typed) == typed.strip()


@pytest.mark.parametrize("typed", ["", " ", "9", "999 or 112", "ask", "--", "+" * 5, "1" * 16, "٩٩٩", "9/11"])
def test_what_nobody_could_dial_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match="can dial"):
        emergency_number_of(typed)


@pytest.mark.django_db
@pytest.mark.parametrize("field", ["jurisdiction", "emergency_number"])
def test_an_organization_says_no_place_and_no_number_that_is_none(cast: Cast, field: str) -> None:
    before = getattr(cast.home, field)
    for write in (
        lambda **said: update_organization(actor=staff(cast.ada), organization_id=cast.home.pk, **said),
        lambda **said: create_organization(actor=SYSTEM, name="New", **said),
    ):
        with pytest.raises(InputRefused) as refused:
            write(**{field: "Kenya"})
        assert refused.value.extra["field"] == field
    cast.home.refresh_from_db()
    assert getattr(cast.home, field) == before

    client, page = client_of(cast.ada), reverse("admin:accounts_organization_change", args=[cast.home.pk])
    sent = fields_of(client.get(page).content.decode(), "organization_form")
    answer = client.post(page, sent | {field: "Kenya"})
    assert answer.status_code == 200
    said = unescape(answer.content.decode())
    assert f'id="id_{field}_error"' in said and ("two letters" in said or "can dial" in said)


@pytest.mark.django_db
def test_a_line_is_found_whatever_its_letters_were_typed_in(cast: Cast) -> None:
    values: dict[str, Any] = {"name": "A line", "kind": "crisis_line", "phone": "1190"}
    row = add_resource(actor=staff(cast.ada), jurisdiction="ke", **values)
    assert row in resources_near("KE", cast.home.pk)
    changed = change_resource(actor=staff(cast.ada), resource_id=row.pk, jurisdiction="us-ca")
    assert isinstance(changed, CrisisResource) and changed.jurisdiction == "US-CA"
    for write in (
        lambda: add_resource(actor=staff(cast.ada), jurisdiction="Kenya", **values),
        lambda: change_resource(actor=staff(cast.ada), resource_id=row.pk, jurisdiction="ZZ"),
    ):
        with pytest.raises(InputRefused) as refused:
            write()
        assert refused.value.extra["field"] == "jurisdiction"
