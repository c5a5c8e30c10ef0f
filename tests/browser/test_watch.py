"""Away from the board, and under the cover, a critical alert is counted and heard; nobody is named."""

from __future__ import annotations

import json
import re
import time
from datetime import timedelta

from django.contrib.auth.hashers import make_password
from playwright.sync_api import Page, WebSocketRoute, expect

from cortex.accounts.sessions.models import SessionState
from crisis.alerts.actions import raise_alert
from crisis.alerts.models import RiskAlert
from crisis.duty.actions import end_shift
from crisis.escalation.models import AttemptState
from crisis.ownership.actions import claim_alert, release_alert
from tests import makers
from tests.browser.test_board import Visit, raise_for
from tests.browser.test_other_alerts import confirmed, state_of
from tests.cast import Cast

COUNT_TONES = """(() => {
    window.tones = 0;
    const start = OscillatorNode.prototype.start;
    OscillatorNode.prototype.start = function (at) { window.tones += 1; start.call(this, at); };
})()"""


ONE_TONE = 2_000  # ms within which several reasons are one tone


def sounded(page: Page) -> None:
    """Wait for a tone since the last one that was waited for; a polling script would need `eval`."""
    deadline = time.monotonic() + 20
    while not page.evaluate("window.tones"):
        assert time.monotonic() < deadline, "no tone"
        time.sleep(0.05)
    page.evaluate("window.tones = 0")


def told_of(page: Page, alert: RiskAlert, waiting: int = 1) -> None:
    """Check that the page counts what waits, sounds, and names nobody."""
    words = "A critical alert is waiting." if waiting == 1 else f"{waiting} critical alerts are waiting."
    expect(page.locator("#waiting")).to_contain_text(words)
    expect(page).to_have_title(re.compile(rf"^\({waiting} waiting\)"))
    assert str(alert.patient and alert.patient.anonymous_id) not in page.content()
    sounded(page)


def test_each_page_of_the_desk_tells_of_a_new_critical_alert(visit: Visit, people: Cast) -> None:
    people.on_duty()
    visitor = visit(width=390)
    visitor.context.add_init_script(COUNT_TONES)
    page = visitor.sign_in(people.cleo)
    page.get_by_role("link", name="Follow-ups").last.click()
    expect(page.locator("[data-live]")).to_have_attribute("data-s", "live")
    expect(page.locator("#waiting")).to_be_hidden()
    page.mouse.click(200, 100)
    raise_for(people, "high")
    alert = raise_for(people)
    told_of(page, alert)
    expect(page.locator("#say-now")).to_have_text("A critical alert is waiting.")
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    assert state_of(alert, people) == AttemptState.PENDING, "a count confirms nothing"
    page.get_by_role("link", name="My cases").click()
    expect(page.locator("#waiting")).to_contain_text("A critical alert is waiting.")
    claim_alert(actor=makers.staff(people.sam), alert_id=alert.pk)
    expect(page.locator("#waiting")).to_be_hidden()
    raise_for(people)
    expect(page.locator("#waiting")).to_be_visible()
    end_shift(actor=makers.staff(people.cleo))
    expect(page.locator("#waiting")).to_be_hidden()


def test_an_alert_sounds_on_its_own_page_and_is_confirmed_only_while_it_is_shown(
    visit: Visit, people: Cast
) -> None:
    people.on_duty()
    people.cleo.pin_hash = make_password("482915")
    people.cleo.save()
    alert = raise_for(people, "high")
    visitor = visit()
    visitor.context.add_init_script(COUNT_TONES)
    page = visitor.sign_in(people.cleo)
    page.goto(f"{visitor.origin}/alerts/{alert.pk}/")
    expect(page.locator("[data-live]")).to_have_attribute("data-s", "live")
    confirmed(alert, people)
    page.evaluate("document.getElementById('cover').dataset.idle = '0'")
    expect(page.get_by_role("dialog", name="Covered")).to_be_visible()
    page.evaluate("document.getElementById('cover').dataset.idle = '900'")
    page.get_by_label("PIN").click()
    raise_alert(
        actor=makers.machine(people.home), organization_id=people.home.pk, patient_id=alert.patient_id,
        kind="self_harm", reason_code="H1", level="critical",
    )  # fmt: skip
    expect(page.locator("#waiting")).to_contain_text("A critical alert is waiting.")
    sounded(page)
    assert state_of(alert, people) == AttemptState.PENDING, "the cover shows nothing of it"
    page.get_by_label("PIN").fill("482915")
    page.keyboard.press("Enter")
    confirmed(alert, people)
    expect(page.locator("#waiting")).to_contain_text("the one on this page")
    cleo = makers.staff(people.cleo)
    claim_alert(actor=cleo, alert_id=alert.pk)
    expect(page.locator("#waiting")).to_be_hidden()
    page.wait_for_timeout(ONE_TONE)
    release_alert(actor=cleo, alert_id=alert.pk, reason="Nobody logged anything.")
    expect(page.locator("#waiting")).to_be_visible()
    sounded(page)
    page.reload()
    expect(page).to_have_title(re.compile(r"^\(1 waiting\)"))


