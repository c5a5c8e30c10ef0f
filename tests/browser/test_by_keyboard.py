"""A therapist's whole day without a mouse: a session and its note, a plan, a chart opened by break-glass."""

from __future__ import annotations

import re
from datetime import timedelta

from playwright.sync_api import Locator, Page, expect

from clinical.notes.models import Note
from clinical.plans.actions import begin_plan
from clinical.plans.reviews.models import PlanReview
from clinical.sessions.models import SessionRun
from cortex.ui.zone import zone_of
from patients.breakglass.models import BreakGlassGrant
from tests import makers
from tests.browser.hands import Hands
from tests.browser.test_board import Visit
from tests.cast import Cast
from tests.walk.notes import write
from tests.walk.plans import begin

SLOW = 20_000  # ms


def give_password(hands: Hands, what: str) -> None:
    """Type the password once more: its field has the focus by itself."""
    page = hands.page
    expect(page.get_by_role("heading", level=1)).to_have_text("Confirm it is you")
    expect(page.get_by_text(what, exact=True)).to_be_visible()
    hands.is_on(page.get_by_label("Password", exact=True))
    hands.type(makers.PASSWORD)
    hands.press("Enter")


def refused(hands: Hands, words: str) -> Locator:
    """Hold that a form came back, its summary with the focus, and return the link to what is missing."""
    summary = hands.page.locator("[data-error-summary]")
    expect(summary).to_contain_text(words)
    hands.is_on(summary)
    return summary.get_by_role("link")


def opens_and_closes(hands: Hands) -> None:
    """Open all that opens over a page, and close it by Escape: the focus is where it was."""
    page = hands.page
    button = hands.tab_to(page.get_by_role("button", name="Keyboard shortcuts"), back=True)
    hands.press("Enter")
    listed = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(listed).to_contain_text("Assess risk")
    hands.is_on(listed.get_by_role("button", name="Close"))
    hands.press("Escape")
    expect(listed).to_be_hidden()
    hands.is_on(button)
    hands.press("/")
    hands.is_on(page.get_by_label("Name, pseudonym or telephone"))
    hands.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    hands.is_on(button)
    menu = hands.tab_to(page.locator("summary.userbtn"))
    hands.press("Enter")
    hands.tab_to(page.get_by_role("link", name="Account and sessions"), most=1)
    hands.press("Escape")
    expect(page.get_by_role("link", name="Account and sessions")).to_be_hidden()
    hands.is_on(menu)


def test_a_session_is_run_and_its_note_written_signed_and_added_to_without_a_mouse(
    visit: Visit, people: Cast
) -> None:
    people.on_duty()
    visitor = visit(width=1440, scheme="light")
    page = visitor.sign_in(people.alice, makers.now() - timedelta(minutes=10))
    hands = Hands(visitor)
    run_a_session(hands, page)
    write_its_note(hands, page)
    makers.scope_all()
    row = Note.objects.get()
    assert row.signed_at is not None and row.addenda.get().signed_at is not None


def run_a_session(hands: Hands, page: Page) -> None:
    """From the caseload to a session that has ended, and to its note."""
    expect(page.get_by_role("heading", level=1)).to_have_text("Caseload")
    page.wait_for_load_state()
    hands.press("j", "Enter")
    hands.arrive("Zawadi Planted")
    opens_and_closes(hands)
    hands.press("3")
    expect(page.get_by_role("heading", name="Start a therapy session")).to_be_visible()
    hands.arrive()
    hands.choose("Where", "Video")
    hands.press_button("Start")

    hands.arrive("Session under way", 2)
    hands.choose("What", "Behavioural activation")
    hands.write("Words", "A walk is planned.")
    hands.press("Control+Enter")
    expect(page.locator(".ss-entry")).to_contain_text("Behavioural activation")
    words = page.get_by_label("Words", exact=True)
    hands.is_on(words)
    hands.type("r")  # a letter, and no shortcut
    expect(words).to_have_value("r")
    hands.press("Backspace", "Tab", "r")

    hands.arrive("Risk assessment")
    hands.choose("Has a plan", "Yes")
    hands.press_button("Set the level")
    missing = refused(hands, "Level")
    hands.tab_to(missing, most=1)
    hands.press("Enter")
    hands.is_on(page.get_by_role("radio").first)
    high = page.get_by_role("radio", name="High")
    for _ in range(4):
        if not high.is_checked():
            hands.press("ArrowDown")
    hands.is_on(high)
    expect(high).to_be_checked()
    hands.press_button("Set the level")

    hands.arrive("Session under way", 2)
    expect(
        page.locator("#main").get_by_role("status").filter(has_text="An alert is open, high")
    ).to_be_visible()
    expect(page.locator(".ss-entry")).to_have_count(2)
    hands.press_button("End it")
    expect(page.get_by_role("heading", name="Next")).to_be_visible()
    hands.arrive()
    makers.scope_all()
    assert SessionRun.objects.get().ended_at is not None
    hands.press_button("Write the note")


