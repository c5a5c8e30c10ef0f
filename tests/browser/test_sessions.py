"""A therapist's session in a browser: review one and what machines read of it, then run one to its end."""

from __future__ import annotations

from datetime import timedelta

from playwright.sync_api import expect

from clinical.sessions.models import SessionRun
from patients.sessions.models import Session
from patients.sessions.observations import EmotionObservation
from patients.sessions.records import Batch, EmotionData
from tests import makers
from tests.browser.test_board import Visit
from tests.cast import Cast


def heard(people: Cast) -> Session:
    """A voice session with a transcript and four readings, one of them flagged."""
    begun = makers.now() - timedelta(hours=2)
    voice = makers.make_voice(people.patient, "I went to the market", received_at=begun)
    readings = [
        EmotionData(
            people.patient.pk, people.home.pk, begun, source="voice", confidence=confidence, label=label,
            observed_at=begun + timedelta(minutes=minutes), session_id=voice.pk, model_name="ser",
            model_version="1",
        )
        for minutes, label, confidence in (
            (1, "sad", 0.8), (2, "sad", 0.3), (3, "fear", 0.6), (4, "hopeless", 0.9),
        )
    ]  # fmt: skip
    home = makers.machine(people.home)
    makers.store(actor=home, patient=people.patient, sessions=[], batch=Batch(emotions=readings))
    makers.scope_all()
    return Session.objects.get(pk=voice.pk)


def test_a_session_is_reviewed_and_another_one_is_run_to_its_end(visit: Visit, people: Cast) -> None:
    people.on_duty()
    heard(people)
    visitor = visit(width=1440, scheme="light")
    page = visitor.sign_in(people.alice)
    visitor.open(f"/charts/{people.patient.pk}/")
    page.get_by_role("link", name="Sessions", exact=True).click()
    expect(page.locator(".ss-row")).to_have_count(1)
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    page.locator(".ss-row a").click()
    expect(page.locator("[data-emotion]")).to_have_count(4)
    expect(page.get_by_text("I went to the market")).to_have_count(0)
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    page.wait_for_load_state()  # before it the page knows no key
    for number in range(4):
        page.keyboard.press("j")
        expect(page.locator("[data-emotion]").nth(number).get_by_role("button").first).to_be_focused()
    page.keyboard.press("c")
    expect(page.get_by_text("Confirmed")).to_be_visible()
    expect(page.locator("[data-emotion]").nth(2).get_by_role("button").first).to_be_focused()
    assert EmotionObservation.objects.get(label="hopeless").review_status == "confirmed"
    page.get_by_role("button", name="Undo the review of Hopeless").click()
    expect(page.get_by_text("Confirmed")).to_have_count(0)
    expect(page.locator("[data-emotion]").nth(3).get_by_role("button").first).to_be_focused()
    page.get_by_role("button", name="Open the words").click()
    expect(page.get_by_text("I went to the market")).to_be_visible()
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    visitor.open(f"/charts/{people.patient.pk}/sessions/")
    page.get_by_role("button", name="Start").click()
    page.get_by_label("Words").fill("Came on time.")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".ss-entry")).to_have_count(1)
    expect(page.get_by_label("Words")).to_be_focused()
    page.get_by_label("What", exact=True).select_option("CBT")
    page.get_by_role("button", name="Log it").click()
    expect(page.locator(".ss-entry")).to_have_count(2)
    page.get_by_role("button", name="Undo Cognitive").click()
    expect(page.locator(".ss-entry")).to_have_count(1)
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    page.get_by_role("link", name="Assess risk").click()
    page.get_by_label("Has a plan").select_option("present")
    page.get_by_role("radio", name="High").check()
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    page.get_by_role("button", name="Set the level").click()
    expect(
        page.locator("#main").get_by_role("status").filter(has_text="An alert is open, high")
    ).to_be_visible()
    page.get_by_role("button", name="End it").click()
    expect(page.get_by_role("heading", name="Log")).to_be_visible()
    expect(page.locator(".ss-entry")).to_have_count(2)
    assert SessionRun.objects.get().ended_at is not None


def test_the_pages_of_sessions_hold_on_a_phone_in_the_dark(visit: Visit, people: Cast) -> None:
    session = heard(people)
    visitor = visit(width=390, scheme="dark")
    page = visitor.sign_in(people.alice)
    chart = f"/charts/{people.patient.pk}/"
    for path in (
        f"{chart}sessions/",
        f"{chart}sessions/{session.pk}/",
        f"{chart}neural-audio/",
        "/emotions/",
    ):
        visitor.open(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert (visitor.axe(), visitor.overflow()) == ([], 0), path
    visitor.open(f"{chart}sessions/")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("heading", name="Session under way")).to_be_visible()
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    visitor.open("/caseload/")
    expect(page.get_by_text("is under way since")).to_be_visible()


def test_labels_are_set_on_a_page_asked_about_and_legible_in_both_themes(visit: Visit, people: Cast) -> None:
    session = heard(people)
    visitor = visit(width=1440, scheme="light")
    page = visitor.sign_in(people.alice)
    visitor.open(f"/charts/{people.patient.pk}/sessions/{session.pk}/")
    page.get_by_text("Change labels").click()
    page.get_by_label("HIV").check()
    assert visitor.faults_of_both() == {}
    page.get_by_role("button", name="Save labels").click()
    expect(page.get_by_text("The labels are saved.")).to_be_visible()
    expect(page.locator("#labels dt")).to_have_text("HIV")
    page.get_by_text("Change labels").click()
    page.get_by_label("Substance use (Part 2)").check()
    page.get_by_role("button", name="Save labels").click()
    question = page.locator("#labels").get_by_role("alert")
    expect(question).to_be_focused()
    expect(question).to_contain_text("you will no longer read this session")
    assert visitor.faults_of_both() == {}
    page.get_by_role("button", name="Save all the same").click()
    expect(page.get_by_text("That session is closed to you now.")).to_be_visible()
    assert Session.objects.get(pk=session.pk).sensitivity_labels == ["HIV", "SUD_PART2"]
