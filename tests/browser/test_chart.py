"""From the caseload to a chart and its timeline by keyboard; what changes meanwhile moves nothing."""

from __future__ import annotations

import gzip
import re
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Response, expect

from clinical.assessments.actions import finish_assessment
from clinical.notes.actions import begin_note
from clinical.plans.actions import sign_plan
from clinical.scheduling.actions import book_appointment
from clinical.timeline.models import FindingReview, TimelinePin
from patients.sessions.models import Session
from patients.sessions.observations import DailyCheckIn
from tests import makers
from tests.browser.conftest import Visitor
from tests.browser.test_board import Visit
from tests.browser.test_sessions import heard
from tests.cast import Cast
from tests.unit.documents.test_documents import bring
from tests.unit.notes.test_notes import signed
from tests.unit.safetyplans.plans import finish
from tests.walk.plans import begin

ROWS = ".cl-row"
# What a page may weigh, packed, with its script, style, font and icons; and how far it may shift.
HEAVIEST, MOST_SHIFT = 250_000, 0.05
SHIFT = """new Promise((done) => { let sum = 0;
  const add = (one) => { if (!one.hadRecentInput) sum += one.value; };
  new PerformanceObserver((list) => list.getEntries().forEach(add))
    .observe({ type: 'layout-shift', buffered: true });
  setTimeout(() => done(sum), 300); })"""
