"""An alert's page that fell behind, or was changed under its reader, keeps every word that was typed."""

from __future__ import annotations

import json
from typing import Any

from playwright.sync_api import Page, WebSocketRoute, expect

from crisis.alerts.models import AlertEvent, RiskAlert
from crisis.endings.actions import Ending, decide_review, mark_false_alarm
from crisis.escalation.models import AttemptState
from crisis.ownership.actions import claim_alert, escalate_alert
from tests import makers
from tests.browser.conftest import Visitor
from tests.browser.test_board import Visit, raise_for
from tests.browser.test_other_alerts import state_of
from tests.cast import Cast

TYPED = "Nobody answers the phone."


class Stage:
    """Cleo on the page of an alert, whose line we hold: it can be cut, and told that it is too far behind."""

    def __init__(self, visit: Visit, people: Cast, alert: RiskAlert, **options: Any) -> None:
        self.visitor: Visitor = visit(**options)
        self.page: Page = self.visitor.sign_in(people.cleo)
        self.sockets: list[WebSocketRoute] = []
        self.topic = f"board:{people.home.pk}"
        self.is_deaf = False
        self.page.route_web_socket("**/ws/live/", self._hold)
        self.page.goto(f"{self.visitor.origin}/alerts/{alert.pk}/")
        expect(self.page.locator("[data-live]")).to_have_attribute("data-s", "live")
        self.page.evaluate("window.sameDocument = true")

    def _hold(self, route: WebSocketRoute) -> None:
        self.sockets.append(route)
        server = route.connect_to_server()
        server.on_message(lambda said: None if self.is_deaf and '"event"' in str(said) else route.send(said))

    def fall_behind(self) -> None:
        """As the hub says it to a page that missed more than it replays."""
        with self.page.expect_response("**/board/watch/"):
            self.sockets[-1].send(json.dumps({"type": "reload", "topic": self.topic}))
        expect(self.page.locator("#changed")).to_contain_text("This page fell behind.")

    def confirmed(self, alert: RiskAlert, people: Cast) -> None:
        """Wait until Cleo is known to have seen it; held messages pass only while the page is driven."""
        for _ in range(400):
            if state_of(alert, people) == AttemptState.CONFIRMED:
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(state_of(alert, people))

    def latest(self) -> None:
        """Ask for the page as it is now."""
        self.page.get_by_role("link", name="Show the latest").click()

    @property
    def is_the_same(self) -> bool:
        """Whether the document was never loaded anew, and the browser keeps nothing that was typed."""
        kept = self.page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
        return bool(self.page.evaluate("window.sameDocument === true")) and TYPED not in kept


def test_a_page_that_fell_behind_keeps_the_words_and_shows_the_latest_when_asked(
    visit: Visit, people: Cast
) -> None:
    people.on_duty()
    alert = raise_for(people, "high")
    stage = Stage(visit, people, alert, width=390)
    page = stage.page
    stage.confirmed(alert, people)
    page.keyboard.press("e")
    dialog = page.get_by_role("dialog", name="Escalate")
    dialog.get_by_label("Why").fill(TYPED)
    stage.is_deaf = True
    other = raise_for(people)
    makers.make_alert(alert.patient)  # type: ignore[arg-type]
    stage.fall_behind()
    stage.is_deaf = False
    expect(dialog.get_by_label("Why")).to_have_value(TYPED)
    expect(page.locator("#waiting")).to_contain_text("2 critical alerts are waiting:")
    expect(page.locator("#waiting")).to_contain_text("the one on this page")
    expect(page.locator("#waiting")).to_contain_text("and 1 more")
    assert state_of(other, people) == AttemptState.PENDING, "whoever isn't named isn't confirmed"
    page.keyboard.press("Escape")
    assert (stage.visitor.axe(), stage.visitor.overflow()) == ([], 0)
    stage.latest()
    expect(page.locator(".case")).to_have_attribute("data-level", "critical")
    expect(page.locator("#changed")).to_be_hidden()
    expect(page.locator("#waiting")).to_contain_text(str(other.patient and other.patient.anonymous_id))
    stage.confirmed(other, people)
    page.keyboard.press("e")
    expect(dialog.get_by_label("Why")).to_have_value(TYPED)
    assert stage.is_the_same
    dialog.get_by_role("button", name="Escalate now").click()
    expect(page.locator("#act-note")).to_contain_text("Escalated.")
    assert AlertEvent.objects.filter(alert=alert, kind="escalated").exists()
    claim_alert(actor=makers.staff(people.sam), alert_id=alert.pk)
    expect(page.locator("#changed")).to_contain_text(f"{people.sam.full_name} has it now.")


