"""A safety plan in a browser: written with and without a script, finished, gone through, put on paper."""

from __future__ import annotations

from playwright.sync_api import expect

from crisis.safetyplans.models import SafetyPlan, SafetyPlanReview
from tests import makers
from tests.browser.test_board import Visit
from tests.cast import Cast
from tests.unit.safetyplans.plans import WHOLE, finish, lines_of


def test_a_plan_is_written_kept_finished_gone_through_and_printed(visit: Visit, people: Cast) -> None:
    visitor = visit(width=1440, scheme="light")
    page = visitor.sign_in(people.alice)
    visitor.open(f"/charts/{people.patient.pk}/")
    page.get_by_role("navigation", name="Chart sections").get_by_role("link", name="Safety plan").click()
    expect(page.get_by_role("heading", name="No safety plan")).to_be_visible()
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    page.get_by_role("link", name="Begin a plan").click()
    for key, rows in WHOLE.items():
        block = page.locator(f"[data-block={key}]")
        for number, (text, contact) in enumerate(rows):
            block.get_by_role("textbox", name=f", line {number + 1}").first.fill(text)
            if contact:
                block.locator("input.input").nth(number).fill(contact)
    signs = page.locator("[data-block=warning_signs]")
    signs.get_by_role("button", name="Another line").click()
    expect(signs.locator("textarea")).to_have_count(3)
    signs.locator("textarea").last.fill("Third")
    signs.get_by_role("button", name="Move up: Warning signs, line 3").click()
    signs.get_by_role("button", name="Move up: Warning signs, line 2").click()
    expect(signs.locator("textarea").first).to_have_value("Third")
    expect(signs.get_by_role("button", name="Move up: Warning signs, line 1")).to_be_focused()
    signs.get_by_role("button", name="Take out: Warning signs, line 1").click()
    expect(signs.locator("textarea")).to_have_count(2)
    page.get_by_label("Made together with the person").check()
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    page.get_by_role("button", name="Save draft").last.click()
    expect(page.get_by_text("Saved as a draft.")).to_be_visible()
    page.get_by_role("button", name="Finish").click()
    expect(page.get_by_role("heading", level=2, name="Safety plan", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="0770 090 0318")).to_have_attribute("href", "tel:07700900318")
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    makers.scope_all()
    assert lines_of(people, SafetyPlan.objects.get()) == WHOLE
    page.get_by_text("Still right", exact=True).click()
    page.get_by_role("button", name="Yes, still right").click()
    expect(page.get_by_text("Noted: the plan is still right.")).to_be_visible()
    page.get_by_role("link", name="For the person").click()
    expect(page.get_by_role("heading", name="My safety plan")).to_be_visible()
    expect(page.get_by_role("button", name="Print")).to_be_visible()
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    visitor.open(f"/charts/{people.patient.pk}/")
    expect(page.locator("#safety-plan")).to_contain_text("Cold shower")
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    makers.scope_all()
    assert not SafetyPlanReview.objects.exists(), "who finished it just now has gone through it"


def test_without_a_script_on_a_phone_no_typed_word_is_lost(visit: Visit, people: Cast) -> None:
    visitor = visit(width=390, scheme="dark", scripts=False)
    page = visitor.sign_in(people.alice)
    visitor.open(f"/people/{people.patient.pk}/safety-plan/edit/")
    coping = page.locator("[data-block=self_coping]")
    coping.locator("textarea").first.fill("Walk to the canal lights")
    page.locator("[data-block=people_to_ask] input.input").first.fill("0770 090 0318")
    coping.get_by_role("button", name="Another line").click()
    coping.locator("textarea").nth(2).fill("Ring the shop")
    coping.get_by_role("button", name="Move up: What they can do alone, line 3").click()
    expect(coping.locator("textarea").nth(1)).to_have_value("Ring the shop")
    page.get_by_role("button", name="Finish").click()
    expect(page.locator("[data-error-summary]")).to_contain_text("say who or what belongs to the number")
    expect(coping.locator("textarea").nth(0)).to_have_value("Walk to the canal lights")
    page.locator("[data-block=people_to_ask] textarea").first.fill("Tobi")
    page.get_by_role("button", name="Finish").click()
    expect(page.get_by_text("Not complete:")).to_be_visible()
    makers.scope_all()
    found = lines_of(people, SafetyPlan.objects.get())
    assert found["self_coping"] == [("Walk to the canal lights", ""), ("Ring the shop", "")]
    assert found["people_to_ask"] == [("Tobi", "0770 090 0318")]


def test_the_plan_on_a_phone_in_the_dark_also_where_no_chart_is_open(visit: Visit, people: Cast) -> None:
    long = "A very long line of what helps, said in one breath and without a comma " * 4
    finish(people, lines=WHOLE | {"self_coping": [(long[:300], "")]})
    alert = people.claimed_alert()
    visitor = visit(width=390, scheme="dark")
    page = visitor.sign_in(people.cleo)
    for path in (f"/alerts/{alert.pk}/", *(f"/people/{people.patient.pk}/safety-plan/{one}" for one in
                                           ("", "edit/", "print/"))):  # fmt: skip
        visitor.open(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert (visitor.axe(), visitor.overflow()) == ([], 0), path
    visitor.open(f"/alerts/{alert.pk}/")
    expect(page.locator("#safety-plan")).to_contain_text("Reviewed")


def test_s_on_the_alerts_page_goes_to_the_plan(visit: Visit, people: Cast) -> None:
    finish(people)
    alert = people.claimed_alert()
    visitor = visit(width=1440, scheme="light")
    page = visitor.sign_in(people.cleo)
    visitor.open(f"/alerts/{alert.pk}/")
    page.keyboard.press("s")
    page.wait_for_url(f"**/alerts/{alert.pk}/#safety-plan")
    assert visitor.axe() == []
