"""An addendum in a browser: kept as it is typed, cut off and recovered, two devices, signed as it stands."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect

from clinical.notes.actions import label_note, sign_note
from clinical.notes.addenda.actions import sign_addendum, write_addendum
from clinical.notes.models import NoteAddendum, NoteVersion
from cortex.ids import uuid7
from tests import makers
from tests.browser.test_board import Visit
from tests.browser.test_notes import SLOW, STORED
from tests.cast import Cast
from tests.walk.notes import write


def signed_note(people: Cast) -> dict[str, Any]:
    """A note of Alice's that can be added to: who adds, and to which."""
    alice = makers.staff(people.alice)
    note = write(alice, people.patient.pk, "session_note", risk_statement="None.").note
    sign_note(actor=alice, patient_id=people.patient.pk, note_id=note.pk, version=note.version)
    return {"actor": alice, "patient_id": people.patient.pk, "note_id": note.pk}


def test_an_addendum_survives_a_closed_tab_a_lost_connection_and_a_dead_session(
    visit: Visit, people: Cast
) -> None:
    where = f"/charts/{people.patient.pk}/notes/{signed_note(people)['note_id']}/"
    visitor = visit(width=1440, scheme="light")
    page = visitor.sign_in(people.alice)
    page.on("dialog", lambda dialog: dialog.accept())
    visitor.open(where)
    field, saved = page.get_by_label("Addendum"), page.locator("#saved")
    field.fill("The brother rang.")
    visitor.open(f"/charts/{people.patient.pk}/notes/")  # at once: no autosave had its time
    visitor.open("/notes/")
    page.get_by_role("link", name="Addendum to").click()
    expect(field).to_have_value("The brother rang.", timeout=SLOW)
    assert (visitor.axe(), visitor.overflow()) == ([], 0)

    page.route("**/addendum/", lambda route: route.abort())
    field.fill("The brother rang. At noon.")
    expect(saved).to_contain_text("Not saved: no connection", timeout=SLOW)
    page.get_by_role("button", name="Add and sign").click()
    expect(saved).to_contain_text("Not saved: no connection", timeout=SLOW)
    assert "brother" not in page.evaluate(STORED)
    makers.scope_all()
    assert NoteAddendum.objects.get().signed_at is None
    page.unroute("**/addendum/")
    visitor.complaints.clear()  # Chromium's own word about the requests that were cut off
    expect(saved).to_have_attribute("data-s", "", timeout=SLOW)

    visitor.context.clear_cookies()
    field.fill("The brother rang. At noon. From the clinic.")
    expect(page.get_by_role("dialog", name="You are signed out")).to_be_visible(timeout=SLOW)
    expect(page.get_by_role("article")).to_be_hidden()
    assert (visitor.axe(), field.input_value()) == ([], "The brother rang. At noon. From the clinic.")
    visitor.sign_in_beside(people.alice)
    expect(page.get_by_role("dialog", name="You are signed out")).to_be_hidden(timeout=SLOW)
    visitor.complaints.clear()
    expect(saved).to_have_attribute("data-s", "", timeout=SLOW)
    page.get_by_role("button", name="Add and sign").click()
    expect(page.locator(".nt-add")).to_contain_text("noon. From the clinic.", timeout=SLOW)
    expect(field).to_have_value("")
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    makers.scope_all()
    assert NoteAddendum.objects.get().signed_at is not None


def test_two_devices_show_both_texts_and_what_was_signed_elsewhere_stays(visit: Visit, people: Cast) -> None:
    added = signed_note(people)
    visitor = visit(width=390, scheme="dark")
    page = visitor.sign_in(people.alice)
    visitor.open(f"/charts/{people.patient.pk}/notes/{added['note_id']}/")
    field, saved = page.get_by_label("Addendum", exact=True), page.locator("#saved")
    write_addendum(text="From <img src=x onerror=alert(1)> the phone", spell=uuid7(), **added)
    field.fill("From the laptop")
    expect(page.get_by_role("heading", name="saved elsewhere meanwhile")).to_be_focused(timeout=SLOW)
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    visitor.complaints.clear()  # the 409
    page.get_by_role("button", name="Put it below mine").click()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".nt-both")).to_have_count(0, timeout=SLOW)
    expect(saved).to_contain_text("Saved", timeout=SLOW)
    makers.scope_all()
    assert {row.kind for row in NoteVersion.objects.all()} == {"conflict", "spell"}

    sign_addendum(version=NoteAddendum.objects.get().version, **added)
    field.fill("From the laptop, later")
    expect(page.get_by_role("heading", name="signed meanwhile")).to_be_focused(timeout=SLOW)
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    visitor.complaints.clear()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".nt-both")).to_have_count(0, timeout=SLOW)
    expect(saved).to_contain_text("Saved", timeout=SLOW)
    makers.scope_all()
    assert sorted(one.signed_at is None for one in NoteAddendum.objects.all()) == [False, True]
    visitor.open(f"/charts/{people.patient.pk}/notes/{added['note_id']}/versions/")
    assert (visitor.axe(), visitor.overflow()) == ([], 0)


def test_words_below_a_note_that_was_shut_are_their_writer_s_to_go_on_with_or_to_put_away(
    visit: Visit, people: Cast
) -> None:
    who = signed_note(people)
    makers.add_to_team(people.patient, people.bob, role="case_manager")
    write_addendum(**who | {"actor": makers.staff(people.bob)}, text="He rang on Monday.")
    label_note(**who, labels=["V"])
    visitor = visit(width=1440, scheme="light")
    page = visitor.sign_in(people.bob)
    visitor.open(f"/charts/{people.patient.pk}/notes/{who['note_id']}/")
    expect(page.get_by_text("The note that you added to is closed to you now")).to_be_visible(timeout=SLOW)
    assert visitor.faults_of_both() == {}
    page.get_by_label("Addendum").fill("He rang on Monday, and again.")
    expect(page.locator("#saved")).to_contain_text("Saved", timeout=SLOW)
    page.get_by_role("button", name="Put it away").click()
    expect(page.get_by_role("heading", name="Begin a note")).to_be_visible(timeout=SLOW)
    assert NoteAddendum.objects.get().text is None and NoteVersion.objects.count() == 2
