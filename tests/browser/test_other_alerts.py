"""On one alert's page another critical alert is shown and heard; what is not shown stays unconfirmed."""

from __future__ import annotations

import re
import time
from typing import Any

from django.db import connection
from playwright.sync_api import Page, expect

from cortex.audit.models import AuditLog
from crisis.alerts.models import RiskAlert
from crisis.escalation.models import AttemptState, Channel, NotificationAttempt
from crisis.ownership.actions import claim_alert
from tests import makers
from tests.browser.conftest import Server, Visitor
from tests.browser.test_board import Visit, raise_for
from tests.cast import Cast


def state_of(alert: RiskAlert, people: Cast) -> str:
    told = NotificationAttempt.objects.filter(alert=alert, user=people.cleo, channel=Channel.BOARD)
    return str(told.latest("id").state)


def confirmed(alert: RiskAlert, people: Cast) -> None:
    """Wait until the person's board notification is confirmed."""
    deadline = time.monotonic() + 20
    while state_of(alert, people) != AttemptState.CONFIRMED:
        assert time.monotonic() < deadline, state_of(alert, people)
        time.sleep(0.05)


def on_page(visit: Visit, people: Cast, alert: RiskAlert, **options: Any) -> tuple[Visitor, Page]:
    """Cleo, on duty, on this alert's page with a live connection."""
    visitor = visit(**options)
    page = visitor.sign_in(people.cleo)
    page.goto(f"{visitor.origin}/alerts/{alert.pk}/")
    expect(page.locator("[data-live]")).to_have_attribute("data-s", "live")
    return visitor, page


def test_another_critical_alert_is_shown_on_the_page_and_only_then_confirmed(
    visit: Visit, people: Cast
) -> None:
    people.on_duty()
    first = raise_for(people, "high")
    visitor, page = on_page(visit, people, first)
    confirmed(first, people)
    page.keyboard.press("e")
    page.get_by_role("dialog", name="Escalate").get_by_label("Why").fill("Nobody answers the phone.")
    quiet = raise_for(people, "high")
    second = raise_for(people)
    bar = page.locator("#waiting")
    expect(bar).to_contain_text("A critical alert is waiting:")
    expect(bar).to_contain_text(str(second.patient and second.patient.anonymous_id))
    expect(page.locator("#say-now")).to_contain_text("A critical alert is waiting")
    assert page.title().startswith("(1 waiting)")
    confirmed(second, people)
    assert state_of(quiet, people) == AttemptState.PENDING, "what the page does not show is not confirmed"
    expect(page.get_by_role("dialog", name="Escalate").get_by_label("Why")).to_have_value(
        "Nobody answers the phone."
    )
    page.keyboard.press("Escape")
    assert visitor.axe() == []
    claim_alert(actor=makers.staff(people.sam), alert_id=second.pk)
    expect(bar).to_be_hidden()
    assert not page.title().startswith("(")


def test_what_the_page_fails_to_show_stays_unconfirmed(visit: Visit, people: Cast) -> None:
    people.on_duty()
    first = raise_for(people, "high")
    _, page = on_page(visit, people, first)
    page.locator("#waiting").evaluate("bar => { bar.style.display = 'none'; }")
    hidden = raise_for(people)
    expect(page.locator("#say-now")).to_contain_text("A critical alert is waiting")
    page.locator("#waiting").evaluate("bar => bar.remove()")
    gone = raise_for(people)
    # The answer to what comes later stands behind the answer to what came before.
    claim_alert(actor=makers.staff(people.sam), alert_id=first.pk)
    expect(page.locator("#changed")).to_be_visible()
    deadline = time.monotonic() + 1.5
    while time.monotonic() < deadline:
        assert {state_of(one, people) for one in (hidden, gone)} == {AttemptState.PENDING}
        time.sleep(0.1)


def test_an_alert_that_waited_before_the_page_was_opened_is_shown_too(
    visit: Visit, people: Cast, server: Server
) -> None:
    visitor = visit(width=390)
    page = visitor.sign_in(people.cleo)  # before her shift: a board on the way would confirm them all
    people.on_duty()
    first = raise_for(people, "high")
    others = [raise_for(people) for _ in range(5)]
    page.goto(f"{visitor.origin}/alerts/{first.pk}/")
    expect(page.locator("#waiting")).to_contain_text("5 critical alerts are waiting:")
    expect(page.locator("#waiting")).to_contain_text("and 2 more")
    assert page.title().startswith("(5 waiting)")
    for name in ("Claim", "Escalate"):
        page.locator(".case-btns").get_by_text(name).click(trial=True)  # within reach of the thumb, uncovered
    assert visitor.overflow() == 0
    assert visitor.axe() == []
    named = [
        one
        for one in others
        if str(one.patient and one.patient.anonymous_id) in str(page.text_content("#waiting"))
    ]
    assert len(named) == 3
    for one in named:
        confirmed(one, people)
    assert {state_of(one, people) for one in others if one not in named} == {AttemptState.PENDING}
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM audit_phiaccesslog WHERE object_type = 'waiting'")
        assert cursor.fetchone()[0] == 1
    page.get_by_role("link", name="Open the board").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Live triage")
    for one in others:
        confirmed(one, people)


def test_a_supervisor_who_is_not_on_shift_hears_alerts_and_can_mute_them(visit: Visit, people: Cast) -> None:
    people.on_duty()
    raise_for(people)
    page = visit().sign_in(people.sam)
    button = page.locator("[data-act=mute]")
    page.keyboard.press("m")
    expect(button).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(button).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("m")
    expect(button).to_have_attribute("aria-pressed", "false")
    page.reload()
    expect(button).to_have_attribute("aria-pressed", "false")
    muted = AuditLog.objects.filter(event_type__startswith="sound.", actor_id=people.sam.pk)
    assert muted.count() == 2


def test_a_mute_outlives_its_page_reaches_every_tab_and_is_taken_back(visit: Visit, people: Cast) -> None:
    shift = people.on_duty()
    alert = raise_for(people)
    visitor, page = on_page(visit, people, alert)
    other = visitor.context.new_page()
    other.goto(f"{visitor.origin}/board/")
    page.keyboard.press("m")
    for one in (page, other):
        expect(one.locator("[data-act=mute]")).to_have_attribute("aria-pressed", "true")
        expect(one.locator("[data-muted-until]")).to_have_text(re.compile(r"Muted until \d\d:\d\d"))
    page.reload()
    expect(page.locator("[data-act=mute]")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("m")
    for one in (page, other):
        expect(one.locator("[data-act=mute]")).to_have_attribute("aria-pressed", "false")
        expect(one.locator("[data-muted-until]")).to_be_hidden()
    shift.refresh_from_db()
    assert shift.muted_until is None
    muted = AuditLog.objects.filter(event_type__startswith="sound.").order_by("id")
    assert list(muted.values_list("event_type", flat=True)) == ["sound.muted", "sound.unmuted"]
