"""A board says by itself that alerts may arrive late, and takes it back; nothing moves for it."""

from __future__ import annotations

from playwright.sync_api import expect

from cortex.accounts.models import Organization
from crisis.watchdog.loop import Verdict, note
from tests.browser.test_board import Visit, board_of, raise_for, tops
from tests.cast import Cast


def test_a_board_says_that_alerts_may_be_late_until_the_watchdog_finds_nothing(
    visit: Visit, people: Cast
) -> None:
    people.on_duty()
    Organization.objects.filter(pk=people.home.pk).update(settings={"desk_phone": "+254 20 700 100"})
    raise_for(people, "high")
    visitor, page = board_of(visit, people)
    bar = page.locator("#late")
    page.locator("#queue .q").first.hover()
    before = tops(page)
    expect(bar).to_be_hidden()
    note(Verdict())
    note(Verdict(["overdue_alerts"]))
    expect(bar).to_be_visible()
    expect(bar).to_contain_text("Alerts may arrive late since ")
    expect(bar.get_by_role("link", name="+254 20 700 100")).to_have_attribute("href", "tel:+25420700100")
    expect(page.locator("#say-now")).to_contain_text("Alerts may arrive late")
    assert tops(page) == before, "it lies over the page's end"
    assert visitor.axe() == []
    page.evaluate("document.getElementById('not-claimed').togglePopover(true)")
    other, own = page.locator("#not-claimed").bounding_box(), bar.bounding_box()
    assert other is not None and own is not None
    assert own["y"] + own["height"] < other["y"], "a claim that did not get through is said beside it"
    page.reload()
    expect(bar).to_be_visible()
    note(Verdict())
    expect(bar).to_be_hidden()
    expect(page.locator("#say-polite")).to_contain_text("Alerts arrive in time again.")
