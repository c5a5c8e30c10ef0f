"""Ways in and out in a browser: a referral to its first measure, and each page of ways in both themes."""

from __future__ import annotations

from datetime import timedelta

from playwright.sync_api import expect

from clinical.notes.actions import begin_note
from clinical.pathway.actions import refer
from clinical.scheduling.actions import book_appointment
from patients.pathway.actions import ReferralData, make_referral
from patients.registry.records import RegisterPatient
from tests import makers
from tests.browser.test_board import Visit
from tests.cast import Cast


def test_a_referral_becomes_care_with_consent_on_paper_and_a_first_measure(
    visit: Visit, people: Cast
) -> None:
    newcomer = RegisterPatient(given_name="Neema", family_name="Newcomer", phone="+254700777888")
    sent = ReferralData("physician", "soon", "Has not slept for weeks.", asked_id=people.bob.pk)
    refer(actor=makers.staff(people.sam), data=sent, newcomer=newcomer)
    visitor = visit(width=390, scheme="light")
    page = visitor.sign_in(people.bob)
    visitor.open("/ways/")
    page.get_by_role("link", name="Neema Newcomer").click()
    expect(page.get_by_text("Has not slept for weeks.")).to_be_visible()
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_text("5 missing")).to_be_visible()
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    page.get_by_role("listitem").filter(has_text="Consent: treatment").get_by_role("link").click()
    page.get_by_label("Consent to").select_option("treatment")
    page.get_by_role("button", name="Take it down").click()
    expect(page.get_by_role("button", name="Withdraw")).to_have_count(1)
    visitor.open(page.url.replace("consent", "first-steps").removeprefix(visitor.origin))
    expect(page.get_by_text("4 missing")).to_be_visible()
    page.get_by_role("listitem").filter(has_text="PHQ-9").get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("PHQ-9")


def test_every_page_of_ways_and_of_the_record_holds_on_a_phone_in_both_themes(
    visit: Visit, people: Cast
) -> None:
    who, now = people.patient.pk, makers.now()
    for actor, patient in ((people.alice, people.patient), (people.bob, None)):
        other = patient or makers.make_patient(people.home, team=[people.bob])
        book_appointment(
            actor=makers.staff(actor), patient_id=other.pk, starts=[now + timedelta(days=2)], minutes=50
        )
    begin_note(actor=makers.staff(people.alice), patient_id=who, note_type="progress")
    sent = ReferralData("physician", "urgent", "Has not slept for weeks.", asked_id=people.bob.pk)
    made = make_referral(actor=makers.staff(people.sam), patient=makers.make_patient(people.home), data=sent)
    visitor = visit(width=390, scheme="light")
    page = visitor.sign_in(people.alice)
    chart = f"/charts/{who}/"
    for path in (
        "/ways/", "/ways/referrals/new/", f"{chart}people/", f"{chart}consent/", f"{chart}access/",
        f"{chart}first-steps/", f"{chart}discharge/",
    ):  # fmt: skip
        visitor.open(path)
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        assert visitor.faults() == {}, path
    page.get_by_role("button", name="Discharge").click()
    expect(page.locator("[data-error-summary]").first).to_be_visible()
    assert visitor.faults() == {}, "discharge refused"
    visitor.open("/ways/absences/new/")
    assert visitor.faults() == {}, "absence"
    page.get_by_label("Who stands in").select_option(label="Bob Barasa")
    page.get_by_label("First day away").fill(f"{now + timedelta(days=1):%Y-%m-%d}")
    page.get_by_label("Last day away").fill(f"{now + timedelta(days=5):%Y-%m-%d}")
    page.get_by_role("button", name="Plan it").click()
    expect(page.get_by_role("region", name="Appointments that fall into it")).to_contain_text("Zawadi")
    assert visitor.faults() == {}, "what falls into it"
    page.get_by_role("button", name="Plan it with these").click()
    expect(page.get_by_text("Bob Barasa stands in")).to_be_visible()
    assert visitor.faults() == {}, "an absence that is planned"

    leading = visit(width=390, scheme="light")
    sams = leading.sign_in(people.sam)
    leading.open("/ways/leavers/")
    assert leading.faults() == {}, "leavers"
    sams.get_by_role("link", name="Alice Achieng").click()
    expect(sams.get_by_text("1 unsigned note", exact=True)).to_be_visible()
    assert leading.faults() == {}, "preview"
    sams.get_by_role("button", name="Move all 1").click()
    expect(sams.get_by_text("Say that you know of them").first).to_be_visible()
    assert leading.faults() == {}, "preview refused"

    visitor.open(f"{chart}transfer/")
    assert visitor.faults() == {}, "hand-over"
    page.get_by_label("To", exact=True).select_option(label="Bob Barasa")
    page.get_by_label("Reason").select_option("person_asked")
    page.get_by_label("Closing summary").fill("We met twice.")
    page.get_by_role("button", name="Hand over").click()
    expect(page.locator("[data-error-summary]")).to_contain_text("wait for a signature: 1")
    assert visitor.faults() == {}, "hand-over refused"
    page.get_by_label("Your access ends").select_option("3")
    page.get_by_role("button", name="Hand over").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Caseload")
    answering = visit(width=390, scheme="light")
    bobs = answering.sign_in(people.bob)
    answering.open("/calendar/")
    expect(bobs.get_by_text("to be booked anew").first).to_be_visible()
    assert answering.faults() == {}, "to book anew"
    answering.open(f"/ways/referrals/{made.pk}/")
    assert answering.faults() == {}, "referral"
    bobs.get_by_role("button", name="Decline").click()
    expect(bobs.get_by_text("Say why.").first).to_be_visible()
    assert answering.faults() == {}, "decline refused"
