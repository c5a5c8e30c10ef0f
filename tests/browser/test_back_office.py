"""What an administrator types to find somebody stands in no address, with and without scripts."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote_plus

from cortex.accounts.houseform import AS_JSON
from tests import makers
from tests.browser.conftest import Visitor
from tests.cast import Cast

LIST = "/admin/patients/patient/"


def watched(visitor: Visitor) -> list[str]:
    """Return a list that gathers every address that this browser asks for."""
    asked: list[str] = []
    visitor.page.on("request", lambda request: asked.append(unquote_plus(request.url)))
    return asked


def test_a_search_without_scripts_keeps_filters_and_stays_out_of_addresses(
    people: Cast, visit: Callable[..., Visitor]
) -> None:
    email = makers.opened(people.patient, "email")
    twin = makers.make_patient(people.home)
    ada = visit(scripts=False)
    ada.sign_in(people.ada)
    asked = watched(ada)
    page = ada.open(f"{LIST}?status__exact=active")
    page.get_by_label("Find").fill(email)
    page.get_by_role("button", name="Search").click()
    page.wait_for_url(lambda url: "q=" in url)
    assert "status__exact=active" in page.url
    rows = page.locator("#result_list tbody tr")
    assert rows.count() == 1 and people.patient.anonymous_id in rows.inner_text()
    assert page.get_by_label("Find").input_value() == email
    page.get_by_role("link", name="Suspended").click()
    page.wait_for_url(lambda url: "suspended" in url)
    assert page.get_by_label("Find").input_value() == email and rows.count() == 0
    page.get_by_label("Find").fill("")
    page.get_by_role("button", name="Search").click()
    page.wait_for_url(lambda url: "q=" not in url)
    assert twin.anonymous_id not in page.content(), "the filter still holds"
    assert asked and not any(email in url for url in asked)


def test_on_a_phone_a_long_form_leaves_the_way_out_in_sight_and_lists_its_settings(
    people: Cast, visit: Callable[..., Visitor]
) -> None:
    people.home.settings |= {"fictional": True}  # which the header says, in a line of its own
    people.home.save()
    ada = visit(width=390)
    ada.sign_in(people.ada)
    page = ada.open("/admin/accounts/organization/")
    assert ada.axe() == []
    page = ada.open(f"/admin/accounts/organization/{people.home.pk}/change/")
    squeezed = "(e) => e.scrollHeight - e.clientHeight"
    assert page.locator("#header").evaluate(squeezed) == 0 and ada.overflow() == 0
    assert page.locator("dl.settings dt").all_inner_texts() == list(AS_JSON)
    assert ada.axe() == []


def test_a_choice_is_looked_up_without_an_address_that_says_whom(
    people: Cast, visit: Callable[..., Visitor]
) -> None:
    email = makers.opened(people.patient, "email")
    ada = visit()
    ada.sign_in(people.ada)
    asked = watched(ada)
    page = ada.open("/admin/patients/careteammember/add/")
    page.locator(".field-patient .select2-selection").click()
    page.locator(".select2-search__field").fill(email)
    page.get_by_role("option", name=people.patient.anonymous_id).click()
    assert people.patient.anonymous_id in page.locator(".field-patient .select2-selection").inner_text()
    looked_up = [url for url in asked if "/admin/autocomplete/" in url]
    assert looked_up and not any(email in url or "term" in url for url in asked)
