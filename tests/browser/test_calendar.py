"""A calendar in a browser: an appointment is made, moved by keyboard, missed, billed and exported."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from playwright.sync_api import expect

from clinical.scheduling.models import Appointment
from clinical.scheduling.week import monday_of, week_name
from tests import makers
from tests.browser.test_board import Visit
from tests.cast import Cast


def test_an_appointment_from_booking_to_a_line_in_a_file(visit: Visit, people: Cast) -> None:
    zone = ZoneInfo(people.home.default_timezone)
    today = makers.now().astimezone(zone).date()
    monday = monday_of(today - timedelta(weeks=1))
    visitor = visit(width=1440, scheme="light")
    page = visitor.sign_in(people.alice)
    visitor.open("/calendar/new/")
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    page.get_by_label("Person", exact=True).select_option(
        label=f"Zawadi Planted, {people.patient.anonymous_id}"
    )
    page.get_by_label("Day", exact=True).fill(f"{monday:%Y-%m-%d}")
    page.get_by_label("Begins").fill("09:00")
    page.get_by_role("button", name="Book").click()
    chip = page.locator(".wk .ap")
    expect(chip).to_have_count(1)
    expect(chip).to_be_focused()
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    page.keyboard.press("v")
    for key in ("ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    expect(page.locator(f'[data-cell="{monday + timedelta(days=1):%Y-%m-%d} 9"] .ap')).to_contain_text(
        "09:15"
    )
    page.keyboard.press("Enter")
    expect(page.locator(".ap-moving")).to_have_count(0)
    expect(page.locator(".wk .ap .ap-t")).to_have_text("09:15 to 10:05")
    makers.scope_all()
    assert Appointment.objects.get().starts_at.astimezone(zone).date() == monday + timedelta(days=1)
    page.locator(".wk .ap").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Zawadi Planted")
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    page.get_by_role("button", name="No-show").click()
    expect(page.get_by_role("heading", name="No-show")).to_be_visible()
    page.get_by_role("button", name="Propose a line").click()
    expect(page.get_by_role("row").filter(has_text="MISSED")).to_be_visible()
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    visitor.open("/billing/")
    page.get_by_role("row").get_by_role("button", name=re.compile("Confirm")).click()
    expect(page.get_by_role("row").filter(has_text="MISSED")).to_contain_text("Confirmed")
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    with page.expect_download() as download:
        page.get_by_role("button", name="Export confirmed as CSV").click()
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert '"MISSED"' in text and people.patient.anonymous_id in text and "Zawadi" not in text


def test_the_calendar_and_the_due_measures_hold_on_a_phone_in_the_dark(visit: Visit, people: Cast) -> None:
    zone = ZoneInfo(people.home.default_timezone)
    visitor = visit(width=390, scheme="dark")
    page = visitor.sign_in(people.alice)
    where = f"/charts/{people.patient.pk}/"
    today = makers.now().astimezone(zone).date()
    for path, heading in (
        (f"/calendar/?week={week_name(monday_of(today))}", "Calendar"), ("/calendar/new/", "New appointment"),
        ("/billing/", "Billing"), ("/measures/", "Measures"), (f"{where}appointments/", "Zawadi"),
        (f"{where}measures/", "Zawadi"), (f"{where}measures/phq9/print/", "PHQ-9"),
    ):  # fmt: skip
        visitor.open(path)
        expect(page.get_by_role("heading", level=1)).to_contain_text(re.compile(heading))
        assert (visitor.axe(), visitor.overflow()) == ([], 0), path
