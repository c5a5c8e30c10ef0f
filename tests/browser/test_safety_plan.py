"""A safety plan in a browser: kept as it is typed, two at once, without a script, finished, put on paper."""

from __future__ import annotations

from playwright.sync_api import Route, expect

from crisis.safetyplans.models import SafetyPlan, SafetyPlanReview
from patients.breakglass.actions import break_glass
from patients.care.models import CareTeamMember
from tests import makers
from tests.browser.test_board import Visit
from tests.cast import Cast
from tests.unit.safetyplans.plans import WHOLE, finish, lines_of, save

SLOW = 20_000  # ms; a save that gets no answer is given up after 15 s
LEAVES = """() => {
  const leaves = new Event("beforeunload", { cancelable: true });
  dispatchEvent(leaves);
  return leaves.defaultPrevented;
}"""
PRESSED = """() => {
  const press = () => document.querySelector("[name=finish]").click();
  press();
  setInterval(press, 400);
}"""
STORED = "() => JSON.stringify([{...localStorage}, {...sessionStorage}])"


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
    expect(page.locator("#saved")).to_contain_text("Saved", timeout=SLOW)
    page.get_by_role("button", name="Finish").click()
    expect(page.get_by_role("heading", level=2, name="Safety plan", exact=True)).to_be_visible(timeout=SLOW)
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


def test_words_are_kept_as_they_are_typed_through_a_cut_a_closed_tab_and_a_dead_session(
    visit: Visit, people: Cast
) -> None:
    visitor = visit(width=1440, scheme="light")
    page = visitor.sign_in(people.alice)
    page.on("dialog", lambda dialog: dialog.accept())
    where = f"/people/{people.patient.pk}/safety-plan/edit/"
    visitor.open(where)
    said = page.locator("#saved")
    signs = page.locator("[data-block=warning_signs] textarea").first
    signs.press_sequentially("Not answering")
    expect(said).to_contain_text("Saved", timeout=SLOW)
    number = page.locator("[data-block=people_to_ask] input.input").first
    with page.expect_response("**/safety-plan/edit/", timeout=SLOW):
        number.fill("0770 090 0318")  # the number first, its name later: a draft keeps it
    expect(said).to_contain_text("Saved", timeout=SLOW)

    page.route("**/safety-plan/edit/", lambda route: route.abort())
    signs.press_sequentially(" Tobi")
    expect(said).to_contain_text("Not saved: no connection. Your words stay in this page", timeout=SLOW)
    assert "Tobi" not in page.evaluate(STORED)
    assert visitor.axe() == []
    page.get_by_role("button", name="Finish").click()
    expect(said).to_contain_text("Not saved")
    page.unroute("**/safety-plan/edit/")
    visitor.complaints.clear()  # Chromium's own word about the requests that were cut off
    expect(said).to_contain_text("Saved", timeout=SLOW)
    makers.scope_all()
    assert SafetyPlan.objects.get().is_draft, "nothing finishes by itself when the connection is back"

    signs.press_sequentially(", late")
    visitor.open(where.replace("edit/", ""))  # at once: no save of its own had its time
    page.get_by_role("link", name="Go on writing").click()
    expect(signs).to_have_value("Not answering Tobi, late", timeout=SLOW)
    expect(number).to_have_value("0770 090 0318")

    visitor.context.clear_cookies()
    signs.fill("Once more")
    expect(page.get_by_role("dialog", name="You are signed out")).to_be_visible(timeout=SLOW)
    expect(signs).to_be_hidden()
    assert visitor.axe() == []
    visitor.sign_in_beside(people.alice)
    expect(page.get_by_role("dialog", name="You are signed out")).to_be_hidden(timeout=SLOW)
    visitor.complaints.clear()
    expect(said).to_contain_text("Saved", timeout=SLOW)
    visitor.open(where)
    expect(signs).to_have_value("Once more")


