"""Break-glass in a browser: the door, the strip on each page, the end, what team and compliance see."""

from __future__ import annotations

from playwright.sync_api import expect

from tests import makers
from tests.browser.test_board import Visit
from tests.cast import Cast


def test_a_colleague_breaks_the_glass_reads_and_ends_it_and_compliance_judges(
    visit: Visit, people: Cast
) -> None:
    cora = makers.make_user("compliance", people.home)
    visitor = visit(width=1440, scheme="light")
    page = visitor.sign_in(people.bob)
    visitor.open("/ways/")
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    page.get_by_role("link", name="Break-glass").click()
    page.get_by_role("button", name="Open the chart").click()
    expect(page.get_by_text("Choose the reason.").first).to_be_visible()
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    page.get_by_label("Whose chart").fill(people.patient.anonymous_id)
    page.get_by_label("Somebody is in imminent danger").check()
    page.get_by_label("In your words").fill("Her brother rang: she is at the bridge.")
    page.get_by_role("button", name="Open the chart").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Zawadi Planted")
    strip = page.get_by_role("region", name="Break-glass")
    expect(strip).to_contain_text("Open by break-glass until")
    for tab in ("Measures", "Crisis", "People", "Consent", "Access"):
        page.get_by_label("Chart sections").get_by_role("link", name=tab).click()
        expect(strip).to_be_visible()
        assert (visitor.axe(), visitor.overflow()) == ([], 0), tab
    strip.get_by_role("button", name="End now").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("In and out")
    page.goto(f"{visitor.origin}/charts/{people.patient.pk}/")
    expect(page.get_by_role("heading", level=1)).not_to_contain_text("Zawadi")
    visitor.complaints.clear()  # Chromium's own word about the 404

    phone = visit(width=390, scheme="dark")
    alice = phone.sign_in(people.alice)
    expect(alice.get_by_text("Somebody outside the care team opened a chart").first).to_be_visible()
    assert (phone.axe(), phone.overflow()) == ([], 0)
    alice.get_by_role("link", name="Open", exact=True).click()
    expect(alice.get_by_text("Break-glass").first).to_be_visible()
    assert (phone.axe(), phone.overflow()) == ([], 0)

    office = visit(width=1440, scheme="dark")
    judge = office.sign_in(cora)
    office.open("/break-glass/reviews/")
    assert (office.axe(), office.overflow()) == ([], 0)
    judge.get_by_role("link", name="Bob Barasa").click()
    expect(judge.get_by_text("she is at the bridge")).to_be_visible()
    judge.get_by_label("Appropriate", exact=True).check()
    judge.get_by_label("What you found").fill("It was right: she was alone.")
    assert (office.axe(), office.overflow()) == ([], 0)
    judge.get_by_role("button", name="Record the judgement").click()
    expect(judge.get_by_text("Nothing to judge")).to_be_visible()
