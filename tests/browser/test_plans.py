"""A plan in a browser: goal, signature, progress and review, and a diagnosis found by keyboard."""

from __future__ import annotations

import re
from datetime import timedelta

from playwright.sync_api import expect

from clinical.plans.actions import change_plan, sign_plan
from clinical.plans.diagnoses.models import Diagnosis
from clinical.plans.models import PlanVersion
from tests import makers
from tests.browser.test_board import Visit
from tests.cast import Cast
from tests.walk.plans import begin


def test_a_plan_from_its_first_goal_to_its_first_review_with_a_diagnosis_by_keyboard(
    visit: Visit, people: Cast
) -> None:
    visitor = visit(width=1440, scheme="light")
    page = visitor.sign_in(people.alice)
    where = f"/charts/{people.patient.pk}/plan/"
    visitor.open(where)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Zawadi Planted")
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    page.get_by_role("link", name="Begin a plan").click()
    page.get_by_label("What brings the person here").fill("Low since the spring.")
    page.get_by_role("button", name="Begin the plan").click()

    page.get_by_role("link", name="Add a diagnosis").click()
    field = page.get_by_role("combobox", name="Code or words")
    field.focus()
    page.keyboard.type("recurrent dep mod")
    expect(page.get_by_role("option").first).to_be_visible()
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    page.keyboard.press("ArrowDown")
    expect(field).to_have_attribute("aria-activedescendant", "code-0")
    page.keyboard.press("Enter")
    expect(field).to_have_value("F33.1")
    expect(page.locator("#code-said")).to_contain_text("recurrent, moderate")
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Diagnoses")).to_contain_text("F33.1")

    page.get_by_role("link", name="Add a goal").click()
    expect(page.get_by_label("Milestones")).to_be_hidden()
    page.get_by_label("What exactly").fill("Walk to the market.")
    page.get_by_label("Measured by").select_option("frequency")
    page.get_by_label("What is counted").fill("Walks")
    page.get_by_label("Target").fill("2")
    page.get_by_role("button", name="Add the goal").click()
    expect(page.locator("[data-error-summary]")).to_contain_text("needed before this")
    expect(page.get_by_label("What exactly")).to_have_value("Walk to the market.")
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    page.get_by_label("In how many days").fill("7")
    page.get_by_label("Why it can be reached").fill("A neighbour goes along.")
    page.get_by_label("Serves the diagnosis").select_option(index=1)
    page.get_by_role("button", name="Add the goal").click()

    page.get_by_role("link", name="Sign the plan").click()
    page.get_by_label(re.compile("agrees to it")).check()
    page.get_by_role("button", name="Sign", exact=True).click()
    expect(page.get_by_role("region", name="Treatment plan")).to_contain_text("Active")
    page.get_by_role("link", name="Write down progress").click()
    page.get_by_role("button", name="Write it down").click()
    goals = page.get_by_role("region", name="Goals")
    expect(goals).to_contain_text("50 % of the way in 0 % of the time.")
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    page.get_by_role("link", name="Review now").click()
    page.get_by_label("How the person sees it").fill("It helps.")
    page.get_by_label("Go on as planned").check()
    page.get_by_role("button", name="Save the review").click()
    expect(page.get_by_role("region", name="Reviews")).to_contain_text("Go on as planned")
    makers.scope_all()
    assert Diagnosis.objects.get().code == "F33.1"
    assert PlanVersion.objects.get().signed_at > makers.now() - timedelta(minutes=10)


def test_the_pages_of_a_plan_hold_on_a_phone_in_the_dark(visit: Visit, people: Cast) -> None:
    begin(makers.staff(people.alice), people.patient.pk, "Longwords " * 12)
    visitor = visit(width=390, scheme="dark")
    page = visitor.sign_in(people.alice)
    where = f"/charts/{people.patient.pk}/plan/"
    for path, heading in (
        (where, "Zawadi"), (f"{where}sign/", "Sign the plan"), (f"{where}goals/add/", "Add a goal"),
        (f"{where}diagnoses/add/", "Record a diagnosis"), (f"{where}print/", "My plan"),
        ("/plan-reviews/", "Plan reviews"),
    ):  # fmt: skip
        visitor.open(path)
        expect(page.get_by_role("heading", level=1)).to_contain_text(heading)
        assert (visitor.axe(), visitor.overflow()) == ([], 0), path


def test_a_plan_that_waits_is_approved_on_a_phone_in_both_themes(visit: Visit, people: Cast) -> None:
    people.home.settings = people.home.settings | {"plans_need_approval": True}
    people.home.save()
    makers.add_to_team(people.patient, people.sam, role="supervisor")
    alice, who = makers.staff(people.alice), people.patient.pk
    rows = begin(alice, who, "Longwords " * 12)
    sign_plan(actor=alice, patient_id=who, patient_agreed=True)
    today = makers.now().date()
    change_plan(
        actor=alice, patient_id=who, presenting_problem="She sleeps again.", start=today,
        target_end=today + timedelta(days=90),
    )  # fmt: skip
    sign_plan(actor=alice, patient_id=who, patient_agreed=True)
    leading = visit(width=390, scheme="light")
    page = leading.sign_in(people.sam)
    leading.open("/plan-reviews/")
    assert leading.faults() == {}, "what waits"
    page.get_by_role("link", name=people.patient.anonymous_id).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Approve the plan")
    page.get_by_label("Give back").check()
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("Say what is missing.").first).to_be_visible()
    assert leading.faults() == {}, "given back without a word"
    page.get_by_label("Approve", exact=True).check()
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("region", name="Treatment plan")).to_contain_text("Active")
    visitor = visit(width=390, scheme="light")
    page = visitor.sign_in(people.alice)
    expect(page.get_by_text("A plan was approved.").first).to_be_visible()
    where = f"/charts/{who}/plan/"
    for path, heading in (
        (f"{where}{rows.ids['plan_id']}/versions/2/", "Version 2 of the plan"),
        (f"{where}review/", "Review the plan"), (f"{where}medications/add/", ""),
        (f"{where}medications/{rows.ids['medication_id']}/", ""),
        (f"{where}diagnoses/{rows.ids['diagnosis_id']}/", ""),
        (f"{where}goals/{rows.ids['goal_id']}/progress/", ""), (f"{where}interventions/add/", ""),
    ):  # fmt: skip
        visitor.open(path)
        expect(page.get_by_role("heading", level=1)).to_contain_text(heading)
        assert visitor.faults() == {}, path
    visitor.open(f"{where}{rows.ids['plan_id']}/versions/2/")
    expect(page.get_by_text("She sleeps again.").first).to_be_visible()