def test_a_covered_board_that_is_loaded_anew_still_counts_and_sounds(visit: Visit, people: Cast) -> None:
    people.on_duty()
    people.cleo.pin_hash = make_password("482915")
    people.cleo.save()
    visitor = visit()
    visitor.context.add_init_script(COUNT_TONES)
    page = visitor.sign_in(people.cleo)
    expect(page.get_by_role("heading", level=1)).to_have_text("Live triage")
    idle = makers.now() - timedelta(minutes=20)
    SessionState.objects.filter(user=people.cleo).update(last_input_at=idle)
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Covered")
    page.get_by_label("PIN").click()
    alert = raise_for(people)
    told_of(page, alert)
    page.wait_for_timeout(ONE_TONE)
    raise_for(people)
    told_of(page, alert, waiting=2)
    assert visitor.axe() == []
    page.get_by_label("PIN").fill("482915")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Live triage")


def test_a_page_that_fell_behind_under_the_cover_hears_what_comes_next(visit: Visit, people: Cast) -> None:
    people.on_duty()
    visitor = visit()
    visitor.context.add_init_script(COUNT_TONES)
    page = visitor.sign_in(people.cleo)
    sockets: list[WebSocketRoute] = []
    page.route_web_socket("**/ws/live/", lambda one: sockets.append(one) or one.connect_to_server())
    page.get_by_role("link", name="Follow-ups").last.click()
    expect(page.locator("[data-live]")).to_have_attribute("data-s", "live")
    page.mouse.click(200, 100)
    SessionState.objects.filter(user=people.cleo).update(locked_at=makers.now())
    missed = raise_for(people)
    told_of(page, missed)
    claim_alert(actor=makers.staff(people.sam), alert_id=missed.pk)
    with page.expect_response("**/board/watch/") as asked:
        sockets[-1].send(json.dumps({"type": "reload", "topic": f"board:{people.home.pk}"}))
    assert asked.value.status == 200
    expect(page.locator("#waiting")).to_be_hidden()
    page.wait_for_timeout(ONE_TONE)
    told_of(page, raise_for(people))


def test_of_several_pages_of_the_desk_one_sounds_for_all(visit: Visit, people: Cast) -> None:
    people.on_duty()
    visitor = visit()
    visitor.context.add_init_script(COUNT_TONES)
    board = visitor.sign_in(people.cleo)
    pages = [board, visitor.context.new_page(), visitor.context.new_page()]
    pages[1].goto(f"{visitor.origin}/followups/")
    pages[2].goto(f"{visitor.origin}/cases/")
    for page in pages:
        expect(page.locator("[data-live]")).to_have_attribute("data-s", "live")
        page.mouse.click(200, 100)
        expect(page.locator("body")).not_to_have_class(re.compile(r"\bsilent\b"))
    raise_for(people)
    for page in pages:
        expect(page).to_have_title(re.compile(r"^\(1 "))
    deadline = time.monotonic() + 20
    while not any(page.evaluate("window.tones") for page in pages):
        assert time.monotonic() < deadline, "no tone"
        pages[0].wait_for_timeout(50)
    pages[0].wait_for_timeout(1_000)  # a second one would come meanwhile
    assert sorted(page.evaluate("window.tones") for page in pages) == [0, 0, 2], "one tone is two sounds"
