"""A therapist's morning in a browser: whom to look at, a chart, and a measure by keyboard."""

from __future__ import annotations

import re
from datetime import timedelta

from playwright.sync_api import expect

from clinical.assessments.actions import finish_assessment
from clinical.assessments.models import Assessment, AssessmentDraft
from tests import makers
from tests.browser.test_board import Visit
from tests.cast import Cast
from tests.unit.assessments.test_results import install_screener


def answers(value: int) -> dict[str, int | None]:
    return {f"q{number}": value for number in range(1, 9)} | {"q9": 0}


def take(people: Cast, value: int, days: int) -> None:
    finish_assessment(
        actor=makers.staff(people.alice), patient_id=people.patient.pk, key="phq9", answers=answers(value),
        administered_at=makers.now() - timedelta(days=days),
    )  # fmt: skip


def test_a_phq9_by_keyboard_with_item_9_opens_an_alert_that_the_caseload_shows_first(
    visit: Visit, people: Cast
) -> None:
    people.on_duty()
    take(people, 1, 30)
    visitor = visit(width=1440, scheme="light")
    page = visitor.sign_in(people.alice)
    visitor.open("/caseload/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Caseload")
    expect(page.locator(".cl-row")).to_have_count(1)
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Zawadi Planted")
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    page.keyboard.press("4")
    visitor.tab_to(page.get_by_role("link", name="Ask PHQ-9"))
    page.keyboard.press("Enter")
    visitor.tab_to(page.get_by_role("button", name="Begin"))
    page.keyboard.press("Enter")
    expect(page.locator('[data-item="q1"] input').first).to_be_focused()
    for _ in range(8):
        page.keyboard.press("2")
    page.keyboard.press("3")
    expect(page.locator("#saved")).to_have_text("9 saved")
    page.reload()
    expect(page.locator('[data-item="q9"] input[value="3"]')).to_be_checked()
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    visitor.tab_to(page.get_by_role("button", name="Finish"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("PHQ-9: 19, moderately severe")
    expect(page.locator("#main").get_by_role("status").filter(has_text="An alert is open")).to_contain_text(
        "nobody has it"
    )
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    visitor.open("/caseload/")
    expect(page.locator(".cl-row").first).to_contain_text("An alert is open, high.")
    assert not AssessmentDraft.objects.exists()


def test_the_pages_hold_on_a_phone_in_the_dark(visit: Visit, people: Cast) -> None:
    take(people, 2, 30)
    take(people, 1, 10)
    visitor = visit(width=390, scheme="dark")
    page = visitor.sign_in(people.alice)
    where = f"/charts/{people.patient.pk}/"
    for path, heading in (
        ("/caseload/", "Caseload"), (where, "Zawadi"), (f"{where}measures/", "Zawadi"),
        (f"{where}measures/gad7/", "GAD-7"),
    ):  # fmt: skip
        visitor.open(path)
        expect(page.get_by_role("heading", level=1)).to_contain_text(re.compile(heading))
        assert (visitor.axe(), visitor.overflow()) == ([], 0), path


def test_an_answer_that_is_not_saved_says_so_and_stays_on_the_page(visit: Visit, people: Cast) -> None:
    visitor = visit(width=1440, scheme="light")
    page = visitor.sign_in(people.alice)
    visitor.open(f"/charts/{people.patient.pk}/measures/gad7/")
    page.get_by_role("button", name="Begin").click()
    # A route that is laid while the browser is on its way to a page may not hold there.
    expect(page.locator("#saved")).to_be_attached()
    page.wait_for_load_state("networkidle")
    page.route("**/answer/", lambda route: route.abort())
    page.locator('[data-item="q1"] label').nth(2).click()
    expect(page.locator("#saved")).to_contain_text("Not saved. The answers stay on this page")
    page.unroute("**/answer/")
    visitor.complaints.clear()  # Chromium's own word about the request that was cut off
    page.locator('[data-item="q2"] label').nth(1).click()
    expect(page.locator("#saved")).to_have_text("1 saved")
    for number in range(3, 8):
        page.locator(f'[data-item="q{number}"] label').first.click()
    page.get_by_role("button", name="Finish").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("GAD-7: 3, minimal")


def test_a_screener_shows_what_is_asked_after_the_answers_given_and_keeps_nothing_else(
    visit: Visit, people: Cast
) -> None:
    install_screener(people)
    visitor = visit(width=1440, scheme="light")
    page = visitor.sign_in(people.alice)
    visitor.open(f"/charts/{people.patient.pk}/measures/cssrs/")
    page.get_by_role("button", name="Begin").click()
    questions = page.locator("fieldset[data-item]:visible")
    expect(questions).to_have_count(3)
    assert (visitor.axe(), visitor.overflow()) == ([], 0)

    def answer(item: str, yes: bool, saved: int, asked: int) -> None:
        page.locator(f'[data-item="{item}"] label').nth(int(yes)).click()
        expect(page.locator("#saved")).to_have_text(f"{saved} saved")
        expect(questions).to_have_count(asked)

    answer("q1", True, 1, 3)
    answer("q2", True, 2, 6)
    answer("q3", True, 3, 6)
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    answer("q2", False, 2, 3)
    page.reload()
    expect(questions).to_have_count(3)
    answer("q2", True, 2, 6)
    expect(page.locator('[data-item="q3"] input:checked')).to_have_count(0)
    page.locator('[data-item="q2"] input').first.focus()
    page.keyboard.press("0")
    expect(page.locator('[data-item="q6_lifetime"] input').first).to_be_focused()
    page.keyboard.press("0")
    expect(page.locator("#saved")).to_have_text("3 saved")
    page.get_by_role("button", name="Finish").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("C-SSRS screener")
    makers.scope_all()
    assert {key: value for key, value in Assessment.objects.get().items.items() if value is not None} == {
        "q1": 1, "q2": 0, "q6_lifetime": 0,
    }  # fmt: skip