def test_a_second_device_is_shown_beside_and_nothing_of_either_is_lost(visit: Visit, people: Cast) -> None:
    makers.add_to_team(people.patient, people.bob, role="psychiatrist")
    visitor = visit(width=390, scheme="dark")
    page = visitor.sign_in(people.alice)
    where = f"/people/{people.patient.pk}/safety-plan/edit/"
    visitor.open(where)
    other = "Ring <img src=x onerror=alert(1)> the shop"
    theirs = {"self_coping": [(other, "")], "warning_signs": [("From the other desk", "")]}
    save(people, people.bob, lines=theirs, means_review_on=None)
    coping = page.locator("[data-block=self_coping] textarea")
    coping.first.fill("From this phone")
    heading = page.get_by_role("heading", name=f"{people.bob.full_name} saved this plan meanwhile")
    expect(heading).to_be_focused(timeout=SLOW)
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    visitor.complaints.clear()  # the 409
    expect(page.locator("#saved")).to_contain_text("Not saved here: choose first")
    page.locator("[data-section=self_coping]").get_by_role("button", name="Put it below mine").click()
    for key in ("warning_signs", "created_with_patient"):
        page.locator(f"[data-section={key}]").get_by_role("button", name="Take this one").click()
    expect(coping.nth(1)).to_have_value(other)
    expect(page.get_by_label("Made together with the person")).to_be_checked()
    page.route("**/safety-plan/edit/", lambda route: route.abort())
    page.get_by_role("button", name="Save draft").last.click()
    expect(page.locator("#saved")).to_contain_text("Not saved: no connection", timeout=SLOW)
    expect(page.locator(".sp-both")).to_have_count(1)
    page.unroute("**/safety-plan/edit/")
    visitor.complaints.clear()
    page.get_by_role("button", name="Save draft").last.click()
    expect(page.locator("#saved")).to_contain_text("Saved", timeout=SLOW)
    expect(page.locator(".sp-both")).to_have_count(0)
    makers.scope_all()
    draft = SafetyPlan.objects.get(status="draft")
    assert draft.created_with_patient
    kept = makers.opened(draft, "draft")
    assert kept["self_coping"] == [["From this phone", ""], [other, ""]]
    assert kept["warning_signs"] == [["From the other desk", ""]]
    visitor.open(where)
    page.get_by_text("Kept beside this plan: 2 earlier or parallel texts").click()
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    page.locator(".sp-beside a").filter(has_text=people.bob.full_name).click()
    expect(page.get_by_text("This is no version.")).to_be_visible()
    assert (visitor.axe(), visitor.overflow()) == ([], 0)


def test_finish_pressed_again_while_its_answer_is_slow_is_pressed_once(visit: Visit, people: Cast) -> None:
    visitor = visit(width=1440, scheme="light")
    page = visitor.sign_in(people.alice)
    visitor.open(f"/people/{people.patient.pk}/safety-plan/edit/")
    page.locator("[data-block=self_coping] textarea").first.fill("Walk to the canal")
    expect(page.locator("#saved")).to_contain_text("Saved", timeout=SLOW)
    held: list[Route] = []
    sent: list[str] = []

    def slow(route: Route) -> None:
        finishes = route.request.is_navigation_request()
        sent.append("finish" if finishes else "save")
        if finishes and not held:
            held.append(route)
        else:
            route.continue_()

    page.route("**/safety-plan/edit/", slow)
    page.evaluate(PRESSED)  # by the page: Playwright waits for the one that the first press asked for
    while not held:
        page.wait_for_timeout(20)
    page.wait_for_timeout(2000)
    asked = list(sent)
    held[0].continue_()
    assert asked == ["save", "finish"]
    expect(page.get_by_role("heading", level=2, name="Safety plan", exact=True)).to_be_visible(timeout=SLOW)
    makers.scope_all()
    assert SafetyPlan.objects.get().in_force


def test_a_refusal_is_no_conflict_and_the_page_says_that_nothing_is_kept(visit: Visit, people: Cast) -> None:
    visitor = visit(width=1440, scheme="light")
    page = visitor.sign_in(people.alice)
    visitor.open(f"/people/{people.patient.pk}/safety-plan/edit/")
    CareTeamMember.objects.filter(patient=people.patient).delete()
    break_glass(
        actor=makers.staff(people.alice), asked=people.patient.anonymous_id, reason_code="care_continuity",
        reason="The team's telephone rings out.",
    )  # fmt: skip
    makers.scope_all()
    page.locator("[data-block=self_coping] textarea").first.press_sequentially("Walk")
    expect(page.locator("#saved")).to_contain_text("Not saved: Break-glass opens", timeout=SLOW)
    expect(page.locator("#both")).to_be_empty()
    with page.expect_response("**/safety-plan/edit/", timeout=SLOW):
        assert page.evaluate(LEAVES), "leaving warns"
    makers.scope_all()
    assert not SafetyPlan.objects.exists()
    page.wait_for_timeout(200)
    visitor.complaints.clear()  # the 409s


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
