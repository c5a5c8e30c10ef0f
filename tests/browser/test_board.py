"""The board in real browsers: news that moves nothing, one winner per claim, a connection lost and back."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from cortex.accounts.models import User
from crisis.alerts.actions import raise_alert
from crisis.alerts.models import AlertEvent, RiskAlert
from crisis.ownership.actions import claim_alert
from tests import makers
from tests.browser.conftest import Server, Visitor
from tests.cast import Cast

Visit = Callable[..., Visitor]
ROWS = "#queue .q"


def raise_for(people: Cast, level: str = "critical", **fields: Any) -> RiskAlert:
    """An alert about a new person, as the engine raises it."""
    patient = makers.make_patient(people.home)
    values = {"kind": "self_harm", "reason_code": "H1"} | fields
    actor = makers.machine(people.home)
    return raise_alert(
        actor=actor, organization_id=people.home.pk, patient_id=patient.pk, level=level, **values
    )


def board_of(visit: Visit, people: Cast, **options: Any) -> tuple[Visitor, Page]:
    """Cleo, on duty, with the board live in front of her."""
    visitor = visit(**options)
    page = visitor.sign_in(people.cleo)
    expect(page.get_by_role("heading", level=1)).to_have_text("Live triage")
    expect(page.locator("[data-live]")).to_have_attribute("data-s", "live")
    return visitor, page


def tops(page: Page) -> list[float]:
    """Where each row stands."""
    # In one go: a row that is replaced between finding and measuring would stand nowhere.
    script = f"[...document.querySelectorAll('{ROWS}')].map((row) => row.getBoundingClientRect().y)"
    found: list[float] = page.evaluate(script)
    return found


def test_a_new_alert_is_held_in_the_tray_and_moves_nothing(visit: Visit, people: Cast) -> None:
    people.on_duty()
    raise_for(people, "high")
    _, page = board_of(visit, people)
    before = tops(page)
    page.wait_for_timeout(700)
    assert page.locator("#say-polite").text_content() == "", "a bar that is not shown says nothing"
    alert = raise_for(people)
    expect(page.locator("#tray")).to_have_attribute("data-s", "new")
    expect(page.locator("#say-now")).to_contain_text("New, critical")
    assert page.title().startswith("(1 new)")
    assert tops(page) == before
    expect(page.locator('[data-tile="waiting"] b')).to_have_text("2")
    page.keyboard.press("n")
    expect(page.locator(ROWS)).to_have_count(2)
    assert page.get_attribute(f"{ROWS} >> nth=0", "data-id") == str(alert.pk), "the most urgent is first"
    expect(page.locator("#tray")).to_have_attribute("data-s", "calm")


@pytest.mark.parametrize("width", [390, 768])
def test_a_long_reason_in_the_tray_pushes_nothing_off_a_small_screen(
    width: int, visit: Visit, people: Cast
) -> None:
    people.on_duty()
    raise_for(people, "high")
    visitor, page = board_of(visit, people, width=width)
    before = tops(page)
    raise_for(people)
    expect(page.get_by_role("button", name="Claim critical")).to_be_in_viewport(ratio=1)
    assert visitor.overflow() == 0
    assert tops(page) == before


def test_a_row_that_somebody_else_claims_stays_greyed_until_the_next_show(visit: Visit, people: Cast) -> None:
    people.on_duty()
    alert, other = raise_for(people), raise_for(people, "high")
    _, page = board_of(visit, people)
    before = tops(page)
    claim_alert(actor=makers.staff(people.sam), alert_id=alert.pk)
    row = page.locator(f"#q-{alert.pk}")
    expect(row).to_contain_text(people.sam.full_name)
    expect(row).to_have_class(re.compile(r"\btaken\b"))
    assert tops(page) == before
    page.keyboard.press("n")
    expect(page.locator("#progress .q")).to_have_count(1)
    expect(page.locator(ROWS)).to_have_attribute("data-id", str(other.pk))


def test_two_counselors_claim_at_once_and_one_learns_who_has_it(visit: Visit, people: Cast) -> None:
    people.on_duty()
    people.on_duty(people.bob)
    alert = raise_for(people)
    first, second = deaf_board(visit, people.cleo), deaf_board(visit, people.bob)
    held: list[Route] = []
    for page in (first, second):
        page.route("**/claim/", lambda route: held.append(route))
        page.locator(f"#q-{alert.pk} [data-act=claim]").click()
    while len(held) < 2:  # both have decided; neither request has left its browser yet
        first.wait_for_timeout(20)
        second.wait_for_timeout(20)
    for route in held:
        route.continue_()
    winner, loser = settled(alert, people, first, second)
    answer = f"#q-{alert.pk} .q-act"
    expect(winner.locator(answer)).to_have_text("Open")  # it is theirs: the way to its page
    name = people.cleo.full_name if winner is first else people.bob.full_name
    expect(loser.locator(answer)).to_contain_text(re.compile(rf"Claimed by {name} \d+ s ago"))
    claims = AlertEvent.objects.filter(alert=alert, kind="claimed")
    assert claims.count() == 1


def deaf_board(visit: Visit, user: User) -> Page:
    """A board that hears of nothing, so that only the answer to its own claim can tell it anything."""
    visitor = visit()
    visitor.page.route_web_socket("**/ws/live/", lambda socket: None)
    visitor.sign_in(user)
    return visitor.open("/board/")


def settled(alert: RiskAlert, people: Cast, first: Page, second: Page) -> tuple[Page, Page]:
    """Wait until the alert has an owner; return the winner's page and the loser's."""
    while alert.assigned_to_id is None:
        first.wait_for_timeout(20)
        alert.refresh_from_db()
    return (first, second) if alert.assigned_to_id == people.cleo.pk else (second, first)


def test_the_keyboard_moves_opens_claims_and_hides(visit: Visit, people: Cast) -> None:
    people.on_duty()
    raise_for(people)
    alert = raise_for(people, "high")
    _, page = board_of(visit, people)
    page.keyboard.press("j")
    expect(page.locator(f"#q-{alert.pk}")).to_have_attribute("aria-current", "true")
    expect(page.locator("#preview")).to_have_attribute("data-id", str(alert.pk))
    page.keyboard.press("p")
    assert "privacy" in str(page.get_attribute("body", "class"))
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("c")  # a dialog is open: the key does nothing
    page.keyboard.press("Escape")
    page.keyboard.press("c")
    page.wait_for_url(f"**/alerts/{alert.pk}/")
    alert.refresh_from_db()
    assert alert.assigned_to_id == people.cleo.pk


def test_a_lost_connection_is_said_and_the_return_brings_what_was_missed(
    visit: Visit, people: Cast, server: Server
) -> None:
    people.on_duty()
    raise_for(people, "high")
    visitor, page = board_of(visit, people)
    before = tops(page)
    server.stop()
    expect(page.locator("#tray")).to_have_attribute("data-s", "off")
    expect(page.locator("#tray")).to_contain_text("Live connection lost")
    assert tops(page) == before
    missed = raise_for(people)
    server.start()
    expect(page.locator("#tray")).to_have_attribute("data-s", "new", timeout=20_000)
    page.keyboard.press("n")
    expect(page.locator(f"#q-{missed.pk}")).to_have_count(1)
    visitor.complaints.clear()  # a server that is gone is told by the browser, too


def test_privacy_mode_goes_with_the_person_from_page_to_page_on_a_phone(visit: Visit, people: Cast) -> None:
    people.on_duty()
    alert = raise_for(people)
    claim_alert(actor=makers.staff(people.cleo), alert_id=alert.pk)
    visitor, page = board_of(visit, people, width=390)
    name = page.locator(".q .pii")
    toggle = page.get_by_role("button", name="Privacy mode")
    expect(name).to_have_css("filter", "none")
    with page.expect_response("**/me/privacy"):
        toggle.click()
    expect(name).to_have_css("filter", "blur(5px)")
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    expect(page.locator(".rail").get_by_role("link", name="Crisis lines")).to_be_in_viewport()
    page.get_by_role("link", name="My cases").last.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("My cases")
    expect(name).to_have_css("filter", "blur(5px)")
    expect(toggle).to_have_attribute("aria-pressed", "true")
    assert visitor.overflow() == 0
    with page.expect_response("**/me/privacy"):
        toggle.click()
    page.reload()
    expect(name).to_have_css("filter", "none")


def test_a_claim_that_does_not_get_through_is_said_with_the_number_of_the_desk(
    visit: Visit, people: Cast
) -> None:
    people.home.settings = {"desk_phone": "+254 700 100 100"}
    people.home.save()
    people.on_duty()
    alert = raise_for(people)
    visitor, page = board_of(visit, people, width=390)
    failures: list[Callable[[Route], None]] = [
        lambda route: route.abort("internetdisconnected"),
        lambda route: route.fulfill(status=503),
    ]
    page.route("**/claim/", lambda route: failures.pop(0)(route) if failures else route.continue_())
    button, note = page.locator(f"#q-{alert.pk} [data-act=claim]"), page.locator("#not-claimed")
    for words in ("The server did not answer.", "The server could not do it."):
        button.click()
        expect(note).to_contain_text(f"{words} Nobody has it: look at the row and try again, or ring")
        expect(note.get_by_role("link")).to_have_attribute("href", "tel:+254700100100")
        expect(page.locator("#say-now")).to_have_text("Not claimed. Try again.")
    assert visitor.overflow() == 0
    visitor.complaints.clear()  # the browser's own line about each
    button.click()
    expect(note).to_be_hidden()
    expect(page.locator(f"#q-{alert.pk} .q-act")).not_to_contain_text("Not claimed")
    alert.refresh_from_db()
    assert alert.assigned_to_id == people.cleo.pk


def test_a_claim_whose_answer_is_lost_is_asked_after_before_anything_is_said_of_it(
    visit: Visit, people: Cast
) -> None:
    people.on_duty()
    taken, unclear = raise_for(people), raise_for(people, "high")
    visitor = visit()
    visitor.context.add_init_script("window.WebSocket = class { close() {} };")  # no row tells it
    page = visitor.sign_in(people.cleo)
    routes: list[Route] = []
    page.route("**/claim/", lambda route: routes.append(route))
    row, note = page.locator(f"#q-{taken.pk}"), page.locator("#not-claimed")
    row.locator("[data-act=claim]").click()
    while not routes:
        page.wait_for_timeout(20)
    claim_alert(actor=makers.staff(people.cleo), alert_id=taken.pk)  # the request has got through
    routes.pop().abort("timedout")
    expect(row.get_by_role("link", name="Open")).to_be_visible()
    expect(page.locator("#say-polite")).to_have_text("Claimed by you.")
    expect(note).to_be_hidden()
    page.route("**/panel/", lambda route: route.abort("timedout"))
    page.locator(f"#q-{unclear.pk} [data-act=claim]").click()
    while not routes:
        page.wait_for_timeout(20)
    routes.pop().abort("timedout")
    expect(note).to_contain_text("We don't know whether it was claimed: look at the row and try again")
    visitor.complaints.clear()  # the browser's own line about each lost answer


def test_what_a_row_says_of_a_claim_without_an_answer_ends_the_warning(visit: Visit, people: Cast) -> None:
    people.on_duty()
    alert = raise_for(people)
    visitor, page = board_of(visit, people)
    page.route("**/claim/", lambda route: route.abort("timedout"))
    row, note = page.locator(f"#q-{alert.pk}"), page.locator("#not-claimed")
    row.locator("[data-act=claim]").click()
    expect(note).to_contain_text("Nobody has it")
    claim_alert(actor=makers.staff(people.cleo), alert_id=alert.pk)  # the request was only late
    expect(note).to_be_hidden()
    expect(row).to_contain_text("You")
    visitor.complaints.clear()


def test_reading_and_claiming_work_without_javascript(visit: Visit, people: Cast) -> None:
    people.on_duty()
    alert = raise_for(people)
    page = visit(scripts=False).sign_in(people.cleo)
    expect(page.locator(ROWS)).to_have_count(1)
    page.get_by_role("button", name="Claim").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("CX-")
    alert.refresh_from_db()
    assert alert.assigned_to_id == people.cleo.pk
    page.get_by_role("link", name="Resolve").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Resolve")
