"""An alert worked to its end through its page, and every page as axe sees it."""

from __future__ import annotations

from playwright.sync_api import expect

from crisis.alerts.actions import raise_alert
from crisis.alerts.models import Disposition, RiskAlert
from crisis.alerts.states import Status
from crisis.ownership.actions import claim_alert
from tests import makers
from tests.browser.test_board import Visit, raise_for
from tests.cast import Cast

PAGES = [
    "/board/",
    "/cases/",
    "/followups/",
    "/resolved/",
    "/reviews/",
    "/duty/",
    "/alerts/new/",
    "/crisis-lines/",
]


def test_an_alert_is_worked_to_its_end(visit: Visit, people: Cast) -> None:
    people.on_duty()
    alert = raise_for(people, "high")
    visitor = visit()
    page = visitor.sign_in(people.cleo)
    page.goto(f"{visitor.origin}/alerts/{alert.pk}/")
    expect(page.get_by_text("Name and contacts open once you claim")).to_be_visible()
    page.keyboard.press("c")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Fictional")
    page.keyboard.press("n")
    dialog = page.get_by_role("dialog", name="Contact made")
    dialog.get_by_label("What happened").fill("They are at home with their brother.")
    dialog.get_by_role("button", name="Log contact").click()
    expect(page.get_by_text("They are at home with their brother.")).to_be_visible()
    page.keyboard.press("r")
    dialog = page.get_by_role("dialog", name="Resolve")
    dialog.get_by_label("Closing note").fill("They stay with their brother tonight.")
    dialog.get_by_role("button", name="Resolve", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("are needed")
    expect(dialog.locator("[data-error-summary]")).to_be_focused()
    expect(dialog.get_by_label("Closing note")).to_have_value("They stay with their brother tonight.")
    assert visitor.axe() == []
    dialog.get_by_label("Outcome").select_option(Disposition.COMMUNITY)
    dialog.get_by_label("What it turned out to be").select_option("true_crisis")
    dialog.get_by_role("button", name="Resolve", exact=True).click()
    expect(page.locator(".case")).to_contain_text("Resolved")
    assert RiskAlert.objects.get(pk=alert.pk).status == Status.RESOLVED


def test_a_change_by_somebody_else_is_said_and_takes_nothing_away(visit: Visit, people: Cast) -> None:
    people.on_duty()
    alert = raise_for(people)
    visitor = visit()
    page = visitor.sign_in(people.cleo)
    page.goto(f"{visitor.origin}/alerts/{alert.pk}/")
    expect(page.locator("[data-live]")).to_have_attribute("data-s", "live")
    page.keyboard.press("e")
    dialog = page.get_by_role("dialog", name="Escalate")
    dialog.get_by_label("Why").fill("Nobody answers the phone.")
    claim_alert(actor=makers.staff(people.sam), alert_id=alert.pk)
    expect(page.locator("#changed")).to_contain_text(f"{people.sam.full_name} has it now.")
    expect(dialog.get_by_label("Why")).to_have_value("Nobody answers the phone.")


def test_a_form_that_a_503_brings_back_takes_the_place_of_the_one_in_the_dialog(
    visit: Visit, people: Cast
) -> None:
    people.on_duty()
    alert = raise_for(people, "high")
    visitor = visit()
    page = visitor.sign_in(people.cleo)
    page.goto(f"{visitor.origin}/alerts/{alert.pk}/")
    back = """<form><p tabindex="-1" data-error-summary>Your note was not saved</p>
        <label>Why <textarea>Nobody answers.</textarea></label></form>"""
    page.route("**/escalate/", lambda route: route.fulfill(status=503, content_type="text/html", body=back))
    page.keyboard.press("e")
    dialog = page.get_by_role("dialog", name="Escalate")
    dialog.get_by_label("Why").fill("Nobody answers.")
    dialog.get_by_role("button", name="Escalate now").click()
    expect(dialog.get_by_text("Your note was not saved")).to_be_focused()
    expect(dialog.get_by_label("Why")).to_have_value("Nobody answers.")
    visitor.complaints.clear()  # the browser's own line about the status


def test_a_form_outlives_its_session_and_is_sent_once_in_the_next_one(visit: Visit, people: Cast) -> None:
    people.on_duty()
    alert = raise_for(people, "high")
    claim_alert(actor=makers.staff(people.cleo), alert_id=alert.pk)
    visitor = visit()
    page = visitor.sign_in(people.cleo)
    page.goto(f"{visitor.origin}/alerts/{alert.pk}/")
    page.keyboard.press("n")
    dialog = page.get_by_role("dialog", name="Contact made")
    dialog.get_by_label("What happened").fill("They are at home.")
    visitor.context.clear_cookies()
    dialog.get_by_role("button", name="Log contact").click()
    gone = page.get_by_role("dialog", name="You are signed out")
    expect(gone).to_be_visible()
    expect(dialog).to_be_hidden()
    assert visitor.axe() == []
    visitor.sign_in_beside(people.cleo)
    expect(gone).to_be_hidden()
    expect(dialog.get_by_role("alert")).to_contain_text("Not saved: you were signed out.")
    expect(dialog.get_by_label("What happened")).to_have_value("They are at home.")
    visitor.context.clear_cookies()
    visitor.sign_in_beside(people.cleo)  # the page has the token of the session before
    dialog.get_by_role("button", name="Log contact").click()
    expect(page.get_by_text("They are at home.")).to_have_count(1)
    visitor.complaints.clear()  # the 401s and the 403


def test_a_rise_that_the_owner_has_not_seen_stops_the_end_and_keeps_what_was_typed(
    visit: Visit, people: Cast
) -> None:
    people.on_duty()
    alert = raise_for(people, "high")
    visitor = visit()
    page = visitor.sign_in(people.cleo)
    page.goto(f"{visitor.origin}/alerts/{alert.pk}/")
    page.keyboard.press("c")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Fictional")
    page.keyboard.press("r")
    dialog = page.get_by_role("dialog", name="Resolve")
    dialog.get_by_label("Outcome").select_option(Disposition.COMMUNITY)
    dialog.get_by_label("What it turned out to be").select_option("true_crisis")
    dialog.get_by_label("Closing note").fill("They stay with their brother tonight.")
    raise_alert(
        actor=makers.machine(people.home), organization_id=people.home.pk, patient_id=alert.patient_id,
        kind=alert.kind, level="critical", reason_code="H1",
    )  # fmt: skip
    dialog.get_by_role("button", name="Resolve", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text(
        "has changed since you opened the form: level went up"
    )
    expect(dialog.get_by_label("Closing note")).to_have_value("They stay with their brother tonight.")
    assert RiskAlert.objects.get(pk=alert.pk).level == "critical"
    dialog.get_by_role("button", name="Resolve", exact=True).click()
    expect(page.locator(".case")).to_contain_text("Resolved")


def test_every_page_of_the_desk_is_clean(visit: Visit, people: Cast) -> None:
    people.on_duty()
    alert = raise_for(people, waiting=True)
    raise_for(people, "high", reason_code="H11")
    visitor = visit()
    page = visitor.sign_in(people.cleo)
    for path in [*PAGES, f"/alerts/{alert.pk}/"]:
        visitor.open(path)
        expect(page.locator("h1")).to_have_count(1)
        assert visitor.faults_of_both() == {}, path


def test_the_back_office_keeps_the_strict_policy(visit: Visit, people: Cast) -> None:
    visitor = visit(scheme="dark")
    page = visitor.sign_in(people.ada)
    for path in ("/admin/", "/admin/accounts/user/", f"/admin/accounts/user/{people.cleo.pk}/change/"):
        visitor.open(path)
        expect(page.locator("#site-name")).to_contain_text("Cortex back office")
        assert visitor.axe() == []