# The lower edge of the last line of each answer; what is folded is no line, nor is the offer of a table.
LAST_LINES = """() => Object.fromEntries(['rb', 'ch', 'ag', 'du', 'wk'].map((name) => {
  const card = document.querySelector(`[aria-labelledby="${name}"]`);
  const lines = [...card.querySelectorAll('h2, p, li, .pc-more > summary, svg[role="img"]')];
  const shown = lines.filter((one) => one.checkVisibility());
  return [name, Math.max(...shown.map((one) => one.getBoundingClientRect().bottom))]; }))"""


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
    visitor.tab_to(row.get_by_role("button", name="Reviewed"))
    page.keyboard.press("Enter")
    expect(row.get_by_role("button", name="Undo")).to_be_focused()
    page.keyboard.press("Enter")
    expect(row.get_by_role("button", name="Reviewed")).to_be_focused()

    # An alert elsewhere: told in the tray and in the line, and nothing moves until N.
    makers.make_alert(people.patient, "high", reason_code="H11")
    expect(page.locator("#news")).to_have_attribute("data-s", "new", timeout=20_000)
    expect(page.locator("[data-news-words]")).to_contain_text(
        "Zawadi Planted: Speaks of suicide. An alert is open, high."
    )
    expect(page.locator('[data-view="need"] .count')).to_have_text("2")
    assert tops(page) == before
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    page.keyboard.press("n")
    expect(page.locator(".cl-first")).to_contain_text("Speaks of suicide. An alert is open, high.")
    expect(page.locator(ROWS).first).to_contain_text("Zawadi Planted")

    # The chart: five answers to their last lines within one screen, the banner stays.
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Zawadi Planted")
    for name in ("What is new", "Agreed", "Due", "Is treatment working"):
        expect(page.get_by_role("heading", name=name, exact=True)).to_be_in_viewport()
    assert below_the_fold(page) == {}
    expect(page.get_by_role("img", name="Mood, level and measures over time")).to_be_visible()
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    page.mouse.wheel(0, 2_000)
    expect(page.locator(".pt-lines")).to_be_in_viewport()
    expect(page.get_by_role("heading", level=1)).to_be_in_viewport()

    # Somebody else is found from here, by keyboard, and G leads where the list of keys says.
    page.keyboard.press("/")
    expect(page.get_by_label("Name, pseudonym or telephone")).to_be_focused()
    assert visitor.axe() == []
    page.keyboard.type("Second")
    page.keyboard.press("Enter")
    expect(page.locator(ROWS)).to_have_count(1)
    expect(page.locator(ROWS)).to_contain_text("Second")
    page.go_back()
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(keys).to_contain_text("Go to Caseload")
    expect(keys).to_contain_text("Go to My cases")
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Zawadi Planted")

    # The timeline: a filter, a finding judged, a pin, each reached by Tab.
    visitor.tab_to(page.get_by_role("link", name="Say if it is right"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("checkbox", name="Levels and signals")).to_be_checked()
    entry = page.locator(".te").first
    visitor.tab_to(entry.locator("summary"))
    page.keyboard.press("Enter")
    visitor.tab_to(entry.get_by_role("textbox"))
    page.keyboard.type("Fits what I heard.")
    visitor.tab_to(entry.get_by_role("button", name="Accept"))
    page.keyboard.press("Enter")
    expect(entry).to_contain_text("Accepted by Alice Achieng")
    expect(entry).to_be_focused()
    visitor.tab_to(entry.get_by_role("button", name="Pin"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Pinned")).to_be_visible()
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    makers.scope_all()
    assert FindingReview.objects.get().verdict == "accepted"
    assert TimelinePin.objects.count() == 1


def test_a_chart_is_read_and_its_sections_are_opened_by_keys_in_a_theme_that_stays(
    visit: Visit, people: Cast
) -> None:
    fill(people)
    visitor = visit(width=1440, scheme="light")
    page = visitor.sign_in(people.alice)
    visitor.open(f"/charts/{people.patient.pk}/")

    # A drawn chart: the newest day first, Home the oldest; said, shown, and its table by T.
    drawn = visitor.tab_to(page.get_by_role("group", name=re.compile("Mood, level and measures over time")))
    shown, said = drawn.locator(".cx-tip"), page.locator("#say-polite")
    page.keyboard.press("ArrowLeft")
    expect(shown).to_contain_text("Level: low")
    newest = shown.inner_text().split("\n")[0]
    page.keyboard.press("ArrowLeft")
    expect(said).to_contain_text("Mood: ")
    page.keyboard.press("Home")
    oldest = shown.inner_text().split("\n")[0]
    expect(said).to_contain_text(oldest)
    assert oldest != newest
    table = page.get_by_role("region", name="Mood, level and measures by day")
    expect(table).to_be_hidden()
    page.keyboard.press("t")
    expect(table).to_be_visible()
    assert table.locator("tbody tr").first.inner_text().startswith(newest)
    assert table.locator("tbody tr").last.inner_text().startswith(oldest)
    assert visitor.axe() == []
    page.keyboard.press("Escape")
    expect(shown).to_be_hidden()

    # The theme is switched by its own button, and is there on the next page.
    visitor.tab_to(page.get_by_role("button", name="Switch to dark theme"))
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert visitor.axe() == []
    page.wait_for_load_state("networkidle")
    page.keyboard.press("4")
    expect(page).to_have_url(re.compile(r"/measures/$"))
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert (visitor.axe(), visitor.overflow()) == ([], 0)

    # Where digits answer a questionnaire, none of them opens a section.
    visitor.tab_to(page.get_by_role("link", name="Ask PHQ-9"))
    page.keyboard.press("Enter")
    visitor.tab_to(page.get_by_role("button", name="Begin"))
    page.keyboard.press("Enter")
    page.wait_for_load_state("networkidle")
    expect(page.locator('[data-item="q1"] input').first).to_be_focused()
    page.keyboard.press("2")
    expect(page.locator('[data-item="q1"] input[value="2"]')).to_be_checked()
    expect(page.locator("#saved")).to_have_text("1 saved")


def lived_in(people: Cast) -> dict[str, str]:
    """Fill a chart as it is after some weeks, and return the pages about it with a word of each."""
    alice, who, at = makers.staff(people.alice), people.patient, makers.now()
    fill(people)
    makers.scope_all()
    Session.objects.create(
        organization=people.home, patient=who, kind="therapy", status="completed", channel="in_person",
        started_at=at - timedelta(days=12), received_at=at, duration_seconds=3000,
    )  # fmt: skip
    makers.add_to_team(who, people.bob, role="psychiatrist", starts_at=at - timedelta(days=9))
    begin(alice, who.pk, "Low since the spring.")
    sign_plan(actor=alice, patient_id=who.pk, patient_agreed=True)
    makers.scope_all()
    finish(people)
    signed(people, "progress", people.bob, risk_statement="No thoughts of dying.")
    note = begin_note(actor=alice, patient_id=who.pk, note_type="soap")
    makers.scope_all()
    bring(people)
    book_appointment(actor=alice, patient_id=who.pk, starts=[at + timedelta(days=3)], minutes=50)
    makers.scope_all()
    heard_session = heard(people)
    makers.make_alert(who, "high", reason_code="H11")
    chart = f"/charts/{who.pk}/"
    return {
        "/caseload/": "Caseload", chart: "Zawadi", f"{chart}timeline/": "Zawadi",
        f"{chart}measures/": "Zawadi", f"{chart}plan/": "Zawadi", f"{chart}documents/": "Zawadi",
        f"{chart}sessions/{heard_session.pk}/": "Zawadi", f"{chart}notes/": "Zawadi",
        f"{chart}notes/{note.pk}/edit/": "Zawadi", "/notes/search/": "", "/calendar/": "", "/billing/": "",
    }  # fmt: skip


def below_the_fold(page: Any) -> dict[str, float]:
    """Where the last line of each of the five answers ends, of those that end below the first 900 px."""
    found: dict[str, float] = page.evaluate(LAST_LINES)
    assert list(found) == ["rb", "ch", "ag", "du", "wk"]
    return {name: place for name, place in found.items() if place > 900}


def test_a_chart_that_is_lived_in_answers_five_questions_on_its_first_screen(
    visit: Visit, people: Cast
) -> None:
    lived_in(people)
    visitor = visit(width=1440, scheme="light")
    page = visitor.sign_in(people.alice)
    visitor.open(f"/charts/{people.patient.pk}/")
    for region, told in {
        "An alert is open, high": "Nobody has it yet", "Since the last session": "more",
        "Agreed": "Next session", "Due": "Sign your note", "Is treatment working": "PHQ-9",
    }.items():  # fmt: skip
        expect(page.get_by_role("region", name=region).first).to_contain_text(told)
    assert below_the_fold(page) == {}
    assert (visitor.axe(), visitor.overflow()) == ([], 0)


@pytest.mark.parametrize("part", [0, 1])
def test_the_pages_hold_weigh_little_and_do_not_shift(visit: Visit, people: Cast, part: int) -> None:
    pages = lived_in(people)
    visitor = visit()
    page = visitor.sign_in(people.alice)
    for path in list(pages)[part::2]:
        page.set_viewport_size({"width": 1440, "height": 900})
        weight = weigh(visitor, path)
        expect(page.get_by_role("heading", level=1)).to_contain_text(pages[path])
        assert weight <= HEAVIEST, (path, weight)
        assert page.evaluate(SHIFT) <= MOST_SHIFT, path
        assert visitor.faults_of_both() == {}, path
    if part:
        return
    phone = visit(width=390, scheme="dark")
    page = phone.sign_in(people.alice)
    phone.open(f"/charts/{people.patient.pk}/")
    banner = page.locator(".pt")
    expect(banner.get_by_text("Never asked: Sharing with the care team")).to_be_visible()
    expect(banner.get_by_role("link", name="Safety plan, reviewed")).to_be_visible()
    expect(banner.get_by_text("Alice Achieng")).to_be_visible()
    assert (phone.axe(), phone.overflow()) == ([], 0)


def weigh(visitor: Visitor, path: str) -> int:
    """Open a page with an empty cache; return its packed bytes with all that it loads."""
    visitor.page.goto("about:blank")  # what the page before still asks for weighs nothing here
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