def test_words_whose_form_is_gone_stay_until_somebody_has_read_them(visit: Visit, people: Cast) -> None:
    """In a form of the page itself, and in a dialog that is not offered any more."""
    people.on_duty()
    people.on_duty(people.sam)
    alert = raise_for(people)
    sam = makers.staff(people.sam)
    claim_alert(actor=sam, alert_id=alert.pk)
    mark_false_alarm(actor=sam, alert_id=alert.pk, ending=Ending(verdict="duplicate", notes="Twice"))
    stage = Stage(visit, people, alert)
    page = stage.page
    decision = page.locator("form[action*='/second-review/']")
    decision.locator("textarea").fill(TYPED)
    decision.get_by_label("Yes, let it take effect").check()
    stage.fall_behind()
    stage.latest()
    expect(page.locator("#changed")).to_be_hidden()
    expect(decision.locator("textarea")).to_have_value(TYPED)
    expect(decision.locator("input[type=radio]").first).to_be_checked()
    review = alert.second_reviews.get()
    other = makers.make_user("supervisor", people.home)
    people.on_duty(other)
    seen = AlertEvent.objects.filter(alert=alert).latest("feed_number").feed_number
    decide_review(actor=makers.staff(other), review_id=review.pk, agreed=False, note="No", seen=seen)
    expect(page.locator("#changed")).to_be_visible()
    stage.latest()
    expect(page.locator("#main")).to_contain_text("Your words are kept here.")
    expect(decision.locator("textarea")).to_have_value(TYPED)
    assert stage.is_the_same
    assert stage.visitor.axe() == []
    decision.get_by_role("button").first.click()
    expect(decision.locator("[data-sent]")).to_contain_text("Not saved")
    expect(decision.locator("textarea")).to_have_value(TYPED)
    stage.visitor.complaints.clear()  # the browser's own line about the status


def test_a_server_that_does_not_show_the_latest_takes_nothing(visit: Visit, people: Cast) -> None:
    people.on_duty()
    alert = raise_for(people, "high")
    stage = Stage(visit, people, alert)
    page = stage.page
    page.keyboard.press("e")
    dialog = page.get_by_role("dialog", name="Escalate")
    dialog.get_by_label("Why").fill(TYPED)
    page.keyboard.press("Escape")
    escalate_alert(actor=makers.staff(people.cleo), alert_id=alert.pk, reason="Twice")
    expect(page.locator("#changed")).to_be_visible()
    page.route(f"**/alerts/{alert.pk}/", lambda route: route.fulfill(status=503, body="away"))
    stage.latest()
    unshown = "The server did not show the alert. What you wrote is kept."
    expect(page.locator("#changed")).to_contain_text(unshown)
    claim_alert(actor=makers.staff(people.sam), alert_id=alert.pk)
    expect(page.locator("#changed")).to_contain_text(f"{people.sam.full_name} has it now. {unshown}")
    page.unroute(f"**/alerts/{alert.pk}/")
    stage.latest()
    expect(page.locator("#changed")).to_be_hidden()
    page.keyboard.press("e")
    expect(dialog.get_by_label("Why")).to_have_value(TYPED)
    assert stage.is_the_same
    stage.visitor.complaints.clear()  # the browser's own line about the status
