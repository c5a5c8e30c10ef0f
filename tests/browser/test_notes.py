"""A note in a browser: written, cut off and recovered, signed out and back, two devices, signed, added to."""

from __future__ import annotations

import pytest
from playwright.sync_api import Route, expect

from clinical.notes.actions import save_block, save_draft
from clinical.notes.models import Note, NoteVersion
from cortex.ids import uuid7
from tests import makers
from tests.browser.test_board import Visit
from tests.cast import Cast

SLOW = 20_000  # ms; a save that gets no answer is given up after 15 s
STORED = "() => JSON.stringify([{...localStorage}, {...sessionStorage}])"


def test_a_note_survives_a_lost_connection_and_a_dead_session_and_is_signed_and_added_to(
    visit: Visit, people: Cast
) -> None:
    visitor = visit(width=1440, scheme="light")
    page = visitor.sign_in(people.alice)
    visitor.open(f"/charts/{people.patient.pk}/notes/")
    page.get_by_label("Type", exact=True).select_option("progress")
    page.get_by_role("button", name="Begin").click()
    field = page.get_by_label("What happened")
    field.fill("She came on time.")
    expect(page.locator("#saved")).to_contain_text("Saved", timeout=SLOW)
    assert (visitor.axe(), visitor.overflow()) == ([], 0)

    page.route("**/save/", lambda route: route.abort())
    field.press_sequentially(" And spoke of her brother.")
    expect(page.locator("#saved")).to_contain_text("Not saved: no connection", timeout=SLOW)
    assert "brother" not in page.evaluate(STORED)
    page.unroute("**/save/")
    visitor.complaints.clear()  # Chromium's own word about the requests that were cut off
    expect(page.locator("#saved")).to_have_attribute("data-s", "", timeout=SLOW)

    visitor.context.clear_cookies()
    field.press_sequentially(" Once more.")
    expect(page.get_by_role("dialog", name="You are signed out")).to_be_visible(timeout=SLOW)
    assert visitor.axe() == []
    assert field.input_value().endswith("Once more.")
    visitor.sign_in_beside(people.alice)
    expect(page.get_by_role("dialog", name="You are signed out")).to_be_hidden(timeout=SLOW)
    visitor.complaints.clear()
    expect(page.locator("#saved")).to_have_attribute("data-s", "", timeout=SLOW)
    page.get_by_role("button", name="Read and sign").click()
    expect(page.get_by_text("Give the date of the next contact.")).to_be_visible(timeout=SLOW)
    assert (visitor.axe(), visitor.overflow()) == ([], 0)

    page.get_by_role("link", name="Give the date of the next contact.").click()
    page.get_by_label("Next contact on").fill("2099-01-02")
    page.get_by_role("button", name="Read and sign").click()
    expect(page.get_by_text("She came on time. And spoke of her brother. Once more.")).to_be_visible(
        timeout=SLOW
    )
    page.get_by_role("button", name="Sign", exact=True).click()
    expect(page.get_by_role("heading", name="Addenda")).to_be_visible(timeout=SLOW)
    page.get_by_label("Addendum").fill("The brother rang.")
    page.get_by_role("button", name="Add and sign").click()
    expect(page.locator(".nt-add")).to_contain_text("The brother rang.", timeout=SLOW)
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    row = Note.objects.get()
    assert row.signed_at is not None and row.addenda.get().signed_at is not None


