"""Whom to call, on a phone: added from the first steps, corrected, retired and taken back."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests import makers
from tests.browser.test_board import Visit
from tests.cast import Cast


def test_somebody_to_call_is_kept_right_on_a_phone(visit: Visit, people: Cast) -> None:
    patient = makers.make_patient(people.home, team=[people.alice], contacts=[], given_name="Neema")
    visitor = visit(width=390)
    page = visitor.sign_in(people.alice)

    def sound() -> None:
        assert visitor.faults() == {}, page.url

    visitor.open(f"/charts/{patient.pk}/first-steps/")
    page.get_by_role("listitem").filter(has_text="Somebody to call").get_by_role("link").click()
    expect(page.get_by_role("heading", name="Add somebody to call")).to_be_visible()
    sound()
    page.get_by_label("Name", exact=True).fill("Akinyi Neighbour")
    page.get_by_label("Who they are to the person").fill("neighbour and landlady of the house next door")
    page.get_by_label("Phone", exact=True).fill("kiosk")
    page.get_by_label("What they may know").fill("Knows of the hospital, not of the diagnosis.")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("[data-error-summary]")).to_contain_text("This is no phone number.")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Akinyi Neighbour")
    sound()
    page.get_by_label("Phone", exact=True).fill("0712 345 678")
    page.get_by_role("button", name="Add", exact=True).click()
    calls = page.get_by_role("region", name="Whom to call")
    expect(calls.get_by_role("link", name="+254712345678")).to_be_visible()
    expect(calls).to_contain_text("May be called")
    sound()
    page.get_by_role("link", name=re.compile("Correct.*Akinyi")).click()
    page.get_by_label("Phone", exact=True).fill("+254 722 000 222")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(calls.get_by_role("link", name="+254722000222")).to_be_visible()
    page.get_by_role("button", name=re.compile("Retire.*Akinyi")).click()
    expect(
        page.locator("#main").get_by_role("status").filter(has_text="is not to be called any more")
    ).to_be_visible()
    expect(calls).to_contain_text("Nobody is on record.")
    sound()
    page.get_by_role("button", name="Undo").click()
    expect(calls.get_by_role("link", name="+254722000222")).to_be_visible()
    visitor.open(f"/charts/{patient.pk}/first-steps/")
    expect(page.get_by_role("listitem").filter(has_text="Somebody to call")).to_contain_text("1 on record")
