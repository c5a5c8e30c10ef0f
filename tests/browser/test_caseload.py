"""A long caseload in a browser: its second part comes and moves nothing that somebody looks at."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import Route, expect

from clinical.caseload.showing import LINES
from patients.care.models import CareTeamMember
from tests import makers
from tests.browser.test_board import Visit
from tests.browser.test_chart import MOST_SHIFT, ROWS, SHIFT
from tests.cast import Cast

REST = "**/caseload/rest/**"
# Where each line stands on the page and how large it is, to a hundredth of a pixel.
PLACES = """() => Object.fromEntries([...document.querySelectorAll('.cl-row')].map((one) => {
  const box = one.getBoundingClientRect();
  return [one.dataset.case, [box.left, box.top + scrollY, box.width, box.height].map((n) => n.toFixed(2))];
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
    # On a busy machine the fonts come late: with sixty lines above, their swap would count for what it isn't.
    page.evaluate("document.fonts.ready.then(() => true)")
    page.locator(".cl-rest").scroll_into_view_if_needed()
    stands, scrolled = page.evaluate(PLACES), page.evaluate("scrollY")
    held[0].continue_()
    expect(page.locator(ROWS)).to_have_count(LINES + 10)
    after = page.evaluate(PLACES)
    assert {key: after[key] for key in stands} == stands
    assert page.evaluate("scrollY") == scrolled
    assert page.evaluate(SHIFT) <= MOST_SHIFT
    assert {box[0] for box in after.values()} == {stands[next(iter(stands))][0]}, "one column, wherever from"
    assert visitor.overflow() == 0
