"""A long caseload in a browser: its second part comes and moves nothing that somebody looks at."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import Route, expect

from clinical.caseload.showing import LINES
from patients.care.models import CareTeamMember
from tests import makers
from tests.browser.test_board import Visit
from tests.browser.test_chart import ROWS
from tests.cast import Cast

REST = "**/caseload/rest/**"
# Where each line and each part above them stands on the page and how large it is, to a hundredth of a pixel.
# The foot of the page is not among them: it is pushed down by the lines that come.
STEADY = ".cl-row, .filters, .cl-head, h1"
PLACES = """(steady) => Object.fromEntries([...document.querySelectorAll(steady)].map((one) => {
  const box = one.getBoundingClientRect();
  const place = [box.left, box.top + scrollY, box.width, box.height].map((n) => n.toFixed(2));
  return [one.dataset.case ?? one.textContent, place];
}))"""


@pytest.mark.parametrize("width", [1440, 390])
def test_the_lines_that_come_behind_move_none_of_those_before(visit: Visit, people: Cast, width: int) -> None:
    """Held up until the first lines are drawn; who is at their end stays there."""
    for _ in range(LINES + 9):
        makers.make_patient(people.home, team=[people.alice])
    CareTeamMember.objects.update(starts_at=makers.now() - timedelta(days=20))
    visitor = visit(width=width)
    page = visitor.sign_in(people.alice)
    held: list[Route] = []
    page.route(REST, lambda route: held.append(route))
    with page.expect_request(REST):
        visitor.open("/caseload/")
    expect(page.locator(ROWS)).to_have_count(LINES)
    expect(page.locator(".cl-rest")).to_contain_text("10 more people")
    page.evaluate("document.fonts.ready.then(() => true)")
    page.locator(".cl-rest").scroll_into_view_if_needed()
    stands, scrolled = page.evaluate(PLACES, STEADY), page.evaluate("scrollY")
    held[0].continue_()
    expect(page.locator(ROWS)).to_have_count(LINES + 10)
    after = page.evaluate(PLACES, STEADY)
    assert {key: after[key] for key in stands} == stands
    assert page.evaluate("scrollY") == scrolled
    columns = page.locator(ROWS).evaluate_all(
        "(all) => [...new Set(all.map((one) => one.getBoundingClientRect().left))]"
    )
    assert len(columns) == 1, "one column, wherever from"
    assert visitor.overflow() == 0
