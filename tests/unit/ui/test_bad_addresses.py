"""What an address or a form of the back office can't mean is refused, and is no fault of the house."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from django.contrib import admin
from django.contrib.admin.utils import quote as admin_quote
from django.test import Client
from django.urls import reverse

from cortex.ui.admin import ActionAdmin
from cortex.ui.searches import TYPED
from tests import makers
from tests.cast import Cast
from tests.makers import client_of

pytestmark = pytest.mark.django_db
NUL = "\x00"
# What no column holds: a sign that the database refuses, a year beyond any.
ASKED = (("", NUL), ("__year", "99999999999"))
REFUSED = {302, 303, 400, 404}


def offices(cast: Cast) -> list[tuple[str, ActionAdmin, Client]]:
    """Return each class of the back office with the browser of somebody who sees its list."""
    clients = {}
    for role in ("admin", "compliance"):
        clients[role] = client_of(makers.make_user(role, cast.home, is_operator=role == "admin"))
        clients[role].raise_request_exception = False
    found = []
    for model, office in admin.site._registry.items():
        assert isinstance(office, ActionAdmin)
        is_admins = "admin" in office.view_roles | office.write_roles or not office.view_roles
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        found.append((name, office, clients["admin" if is_admins else "compliance"]))
    return found


def names_of(office: ActionAdmin) -> set[str]:
    found = {str(office.opts.pk.name), *office.linked_by}  # type: ignore[union-attr]
    for one in office.list_filter:
        found.add(str(one[0] if isinstance(one, tuple) else getattr(one, "parameter_name", one)))
    return found


def test_no_list_breaks_at_a_filter_that_means_nothing(cast: Cast) -> None:
    told: dict[str, int] = {}
    for name, office, client in offices(cast):
        page = reverse(f"{name}_changelist")
        for column in sorted(names_of(office)):
            for suffix, value in ASKED:
                asked = f"{page}?{column}{suffix}={quote(value)}"
                told[asked] = client.get(asked).status_code
    assert len(told) > 300
    assert not {asked: status for asked, status in told.items() if status not in REFUSED | {200}}
    assert not [asked for asked, status in told.items() if asked.endswith("=%00") and status == 200]


def test_no_page_breaks_at_an_id_that_is_none(cast: Cast) -> None:
    told: dict[Any, int] = {}
    for name, _, client in offices(cast):
        for view in ("change", "delete", "history"):
            page = reverse(f"{name}_{view}", args=[admin_quote(NUL)])
            told[page] = client.get(page).status_code
        told[name] = client.post(reverse(f"{name}_change", args=[NUL]), {}).status_code
    assert not {asked: status for asked, status in told.items() if status not in (400, 403, 404)}


def test_no_search_and_no_command_breaks_a_list(cast: Cast) -> None:
    told: dict[Any, int] = {}
    for name, office, client in offices(cast):
        page = reverse(f"{name}_changelist")
        if office.search_fields:
            assert client.post(page, {TYPED: f"a{NUL}b"}).status_code == 400, name
            told[name] = client.get(f"{page}?q=%00").status_code
        for command in office.actions:
            for one in (NUL, "none"):
                sent = {"action": command, "_selected_action": [one], "index": "0"}
                told[name, command, one] = client.post(page, sent).status_code
    assert not {asked: status for asked, status in told.items() if status not in REFUSED | {200, 403}}


def test_choices_are_asked_for_by_words_alone(cast: Cast) -> None:
    client = client_of(cast.ada)
    client.raise_request_exception = False
    asked = {"app_label": "patients", "model_name": "careteammember", "field_name": "patient"}
    page = reverse("admin:autocomplete")
    assert client.post(page, asked | {"term": "CX"}).status_code == 200
    for change in (
        {"term": NUL}, {"term": f"a{NUL}"}, {"page": NUL}, {"page": "9" * 30}, {"field_name": NUL},
        {"app_label": NUL}, {"model_name": NUL},
    ):  # fmt: skip
        assert client.post(page, asked | {"term": ""} | change).status_code in (400, 403, 404), change


def test_a_value_that_no_column_holds_is_no_fault_of_the_house(cast: Cast) -> None:
    client = client_of(makers.make_user("admin", cast.home, is_operator=True))
    client.raise_request_exception = False
    typed = {"key": "made.up", "value": '{"a": "\\u0000"}', "category": "", "description": ""}
    assert client.post(reverse("admin:ops_systemsetting_add"), typed).status_code in (200, 400)
