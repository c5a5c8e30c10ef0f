"""From a referral to the first measure in a browser, with the consent on paper in between."""

from __future__ import annotations

from playwright.sync_api import expect

from clinical.pathway.actions import refer
from patients.pathway.actions import ReferralData
from patients.registry.records import RegisterPatient
from tests import makers
from tests.browser.test_board import Visit
from tests.cast import Cast


def test_a_referral_becomes_care_with_consent_on_paper_and_a_first_measure(
    visit: Visit, people: Cast
) -> None:
    newcomer = RegisterPatient(given_name="Neema", family_name="Newcomer", phone="+254700777888")
    sent = ReferralData("physician", "soon", "Has not slept for weeks.", asked_id=people.bob.pk)
    refer(actor=makers.staff(people.sam), data=sent, newcomer=newcomer)
    visitor = visit(width=390, scheme="light")
    page = visitor.sign_in(people.bob)
    visitor.open("/ways/")
    page.get_by_role("link", name="Neema Newcomer").click()
    expect(page.get_by_text("Has not slept for weeks.")).to_be_visible()
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_text("5 missing")).to_be_visible()
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    page.get_by_role("listitem").filter(has_text="Consent: treatment").get_by_role("link").click()
    page.get_by_label("Consent to").select_option("treatment")
    page.get_by_role("button", name="Take it down").click()
    expect(page.get_by_role("button", name="Withdraw")).to_have_count(1)
    visitor.open(page.url.replace("consent", "first-steps").removeprefix(visitor.origin))
    expect(page.get_by_text("4 missing")).to_be_visible()
    page.get_by_role("listitem").filter(has_text="PHQ-9").get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("PHQ-9")
