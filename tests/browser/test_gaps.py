"""In a browser: baselines, a review's measures, a note about a diagnosis that leaves, contacts in danger."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from playwright.sync_api import expect

from clinical.assessments.actions import finish_assessment
from clinical.notes.models import Note
from clinical.plans.actions import sign_plan
from crisis.ownership.actions import claim_alert
from tests import makers
from tests.browser.conftest import Visitor
from tests.browser.test_board import Visit
from tests.cast import Cast
from tests.walk.plans import begin

SLOW = 20_000  # ms


def fine(visitor: Visitor, name: str) -> None:
    """Nothing to complain of for axe, and nothing wider than the page; `name` says where."""
    assert (visitor.axe(), visitor.overflow()) == ([], 0), name


def treated(people: Cast) -> str:
    """A plan in force with totals before, around and after its start, and a diagnosis; where the chart is."""
    alice, who = makers.staff(people.alice), people.patient.pk
    for days, value in ((200, 3), (10, 2), (1, 1)):
        finish_assessment(
            actor=alice, patient_id=who, key="phq9", mode="paper",
            answers={f"q{number}": value for number in range(1, 9)} | {"q9": 0},
            administered_at=makers.now() - timedelta(days=days),
        )  # fmt: skip
    begin(alice, who, "Walk to the market.")
    sign_plan(actor=alice, patient_id=who, patient_agreed=True)
    return f"/charts/{who}/"


def test_a_note_says_what_it_is_about_and_leaves_with_the_signed_ones(visit: Visit, people: Cast) -> None:
    where = treated(people)
    visitor = visit(width=1440, scheme="light")
    page = visitor.sign_in(people.alice)
    visitor.open(f"{where}measures/")
    expect(page.get_by_text("Baseline 16 on").first).to_be_visible(timeout=SLOW)
    fine(visitor, "measures")
    visitor.open(where)
    expect(page.get_by_text("Since the baseline of").first).to_be_visible(timeout=SLOW)
    visitor.open(f"{where}plan/review/")
    expect(page.get_by_role("region", name="Measures for this review")).to_be_visible(timeout=SLOW)
    fine(visitor, "review")

    visitor.open(f"{where}notes/")
    page.get_by_label("Type", exact=True).select_option("progress")
    page.get_by_role("button", name="Begin").click()
    page.get_by_label("What happened").fill("She walked to the market.")
    page.get_by_label("F33.1 Major depressive disorder").check()
    page.get_by_label("Next contact on").fill("2099-01-02")
    if page.get_by_label("Risk statement").count():
        page.get_by_label("Risk statement").fill("No thoughts of death.")
    page.evaluate("scrollTo(0, document.body.scrollHeight)")  # nothing lies under the bar of buttons
    fine(visitor, "writing")
    page.get_by_role("button", name="Read and sign").click()
    page.get_by_role("button", name="Sign", exact=True).click()
    expect(page.get_by_role("heading", name="Addenda")).to_be_visible(timeout=SLOW)
    expect(page.get_by_role("article")).to_contain_text("F33.1 Major depressive disorder")
    fine(visitor, "signed")
    assert len(Note.objects.get().diagnoses) == 1

    page.get_by_role("link", name="All notes of this person").click()
    page.get_by_role("link", name="Export signed notes").click()
    fine(visitor, "export")
    page.get_by_label("The person asked for their record").check()
    with page.expect_download(timeout=SLOW) as got:
        page.get_by_role("button", name="Export", exact=True).click()
    text = Path(got.value.path()).read_text()
    assert "She walked to the market." in text and "F33.1 Major" in text


def test_contacts_open_in_danger_on_a_phone(visit: Visit, people: Cast) -> None:
    treated(people)
    people.on_duty()
    alert = makers.make_alert(people.patient, "critical")
    claim_alert(actor=makers.staff(people.cleo), alert_id=alert.pk)
    makers.consent(people.patient, "emergency_contact", granted=False)
    visitor = visit(width=390, scheme="dark")
    page = visitor.sign_in(people.cleo)
    visitor.open(f"/alerts/{alert.pk}/")
    page.get_by_role("link", name="Imminent danger: open them").click()
    fine(visitor, "exception")
    page.get_by_label("What the danger is").fill("quick")
    page.get_by_role("button", name="Open them for 4 hours").click()
    expect(page.get_by_text("Say in a sentence what the danger is").first).to_be_visible(timeout=SLOW)
    fine(visitor, "refused")
    page.get_by_label("What the danger is").fill("He stands on the bridge and does not answer.")
    page.get_by_role("button", name="Open them for 4 hours").click()
    expect(page.get_by_text("Open to you without the person's consent until")).to_be_visible(timeout=SLOW)
    fine(visitor, "opened")
    alice = visit(width=390, scheme="dark")
    alice.sign_in(people.alice)
    for path in ("people/", "measures/", "plan/review/", "discharge/", "transfer/", "notes/export/"):
        alice.open(f"/charts/{people.patient.pk}/{path}")
        fine(alice, path)
