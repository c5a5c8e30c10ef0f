"""From the caseload to a chart and its timeline by keyboard; what changes meanwhile moves nothing."""

from __future__ import annotations

import gzip
import re
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Response, expect

from clinical.assessments.actions import finish_assessment
from clinical.timeline.models import FindingReview, TimelinePin
from patients.sessions.observations import DailyCheckIn
from tests import makers
from tests.browser.conftest import Visitor
from tests.browser.test_board import Visit
from tests.cast import Cast

ROWS = ".cl-row"
# What a page may weigh, packed, with its script, style, font and icons; and how far it may shift.
HEAVIEST, MOST_SHIFT = 250_000, 0.05
SHIFT = """new Promise((done) => { let sum = 0;
  const add = (one) => { if (!one.hadRecentInput) sum += one.value; };
  new PerformanceObserver((list) => list.getEntries().forEach(add))
    .observe({ type: 'layout-shift', buffered: true });
  setTimeout(() => done(sum), 300); })"""


def fill(people: Cast) -> None:
    """A month of moods, two questionnaires, and somebody else on the caseload."""
    at = makers.now()
    for value, days in ((2, 30), (1, 2)):
        answers: dict[str, int | None] = {f"q{number}": value for number in range(1, 9)} | {"q9": 0}
        finish_assessment(
            actor=makers.staff(people.alice), patient_id=people.patient.pk, key="phq9", answers=answers,
            administered_at=at - timedelta(days=days),
        )  # fmt: skip
    makers.scope_all()
    DailyCheckIn.objects.bulk_create(
        DailyCheckIn(
            organization=people.home, patient=people.patient, date=(at - timedelta(days=day)).date(),
            mood=3 + day % 5, sleep_quality=5, submitted_at=at, received_at=at,
        )
        for day in range(1, 60) if day % 9
    )  # fmt: skip
    makers.make_patient(people.home, team=[people.alice], given_name="Second")


def tops(page: Any) -> list[float]:
    script = f"[...document.querySelectorAll('{ROWS}')].map((row) => row.getBoundingClientRect().y)"
    found: list[float] = page.evaluate(script)
    return found


def test_a_therapist_finds_whom_to_see_ticks_off_reads_and_judges_by_keyboard(
    visit: Visit, people: Cast
) -> None:
    fill(people)
    visitor = visit(width=1440, scheme="light")
    page = visitor.sign_in(people.alice)
    visitor.open("/caseload/")
    expect(page.locator(ROWS)).to_have_count(2)
    expect(page.locator("#news")).to_have_attribute("data-s", "live")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_contain_text("Tick off as reviewed")
    page.keyboard.press("Escape")

    # Tick off and take it back: the line stays where it is, and so does the focus.
    before = tops(page)
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("r")
    row = page.locator(ROWS).nth(1)
    expect(row.get_by_role("button", name="Undo")).to_be_visible()
    assert tops(page) == before
    page.keyboard.press("u")
    expect(row.get_by_role("button", name="Reviewed")).to_be_visible()
    expect(row.locator(".q-name")).to_be_focused()

    # An alert elsewhere: told in the tray and in the line, and nothing moves until N.
    makers.make_alert(people.patient, "high", reason_code="H11")
    expect(page.locator("#news")).to_have_attribute("data-s", "new", timeout=20_000)
    expect(page.locator("[data-news-words]")).to_contain_text("Zawadi Planted: An alert is open, high.")
    expect(page.locator('[data-view="need"] .count')).to_have_text("2")
    assert tops(page) == before
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    page.keyboard.press("n")
    expect(page.locator(".cl-first")).to_contain_text("Speaks of suicide. An alert is open, high.")
    expect(page.locator(ROWS).first).to_contain_text("Zawadi Planted")

    # The chart: five answers within one screen, the banner stays.
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Zawadi Planted")
    for name in ("What is new", "Agreed", "Due", "Is treatment working"):
        place = page.get_by_role("heading", name=name, exact=True).bounding_box()
        assert place is not None and place["y"] < 900, name
    expect(page.get_by_role("img", name="Mood, level and measures over time")).to_be_visible()
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    page.mouse.wheel(0, 2_000)
    expect(page.locator(".pt-lines")).to_be_in_viewport()
    expect(page.get_by_role("heading", level=1)).to_be_in_viewport()

    # The timeline: a filter, a finding judged, a pin.
    page.get_by_role("link", name="Say if it is right").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("checkbox", name="Levels and signals")).to_be_checked()
    entry = page.locator(".te").first
    entry.locator("summary").focus()
    page.keyboard.press("Enter")
    entry.get_by_role("textbox").fill("Fits what I heard.")
    entry.get_by_role("button", name="Accept").press("Enter")
    expect(page.locator(".te").first).to_contain_text("Accepted by Alice Achieng")
    page.locator(".te").first.get_by_role("button", name="Pin").press("Enter")
    expect(page.get_by_role("heading", name="Pinned")).to_be_visible()
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    makers.scope_all()
    assert FindingReview.objects.get().verdict == "accepted"
    assert TimelinePin.objects.count() == 1


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1440, "light")])
def test_the_pages_hold_weigh_little_and_do_not_shift(
    visit: Visit, people: Cast, width: int, scheme: str
) -> None:
    fill(people)
    makers.make_alert(people.patient, "high", reason_code="H11")
    visitor = visit(width=width, scheme=scheme)
    page = visitor.sign_in(people.alice)
    where = f"/charts/{people.patient.pk}/"
    for path, heading in (("/caseload/", "Caseload"), (where, "Zawadi"), (f"{where}timeline/", "Zawadi")):
        weight = weigh(visitor, path)
        expect(page.get_by_role("heading", level=1)).to_contain_text(re.compile(heading))
        assert weight <= HEAVIEST, (path, weight)
        assert page.evaluate(SHIFT) <= MOST_SHIFT, path
        assert (visitor.axe(), visitor.overflow()) == ([], 0), path


def weigh(visitor: Visitor, path: str) -> int:
    """Open a page with an empty cache and return how many bytes it is with all that it loads, packed."""
    session = visitor.context.new_cdp_session(visitor.page)
    session.send("Network.clearBrowserCache")
    found: list[Response] = []

    def note(answer: Response) -> None:
        found.append(answer)

    visitor.page.on("response", note)
    visitor.open(path)
    visitor.page.wait_for_load_state("load")
    visitor.page.wait_for_timeout(300)
    visitor.page.remove_listener("response", note)
    packed = [
        one.body() if one.url.endswith(".woff2") else gzip.compress(one.body()) for one in found if one.ok
    ]
    return sum(len(one) for one in packed)