def test_two_devices_show_both_texts_and_a_closed_tab_loses_nothing(visit: Visit, people: Cast) -> None:
    visitor = visit(width=390, scheme="dark")
    page = visitor.sign_in(people.alice)
    page.on("dialog", lambda dialog: dialog.accept())
    where = f"/charts/{people.patient.pk}/notes/"
    visitor.open(where)
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    page.get_by_label("Type", exact=True).select_option("session_note")
    page.get_by_role("button", name="Begin").click()
    field = page.get_by_label("Session", exact=True)
    note = Note.objects.get()
    save_draft(
        actor=makers.staff(people.alice), patient_id=people.patient.pk, note_id=note.pk, version=1,
        spell=uuid7(), number=1, sections={"free_text": "From <img src=x onerror=alert(1)> the phone"},
    )  # fmt: skip
    field.fill("From the laptop")
    expect(page.get_by_role("heading", name="saved elsewhere meanwhile")).to_be_focused(timeout=SLOW)
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    visitor.complaints.clear()  # the 409
    page.get_by_role("button", name="Put it below mine").click()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#saved")).to_contain_text("Saved", timeout=SLOW)
    expect(page.locator(".nt-both")).to_have_count(0, timeout=SLOW)
    assert {row.kind for row in NoteVersion.objects.all()} == {"conflict", "spell"}
    field.fill("The last words before the tab closes")
    visitor.open(where)  # at once: no autosave had its time
    page.locator(".nt-row a").first.click()
    expect(page.get_by_label("Session", exact=True)).to_have_value(
        "The last words before the tab closes", timeout=SLOW
    )
    own = f"{where}{note.pk}/"
    for path in ("/notes/", "/notes/search/", "/notes/texts/", own, f"{own}versions/", f"{own}print/"):
        visitor.open(path)
        assert (visitor.axe(), visitor.overflow()) == ([], 0), path


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (0, "", "no connection"),
        (422, '{"message": "It is too long."}', "It is too long."),
        (409, "<div><svg></svg><p data-conflict-line>You read here alone.</p></div>", "You read here alone."),
    ],
)
def test_what_is_not_kept_says_why_and_no_key_sends_it_at_once(
    status: int, body: str, why: str, visit: Visit, people: Cast
) -> None:
    visitor = visit(width=1440, scheme="light")
    page = visitor.sign_in(people.alice)
    visitor.open(f"/charts/{people.patient.pk}/notes/")
    page.get_by_label("Type", exact=True).select_option("session_note")
    page.get_by_role("button", name="Begin").click()
    field = page.get_by_label("Session", exact=True)
    expect(field).to_be_visible(timeout=SLOW)
    sent: list[Route] = []

    def refuse(route: Route) -> None:
        sent.append(route)
        if status:
            route.fulfill(status=status, body=body)
        else:
            route.abort()

    page.route("**/save/", refuse)
    field.press_sequentially("Not kept")
    expect(page.locator("#saved")).to_contain_text(f"Not saved: {why}", timeout=SLOW)
    page.wait_for_timeout(5500)  # longer than a first word waits
    sent.clear()
    field.press_sequentially(" and more", delay=60)
    assert len(sent) <= 1
    page.unroute("**/save/")
    visitor.complaints.clear()
    expect(page.locator("#saved")).to_contain_text("Saved", timeout=SLOW)
    makers.scope_all()
    assert makers.opened(Note.objects.get(), "free_text") == "Not kept and more"


def test_words_typed_before_the_script_has_come_are_kept_too(visit: Visit, people: Cast) -> None:
    visitor = visit(width=1440, scheme="light")
    page = visitor.sign_in(people.alice)
    visitor.open(f"/charts/{people.patient.pk}/notes/")
    page.get_by_label("Type", exact=True).select_option("session_note")
    held: list[Route] = []
    page.route("**/writing*.js", lambda route: held.append(route))
    page.get_by_role("button", name="Begin").click(no_wait_after=True)
    page.get_by_label("Session", exact=True).fill("Typed at once")
    while not held:
        page.wait_for_timeout(20)
    held[0].continue_()
    expect(page.locator("#saved")).to_have_attribute("data-s", "", timeout=SLOW)
    expect(page.locator("#saved")).to_contain_text("Saved", timeout=SLOW)
    makers.scope_all()
    assert makers.opened(Note.objects.get(), "free_text") == "Typed at once"