def write_its_note(hands: Hands, page: Page) -> None:
    """From the note of a session, which says when and how it was, to its addendum."""
    hands.arrive("SOAP", 2)
    objective, saved = page.get_by_label("Objective", exact=True), page.locator("#saved")
    expect(objective).to_have_value(re.compile(r"^Therapy, .* to \d\d:\d\d.*, video\.$"))
    prefilled = objective.input_value()
    hands.write("Subjective", "The nights are long.")
    expect(saved).to_have_attribute("data-s", "", timeout=SLOW)  # what it said before came with the page
    expect(saved).to_contain_text("Saved", timeout=SLOW)
    makers.scope_all()
    assert makers.opened(Note.objects.get(), "subjective") == "The nights are long."
    hands.write("Assessment", "She sleeps too little.")
    hands.write("Risk statement", "Has a plan, and agreed to call.")
    hands.write("Plan", "A walk each day.")
    hands.write("Next contact on", "01022099")

    # Whoever goes through a list by keys passes by its choices: none of them acts before Enter.
    hands.choose("Insert", "Mental state, headings")
    expect(objective).to_have_value(prefilled)
    hands.press("Enter")
    hands.is_on(objective)
    expect(objective).to_have_value(re.compile("Insight and judgement"))
    hands.press("Control+z")
    expect(objective).to_have_value(prefilled)
    hands.press_button("Read and sign")

    read = page.get_by_role("article")
    hands.is_on(read)
    expect(read).to_contain_text("The nights are long.")
    page.wait_for_load_state()
    hands.press_button("Sign")
    give_password(hands, "Sign the note")
    hands.arrive("SOAP", 2)
    hands.press_button("Add and sign")
    expect(saved).to_contain_text("Write what is to be added.")
    hands.is_on(page.get_by_label("Addendum", exact=True))
    hands.type("The brother rang.")
    expect(saved).to_contain_text("to be signed", timeout=SLOW)
    hands.press_button("Add and sign")
    expect(page.locator(".nt-add")).to_contain_text("The brother rang.", timeout=SLOW)
    hands.is_on(page.locator("#addendum"))


def test_a_plan_gets_a_goal_progress_and_a_review_without_a_mouse(visit: Visit, people: Cast) -> None:
    today = makers.now().astimezone(zone_of(people.home.default_timezone)).date()
    begin_plan(
        actor=makers.staff(people.alice), patient_id=people.patient.pk, presenting_problem="Low.",
        start=today, target_end=today + timedelta(days=90),
    )  # fmt: skip
    visitor = visit(width=1440, scheme="light")
    page = visitor.sign_in(people.alice)
    hands = Hands(visitor)
    expect(page.get_by_role("heading", level=1)).to_have_text("Caseload")
    page.wait_for_load_state()
    hands.press("j", "Enter")
    hands.arrive("Zawadi Planted")
    hands.follow("Plan", back=True)

    hands.arrive("Treatment plan", 2)
    hands.follow("Add a goal")
    hands.arrive("Add a goal")
    hands.write("What exactly", "Walk to the market.")
    hands.choose("Measured by", "How often")
    hands.write("What is counted", "Walks")
    hands.write("Target", "2")
    hands.write("Why it can be reached", "A neighbour goes along.")
    hands.tab_to(page.get_by_role("checkbox", name="Sleep"))
    hands.press("Space")
    hands.press_button("Add the goal")
    hands.tab_to(refused(hands, "In how many days"), most=1)
    hands.press("Enter")
    hands.is_on(page.get_by_label("In how many days"))
    hands.type("7")
    hands.press("Enter")

    hands.arrive("Treatment plan", 2)
    hands.follow("Sign the plan")
    hands.arrive("Sign the plan")
    hands.tab_to(page.get_by_role("checkbox", name=re.compile("agrees to it")))
    hands.press("Space")
    hands.press_button("Sign")

    hands.arrive("Treatment plan", 2)
    expect(page.get_by_role("region", name="Treatment plan")).to_contain_text("Active")
    hands.tab_to(page.get_by_role("link", name="Write down progress"))
    hands.press("Enter")
    hands.arrive("progress")
    value = hands.tab_to(page.get_by_label("How many times"))
    hands.press("Control+a")
    hands.type("1")
    expect(value).to_have_value("1")
    hands.press("Enter")

    hands.arrive("Treatment plan", 2)
    expect(page.get_by_role("region", name="Goals")).to_contain_text("50 % of the way")
    hands.follow("Review now")
    hands.arrive("Review the plan")
    hands.write("How the person sees it", "It helps.")
    hands.tab_to(page.get_by_role("radio").first)
    hands.press("Space")
    expect(page.get_by_role("radio", name="Go on as planned")).to_be_checked()
    hands.press_button("Save the review")
    hands.arrive("Treatment plan", 2)
    expect(page.get_by_role("region", name="Reviews")).to_contain_text("Go on as planned")
    assert PlanReview.objects.get().decision == "continue"


