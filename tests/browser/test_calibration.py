"""The calibration report and the engine's settings in a browser: clean, and no wider than a phone."""

from __future__ import annotations

from playwright.sync_api import expect

from crisis.policies.actions import set_engine_state
from tests import makers
from tests.browser.test_board import Visit, raise_for
from tests.cast import Cast


def test_a_supervisor_reads_the_report_on_a_desk_and_on_a_phone(visit: Visit, people: Cast) -> None:
    people.on_duty()
    raise_for(people, "high", facts={"rules_fired": ["H11"]})
    set_engine_state(
        actor=makers.staff(people.ada), subject="rule:H14", state="off", reason="It is too loud here."
    )
    for width, scheme in ((1440, "dark"), (390, "light")):
        visitor = visit(width=width, scheme=scheme)
        page = visitor.sign_in(people.sam)
        visitor.open("/calibration/")
        expect(page.get_by_role("heading", level=1)).to_have_text("Calibration")
        table = page.get_by_role("table", name="An alert counts for every rule that fired on it.")
        row = table.get_by_role("row").filter(
            has=page.get_by_role("rowheader", name="H11: Speaks of suicide")
        )
        expect(row.get_by_role("cell").first).to_contain_text("1")
        assert (visitor.axe(), visitor.overflow()) == ([], 0)
        page.get_by_role("link", name="What may run here").click()
        expect(page.locator("#result_list tbody tr")).to_have_count(1)
        expect(page.locator("#result_list")).to_contain_text("waits for a second reader")
        assert visitor.axe() == []