def test_what_is_inserted_never_goes_into_what_somebody_says_or_thinks(visit: Visit, people: Cast) -> None:
    phrase = "Knows the crisis line."
    save_block(actor=makers.staff(people.alice), title="Safety net", note_type="", sections={"text": phrase})
    visitor = visit(width=1440, scheme="light")
    page = visitor.sign_in(people.alice)
    visitor.open(f"/charts/{people.patient.pk}/notes/")
    page.get_by_label("Type", exact=True).select_option("soap")
    page.get_by_role("button", name="Begin").click()
    insert, objective = page.get_by_label("Insert", exact=True), page.get_by_label("Objective", exact=True)
    for name in ("Subjective", "Assessment", "Risk statement"):
        page.get_by_label(name, exact=True).click(timeout=SLOW)
        insert.select_option("Safety net")
        expect(page.get_by_label(name, exact=True)).to_have_value("")
        expect(objective).to_be_focused()
        expect(page.locator("#say-polite")).to_have_text("Inserted into Objective.")
    expect(objective).to_have_value("\n".join([phrase] * 3))
    plan = page.get_by_label("Plan", exact=True)
    plan.fill("A walk. ")
    insert.select_option("Safety net")
    expect(plan).to_have_value(f"A walk. {phrase}")
    insert.select_option("Mental state, headings")
    expect(objective).to_be_focused()
    found = objective.input_value()
    assert found.startswith("\n".join([*[phrase] * 3, "Appearance: ", "Behaviour: ", "Speech: "]))
    assert found.endswith("Cognition: \nInsight and judgement: \n")
    assert (visitor.axe(), visitor.overflow()) == ([], 0)


def test_undo_takes_back_exactly_what_was_inserted(visit: Visit, people: Cast) -> None:
    phrase, actor = "Knows the crisis line.", makers.staff(people.alice)
    save_block(actor=actor, title="Safety net", note_type="", sections={"text": phrase})
    save_block(actor=actor, title="First", note_type="soap", sections={"plan": "Homework:"})
    save_block(actor=actor, title="Other", note_type="crisis", sections={"plan": "Who comes:"})
    visitor = visit(width=1440, scheme="light")
    page = visitor.sign_in(people.alice)
    visitor.open(f"/charts/{people.patient.pk}/notes/")
    page.get_by_label("Type", exact=True).select_option("soap")
    page.get_by_role("button", name="Begin").click()
    insert, objective = page.get_by_label("Insert", exact=True), page.get_by_label("Objective", exact=True)
    subjective, plan = page.get_by_label("Subjective", exact=True), page.get_by_label("Plan", exact=True)
    subjective.click(timeout=SLOW)
    page.keyboard.type("The nights are long.")
    insert.select_option("Safety net")
    expect(objective).to_be_focused()
    page.keyboard.press("Control+z")
    expect(objective).to_have_value("")
    expect(subjective).to_have_value("The nights are long.")

    objective.click()
    page.keyboard.type("In remission.")
    insert.select_option("Mental state, headings")
    assert objective.input_value().startswith("In remission.\nAppearance: \nBehaviour: ")
    page.keyboard.press("Control+z")
    expect(objective).to_have_value("In remission.")
    insert.select_option("First, template for Plan")
    expect(plan).to_have_value("Homework:")
    expect(insert).not_to_contain_text("Other")
    expect(page.locator("#saved")).to_contain_text("Saved", timeout=SLOW)
    makers.scope_all()
    page.wait_for_function("() => document.querySelector('[name=number]').value > 0")
    assert (visitor.axe(), visitor.overflow()) == ([], 0)


def test_a_day_that_can_t_be_read_keeps_the_words_and_the_page_goes_on(visit: Visit, people: Cast) -> None:
    visitor = visit(width=390, scheme="dark")
    page = visitor.sign_in(people.alice)
    visitor.open(f"/charts/{people.patient.pk}/notes/")
    page.get_by_label("Type", exact=True).select_option("session_note")
    page.get_by_role("button", name="Begin").click()
    page.get_by_label("Contact was at").fill("9999-12-31T23:30")
    page.get_by_label("Session", exact=True).fill("He slept.")
    expect(page.locator("#saved")).to_contain_text("Your words are saved.", timeout=SLOW)
    assert Note.objects.get().version == 2
    visitor.complaints.clear()  # the 422
    assert visitor.faults_of_both() == {}
    page.get_by_label("Contact was at").fill("2026-11-01T10:00")
    page.get_by_role("button", name="Read and sign").click()
    expect(page.get_by_text("He slept.")).to_be_visible(timeout=SLOW)
    assert Note.objects.get().occurred_at.year == 2026
