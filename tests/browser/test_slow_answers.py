"""Answers that are late or never come: what is shown is of no other alert, and news is asked for again."""

from __future__ import annotations

import json

from playwright.sync_api import Route, WebSocketRoute, expect

from crisis.duty.actions import end_shift
from crisis.ownership.actions import claim_alert
from tests import makers
from tests.browser.test_board import Visit, board_of, raise_for
from tests.browser.test_chart import ROWS
from tests.browser.test_other_alerts import on_page
from tests.cast import Cast
from tests.unit.crisis.test_labels import factor


def test_a_panel_that_does_not_come_says_so_and_no_other_alert_is_escalated_in_its_place(
    visit: Visit, people: Cast
) -> None:
    people.on_duty()
    first, second = raise_for(people), raise_for(people, "high")
    visitor, page = board_of(visit, people, width=1000)
    page.route(f"**/alerts/{first.pk}/panel/", lambda route: route.fulfill(status=500, body="away"))
    page.keyboard.press("j")
    page.keyboard.press("e")
    expect(page.locator("#preview")).to_contain_text("The details did not load.")
    page.keyboard.press("j")
    expect(page.locator(f"#q-{second.pk}")).to_have_attribute("aria-current", "true")
    expect(page.locator("#preview")).to_have_attribute("data-id", str(second.pk))
    page.wait_for_timeout(200)
    assert page.url.endswith("/board/") or "/escalate/" not in page.url
    expect(page.get_by_role("heading", level=1)).to_have_text("Live triage")
    visitor.complaints.clear()  # the browser's own line about the status


def test_a_source_that_is_slow_or_fails_shows_no_words_of_another(visit: Visit, people: Cast) -> None:
    people.on_duty()
    told, other = (makers.make_message(people.patient, words) for words in ("I sold the goat", "No sleep"))
    facts = {"factors": [factor("TEXT_B", source=one.pk) for one in (told, other)], "rules_fired": ["H11"]}
    alert = makers.make_alert(people.patient, facts=facts)
    claim_alert(actor=makers.staff(people.cleo), alert_id=alert.pk)
    visitor, page = on_page(visit, people, alert)
    held: list[Route] = []
    page.route(f"**/source/{other.pk}/", lambda route: held.append(route))
    dialog = page.get_by_role("dialog", name="Source message")
    page.locator(f"a[href$='/source/{told.pk}/']").click()
    expect(dialog).to_contain_text("I sold the goat")
    page.keyboard.press("Escape")
    page.locator(f"a[href$='/source/{other.pk}/']").click()
    expect(dialog).to_contain_text("Loading")
    expect(dialog).not_to_contain_text("goat")
    held[0].fulfill(status=503, body="away")
    expect(dialog).to_contain_text("This did not load.")
    visitor.complaints.clear()


def test_an_alert_s_page_falls_silent_when_its_reader_no_longer_hears_the_desk(
    visit: Visit, people: Cast
) -> None:
    people.on_duty()
    alert = raise_for(people, "high")
    claim_alert(actor=makers.staff(people.cleo), alert_id=alert.pk)
    _, page = on_page(visit, people, alert)
    raise_for(people)
    expect(page.locator("#waiting")).to_contain_text("A critical alert is waiting:")
    end_shift(actor=makers.staff(people.cleo))
    expect(page.locator("#waiting")).to_be_hidden(timeout=15_000)
    assert not page.title().startswith("(")


def test_a_board_that_can_not_be_asked_anew_stays_tries_again_and_forgets_nothing(
    visit: Visit, people: Cast
) -> None:
    people.on_duty()
    raise_for(people, "high")
    sockets: list[WebSocketRoute] = []
    visitor = visit()
    page = visitor.sign_in(people.cleo)

    def hold(route: WebSocketRoute) -> None:
        sockets.append(route)
        server = route.connect_to_server()
        server.on_message(lambda said: route.send(said))

    page.route_web_socket("**/ws/live/", hold)
    visitor.open("/board/")
    pill = page.locator("[data-live]")
    expect(pill).to_have_attribute("data-s", "live")
    page.evaluate("window.sameDocument = true")
    away = [True]
    anew = f"{visitor.origin}/board/"
    page.route(anew, lambda route: route.fulfill(status=503, body="away") if away[0] else route.continue_())
    sockets[-1].send(json.dumps({"type": "reload", "topic": f"board:{people.home.pk}"}))
    expect(pill).to_have_attribute("data-s", "reconnecting")
    alert = raise_for(people)
    away.clear()
    away.append(False)
    expect(pill).to_have_attribute("data-s", "live", timeout=10_000)
    expect(page.locator("#say-now")).to_contain_text("New, critical")
    page.keyboard.press("n")
    expect(page.locator(f"#q-{alert.pk}")).to_be_visible()
    assert page.evaluate("window.sameDocument === true"), "a page of an error would have taken its place"
    visitor.complaints.clear()


def test_news_of_a_caseload_whose_answer_failed_is_asked_for_again(visit: Visit, people: Cast) -> None:
    visitor = visit()
    page = visitor.sign_in(people.alice)
    visitor.open("/caseload/")
    expect(page.locator(ROWS)).to_have_count(1)
    expect(page.locator("#news")).to_have_attribute("data-s", "live")
    failed: list[Route] = []

    def once(route: Route) -> None:
        if failed:
            route.continue_()
        else:
            failed.append(route)
            route.fulfill(status=503, body="away")

    page.route("**/caseload/badges/**", once)
    makers.make_alert(people.patient)
    expect(page.locator("#news")).to_have_attribute("data-s", "new", timeout=15_000)
    assert failed, "the first answer failed, and nothing changed after it"
    visitor.complaints.clear()