def test_a_chart_is_opened_by_break_glass_read_and_ended_without_a_mouse(visit: Visit, people: Cast) -> None:
    visitor = visit(width=1440, scheme="light")
    page = visitor.sign_in(people.bob, makers.now() - timedelta(minutes=10))
    hands = Hands(visitor)
    expect(page.get_by_role("heading", level=1)).to_have_text("Caseload")
    page.wait_for_load_state()
    hands.follow("In and out")
    hands.arrive("In and out")
    hands.follow("Break-glass")
    give_password(hands, "Open a chart by break-glass")

    hands.arrive("Open a chart by break-glass")
    hands.write("Whose chart", people.patient.anonymous_id)
    hands.press("Enter")
    hands.tab_to(refused(hands, "Choose the reason.").first, most=1)
    hands.press("Enter")
    reason = page.get_by_label("Somebody is in imminent danger")
    hands.is_on(reason)
    hands.press("Space")
    expect(reason).to_be_checked()
    hands.write("In your words", "Her brother rang: she is at the bridge.")
    hands.choose("For how long", "8 hours")
    hands.press_button("Open the chart")

    hands.arrive("Zawadi Planted")
    strip = page.get_by_role("region", name="Break-glass")
    expect(strip).to_contain_text("Open by break-glass until")
    makers.scope_all()
    grant = BreakGlassGrant.objects.get().grant
    assert grant.ends_at - grant.starts_at == timedelta(hours=8)
    hands.press("4")
    expect(page.get_by_label("Chart sections").get_by_role("link", name="Measures")).to_have_attribute(
        "aria-current", "page"
    )
    hands.arrive("Zawadi Planted")
    hands.press_button("End now")
    hands.arrive("In and out")
    grant.refresh_from_db()
    assert grant.ends_at <= makers.now()
    page.go_back()
    expect(page.get_by_role("heading", level=1)).not_to_contain_text("Zawadi")
    visitor.complaints.clear()  # Chromium's own word about the 404


def test_no_stop_of_the_focus_is_below_what_stays_in_sight_and_a_filter_keeps_it(
    visit: Visit, people: Cast
) -> None:
    alice = makers.staff(people.alice)
    begin(alice, people.patient.pk, "Low since the spring.")
    note = write(alice, people.patient.pk, "soap").note
    chart = f"/charts/{people.patient.pk}/"
    for width in (1440, 390):
        visitor = visit(width=width, scheme="light")
        hands = Hands(visitor)
        visitor.sign_in(people.alice)
        for path in (chart, f"{chart}plan/", f"{chart}notes/{note.pk}/edit/"):
            visitor.open(path)
            visitor.page.wait_for_load_state()
            there = hands.walk()
            assert there == hands.walk(back=True), path

    page = visitor.page
    visitor.open("/caseload/")
    page.wait_for_load_state()
    level = hands.tab_to(page.get_by_label("Level", exact=True))
    for chosen in ("high", "medium"):
        hands.press("ArrowDown")
        expect(page).to_have_url(re.compile(f"level={chosen}[^#]*$"))
        hands.is_on(level)
        expect(level).to_have_value(chosen)

    visitor.open(f"{chart}timeline/")
    page.wait_for_load_state()
    asked: list[str] = []
    page.on("request", lambda one: "until=" in one.url and asked.append(one.url))
    until = hands.tab_to(page.get_by_label("Up to"))
    for figure in "01022099":
        hands.type(figure)
        hands.is_on(until)
    hands.press("Enter")
    expect(page).to_have_url(re.compile("until=2099-01-02$"))
    hands.is_on(until)
    assert len(asked) == 1  # a day is asked for when it is whole
    pinned = hands.tab_to(page.get_by_role("checkbox", name="Pinned"), back=True)
    hands.press("Space")
    expect(page).to_have_url(re.compile("pinned=1"))
    hands.is_on(pinned)
