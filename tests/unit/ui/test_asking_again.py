"""Which classes of the back office ask for the password before they write: all but a written list."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.urls import reverse
from django.utils.text import capfirst

from cortex.ui.admin import ActionAdmin
from crisis.escalation.models import PagerEndpoint, SlaPolicy
from tests import makers
from tests.cast import Cast
from tests.forms import fields_of
from tests.makers import client_of
from tests.stores import ROOT

pytestmark = pytest.mark.django_db
# What writes without the password once more, and why that is enough.
UNASKED = {
    "clinical.BillingCode": "A tariff opens nothing and pages nobody; lines keep what they were made with.",
    "clinical.InstrumentSwitch": "Which questionnaires are offered; their texts come by a command alone.",
    "crisis.DutyShift": "Planned daily; whoever may not be on such a shift is refused.",
    "ops.DeadLetter": "Closes one letter with a coded reason; the row that it is about is untouched.",
    "ops.FeatureFlag": "No part of the product asks a flag.",
    "patients.Patient": "Demographics are corrected while people wait; each field is named in the trail.",
}


def writing() -> dict[str, ActionAdmin]:
    """Return the classes with an action, by model."""
    found = {}
    for model, office in admin.site._registry.items():
        assert isinstance(office, ActionAdmin)
        if office.add_action or office.change_action or office.delete_action:
            found[model._meta.label] = office
    return found


def test_each_class_that_writes_asks_again_or_stands_on_the_list_with_its_reason() -> None:
    unasked = {label for label, office in writing().items() if not office.asks_again}
    assert unasked == set(UNASKED)
    assert all(len(reason) > 20 for reason in UNASKED.values())


def test_the_page_for_operators_lists_who_asks_and_who_does_not() -> None:
    page = (ROOT / "docs/OPERATIONS.md").read_text(encoding="utf-8")
    found = re.search(
        r"These forms of the back office ask when they are sent: (.*?)\. These don't: (.*?);", page
    )
    assert found
    for asks, told in zip((True, False), found.groups(), strict=True):
        names = {
            capfirst(str(one.opts.verbose_name_plural))
            for one in writing().values()
            if one.asks_again == asks
        }
        assert set(re.findall(r"\*(.*?)\*", told)) == names


def test_a_class_that_asks_again_has_no_way_to_delete_without_it() -> None:
    assert not [label for label, office in writing().items() if office.asks_again and office.delete_action]


def test_a_class_that_asks_for_what_is_sealed_keeps_it_out_of_the_session() -> None:
    """What is sealed in the table must not wait as plain words in a session: the form comes back instead."""
    for label, office in writing().items():
        columns = office.model._meta.get_fields()
        has_sealed = {one.name for one in columns if type(one).__name__.startswith("Sealed")}
        if office.asks_again and has_sealed & set(getattr(office.form, "base_fields", ())):
            assert office.sealed_fields, label


@pytest.mark.parametrize("label", sorted(label for label, one in writing().items() if one.asks_again))
def test_a_form_that_is_sent_long_after_the_password_is_not_taken(cast: Cast, label: str) -> None:
    office, name = writing()[label], label.lower().replace(".", "_")
    if not office.add_action:
        return
    role = "compliance" if office.write_roles == {"compliance"} else "admin"
    user = makers.make_user(role, cast.home, is_operator=role == "admin")
    before = office.model._base_manager.count()
    client = client_of(user, makers.now() - timedelta(hours=1))
    answer = client.post(reverse(f"admin:{name}_add"), {"url": "x"})
    if office.sealed_fields:
        assert answer.status_code == 200 and "Confirm that it is you" in answer.content.decode()
    else:
        assert answer.status_code == 302 and "/reauthenticate/" in answer["Location"]
    assert office.model._base_manager.count() == before


def test_a_clock_is_not_changed_by_whoever_finds_an_open_page(cast: Cast) -> None:
    policy = SlaPolicy.objects.get(organization=None, level="critical")
    page = reverse("admin:crisis_slapolicy_change", args=[policy.pk])
    sent: dict[str, Any] = fields_of(client_of(cast.ada).get(page).content.decode(), "slapolicy_form")
    old = client_of(cast.ada, makers.now() - timedelta(hours=1))
    answer = old.post(page, sent | {"acknowledge_seconds": "599"})
    assert answer.status_code == 302 and "/reauthenticate/" in answer["Location"]
    makers.scope_all()
    assert not SlaPolicy.objects.filter(organization=cast.home).exists()


def test_a_pager_s_secret_that_was_typed_too_late_waits_in_no_session(cast: Cast) -> None:
    old = client_of(cast.ada, makers.now() - timedelta(hours=1))
    typed = {"name": "Pager", "url": "https://pager.example/", "secret": "w" * 40, "is_active": "on"}
    answer = old.post(reverse("admin:crisis_pagerendpoint_add"), typed)
    page = answer.content.decode()
    assert answer.status_code == 200 and "Confirm that it is you" in page and "w" * 40 not in page
    assert "w" * 40 not in str(dict(old.session.items()))
    assert not PagerEndpoint.objects.exists()
    fresh = client_of(cast.ada)
    assert fresh.post(reverse("admin:crisis_pagerendpoint_add"), typed).status_code == 302
    makers.scope_all()
    row = PagerEndpoint.objects.get()
    listed = fresh.get(reverse("admin:crisis_pagerendpoint_change", args=[row.pk])).content.decode()
    assert 'name="secret"' in listed and "w" * 40 not in listed
