"""Allergies in a browser: said to be none, recorded, seen in the banner, wrong, taken back."""

from __future__ import annotations

from datetime import timedelta

from playwright.sync_api import expect

from clinical.plans.actions import begin_plan
from clinical.plans.allergies.actions import save_allergy
from tests import makers
from tests.browser.test_board import Visit
from tests.cast import Cast
from tests.walk.plans import ALLERGY


def test_an_allergy_is_recorded_seen_everywhere_and_taken_back(visit: Visit, people: Cast) -> None:
    who = people.patient.pk
    visitor = visit(width=1440, scheme="light")
    page = visitor.sign_in(people.alice)
    visitor.open(f"/charts/{who}/plan/")
    region = page.get_by_role("region", name="Allergies and intolerances")
    region.get_by_role("button", name="No known allergies").click()
    expect(region.get_by_role("listitem")).to_contain_text("No known allergies")
    page.get_by_role("link", name="Add an allergy").click()
    page.get_by_label("What happens").fill("Hives on both arms.")
    page.get_by_role("button", name="Record it").click()
    expect(page.locator("[data-error-summary]")).to_be_visible()
    expect(page.get_by_label("What happens")).to_have_value("Hives on both arms.")
    assert visitor.faults() == {}, "the form"
    page.get_by_label("What", exact=True).fill("Penicillin")
    page.get_by_label("Danger the next time").select_option("high")
    page.get_by_role("button", name="Record it").click()
    expect(region.get_by_role("listitem")).to_contain_text("Penicillin")
    expect(region).not_to_contain_text("No known allergies")
    assert visitor.faults() == {}, "the list"
    visitor.open(f"/charts/{who}/timeline/")
    page.get_by_role("link", name="Allergy: Penicillin (severe)").click()
    expect(region).to_be_in_viewport()
    region.get_by_role("link", name="Change Penicillin").click()
    page.get_by_role("button", name="Entered in error").click()
    expect(page.get_by_role("link", name="Allergy: Penicillin")).to_have_count(0)
    region.get_by_text("1 entered in error").click()
    region.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("link", name="Allergy: Penicillin (severe)")).to_be_visible()

    page.get_by_role("link", name="Add a medication").click()
    question = (
        page.locator("#main")
        .get_by_role("alert")
        .filter(has_text="Penicillin (severe). Is it right all the same?")
    )
    page.get_by_label("Name", exact=True).fill("penicillin V")
    page.get_by_label("Side effects").fill("None so far.")
    page.get_by_label("Name", exact=True).press("Enter")
    expect(question).to_be_focused()
    expect(question).to_be_in_viewport()
    expect(page.get_by_label("Side effects")).to_have_value("None so far.")
    assert visitor.faults() == {}, "the question"
    page.get_by_label("Name", exact=True).press("Enter")
    expect(question).to_be_focused()
    page.get_by_role("button", name="Add all the same").click()
    expect(page.get_by_role("region", name="Medications")).to_contain_text("penicillin V")
    begin_plan(
        actor=makers.staff(people.alice), patient_id=who, presenting_problem="Sleeps badly.",
        start=makers.now().date(), target_end=makers.now().date() + timedelta(days=60),
    )  # fmt: skip
    visitor.open(f"/charts/{who}/plan/print/")
    expect(page.get_by_role("article")).to_contain_text("This can be dangerous for you.")
    visitor.open(f"/charts/{who}/timeline/?kind=allergies")
    expect(page.get_by_text("Allergy recorded: Penicillin, severe")).to_be_visible()
    assert visitor.faults() == {}, "the timeline"

    for number, name in enumerate(("Unbrokenverylongsubstance" * 6, "Latex", "Nuts", "Eggs")):
        fields = ALLERGY | {"substance": name, "criticality": "low" if number else "high"}
        save_allergy(actor=makers.staff(people.alice), patient_id=who, fields=fields)
    phone = visit(width=390, scheme="dark")
    phone.sign_in(people.alice)
    for path in ("plan/", "", "plan/allergies/add/", "timeline/", "plan/print/"):
        phone.open(f"/charts/{who}/{path}")
        assert phone.faults() == {}, path
