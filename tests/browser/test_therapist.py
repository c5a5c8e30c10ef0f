"""A therapist's morning in a browser: whom to look at, a chart, and a measure by keyboard."""

from __future__ import annotations

import re
from datetime import timedelta

from playwright.sync_api import expect

from clinical.assessments.actions import finish_assessment
from clinical.assessments.models import AssessmentDraft
from tests import makers
from tests.browser.test_board import Visit
from tests.cast import Cast


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
    visitor.tab_to(page.locator('[data-item="q1"] input').first)
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
    expect(page.get_by_role("status").filter(has_text="An alert is open")).to_contain_text("nobody has it")
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
