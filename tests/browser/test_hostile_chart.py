"""Hostile text in every field of a chart stays text on its pages, and as it comes by socket and swap."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.db import connections
from playwright.sync_api import Page, expect

from cortex.accounts.choices import Role
from cortex.accounts.models import User
from crisis.ownership.actions import claim_alert
from tests import makers
from tests.api.conftest import Api, issue_key
from tests.browser import hostile, hostile_chart
from tests.browser.conftest import Visitor
from tests.browser.hostile_chart import NOT_TYPED, STORED_ALONE, Written, text_fields
from tests.browser.hostile_sent import NOT_SENT, SENT, sent_fields
from tests.browser.test_hostile_text import MARK, Eyes
from tests.cast import Cast, make_cast
from tests.walk.addresses import Address, addresses

MATRIX = (Path(__file__).parents[1] / "access_matrix.txt").read_text()
# Addresses that answer with something else than a page, or with one only to whom there is nothing yet.
NO_PAGE = {"clinical:document_file", "clinical:case_badges", "clinical:plan_begin"}
# A draft has pages of its own.
DRAFTS = {"clinical:note_edit", "clinical:note_versions"}


def reads(address: Address) -> bool:
    """Whether the reviewed matrix says that Alice is given this page."""
    if address.access is None or address.is_api or not address.name.startswith("clinical:"):
        return False
    _, _, rows = MATRIX.partition(f"/{address.pattern}  [")
    given = re.search(r"^    GET .*?\b200 ([^;\n]*)", rows.partition("\n\n")[0], re.MULTILINE)
    return given is not None and "alice" in given[1].split()


def chart_pages(found: Written) -> Iterator[str]:
    """Yield every page of the clinical floor that its therapist reads, and more rows of some."""
    for address in addresses():
        if not reads(address) or address.name in NO_PAGE:
            continue
        ids = found.ids | ({"note_id": found.ids["draft_id"]} if address.name in DRAFTS else {})
        assert set(address.ids) <= ids.keys(), f"write a row for {address.pattern}"
        yield address.path(**ids)
    yield from found.more


def signed_in(visit: Callable[..., Visitor], eyes: Eyes, user: User) -> Visitor:
    visitor = visit()
    eyes.watch(visitor.context, visitor.page)
    visitor.sign_in(user)
    return visitor


def walk(visitor: Visitor, eyes: Eyes, paths: Iterator[str] | list[str]) -> list[str]:
    """Look at each page once; return those that were not given."""
    refused = []
    for path in paths:
        response = visitor.page.goto(visitor.origin + path, wait_until="domcontentloaded")
        assert response is not None
        if response.status != 200:
            refused.append(f"{path}: {response.status}")
        eyes.look(visitor.page, response.text())
    return refused


def pushed(page: Page, selector: str) -> None:
    """Hold that what came into a place of the page holds hostile words."""
    expect(page.locator(selector).first).to_contain_text(MARK, timeout=20_000)


@dataclass(frozen=True)
class House:
    """A house with a hostile chart, who judges there, and what was written."""

    people: Cast
    judge: User
    pen: hostile.Pen
    found: Written


@pytest.fixture
def house(transactional_db: None) -> House:
    """Written before any browser runs, since those may run for so long and no longer."""
    connections.close_all()  # as `people` does
    people, pen = make_cast(), hostile.Pen()
    judge = makers.make_user(Role.COMPLIANCE, people.home)
    return House(people, judge, pen, hostile_chart.write(people, pen, judge))


def test_hostile_text_in_a_chart_stays_text(house: House, visit: Callable[..., Visitor]) -> None:
    people, pen, found = house.people, house.pen, house.found
    planted = {place.split()[0] for place in pen.places.values()}
    assert sorted(text_fields() - planted - NOT_TYPED.keys()) == [], "nobody planted anything there"
    assert sorted((NOT_TYPED.keys() & planted) | (NOT_TYPED.keys() - text_fields())) == []
    assert sorted(sent_fields() ^ (SENT.keys() | NOT_SENT.keys())) == [], "an app sends it: who shows it?"
    eyes = Eyes(pen)
    alice = signed_in(visit, eyes, people.alice)
    refused = walk(alice, eyes, chart_pages(found))
    refused += walk(signed_in(visit, eyes, people.sam), eyes, found.supervisor)
    refused += walk(signed_in(visit, eyes, house.judge), eyes, found.compliance)
    assert refused == []

    # What was said opens by a press, and a search shows what was typed beside what it found.
    page = alice.page
    for path in found.told:
        alice.open(path)
        page.get_by_role("button", name="Open the words").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("what was said")
        eyes.look(page, page.content())
    # What somebody said of a finding stands further back than the first page of everything.
    alice.open(f"/charts/{found.patient.pk}/timeline/?kind=signals")
    eyes.look(page, page.content())
    alice.open(f"/charts/{found.patient.pk}/timeline/?kind=days")
    page.locator("summary", has_text="Words, sealed").first.click()
    page.get_by_role("button", name="Open the words").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("what was written")
    eyes.look(page, page.content())
    alice.open("/notes/search/")
    page.locator("main input[name=q]").fill("<svg onload=hit()>")
    page.locator("main input[name=q]").press("Enter")
    expect(page.locator("main mark").first).to_be_visible()
    eyes.look(page, page.content())

    assert eyes.faults == []
    seen = {pen.places[mark] for mark in eyes.shown}
    floor = {one.split(".")[0] for one in text_fields()}
    wanted = {place for place in pen.places.values() if place.split(".")[0] in floor}
    wanted |= ALSO_SHOWN | set(SENT.values())
    assert sorted(wanted - seen - STORED_ALONE.keys()) == [], "no page showed these"
    assert sorted(STORED_ALONE.keys() & seen) == []


# Words of the floors below that a chart, or those who look after it, must have shown.
ALSO_SHOWN = {
    "A session's act", "A session's entry", "A session's entry under way", "A session's risk",
    "BreakGlassGrant.incident_note", "BreakGlassGrant.review_note", "CareEnding.summary",
    "CareEnding.to_outside", "CareTeamMember.outside_name of a caregiver", "ContactException.reason",
    "EmergencyContact.name", "Message.content", "Message.content in a chat", "Patient.given_name",
    "PatientUserObjectPermission.reason of an opened chart", "Referral.reason", "Referral.referrer",
    "VoiceSession.transcript",
}  # fmt: skip


def test_hostile_text_that_is_pushed_or_swapped_in_stays_text(
    people: Cast, visit: Callable[..., Visitor]
) -> None:
    pen = hostile.Pen()
    eyes = Eyes(pen)
    people.on_duty()
    people.home.name = pen.line("Organization.name")
    people.home.save()
    app = Api(f"Api-Key {issue_key(people.home)[1]}")
    patient = makers.make_patient(
        people.home, team=[people.alice], given_name=pen.line("Patient.given_name"),
        family_name=pen.line("Patient.family_name"),
    )  # fmt: skip

    # By socket: the caseload's badge names whose line has changed.
    page = signed_in(visit, eyes, people.alice).page
    expect(page.locator("#news")).to_have_attribute("data-s", "live")
    makers.make_alert(patient)
    expect(page.locator("#news")).to_have_attribute("data-s", "new", timeout=20_000)
    pushed(page, "[data-news-words]")
    eyes.look(page, page.content())

    # By socket: a card of the board, which names the house.
    page = signed_in(visit, eyes, people.cleo).page
    expect(page.locator("[data-live]")).to_have_attribute("data-s", "live")
    alert = hostile._raised(people, app, pen)
    expect(page.locator("#tray")).to_have_attribute("data-s", "new", timeout=20_000)
    page.keyboard.press("n")
    expect(page.locator("#queue .q")).to_have_count(2)
    pushed(page, "#queue .q")
    eyes.look(page, page.content())

    # By swap: the words that an alert rests on, in the dialog of whoever has it.
    claim_alert(actor=makers.staff(people.cleo), alert_id=alert.pk)
    page.goto(page.url.split("/board/")[0] + f"/alerts/{alert.pk}/")
    page.get_by_role("link", name="Open source").first.click()
    pushed(page, "#source-b")
    eyes.look(page, page.content())
    assert eyes.faults == []
    seen = {pen.places[mark] for mark in eyes.shown}
    assert {"Patient.given_name", "Organization.name", "Message.content"} <= seen
