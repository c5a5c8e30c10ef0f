"""Documents of a chart in a browser: brought with a bar that fills, refused, saved, marked as an error."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from clinical.documents.models import Document
from tests import makers
from tests.browser.test_board import Visit
from tests.cast import Cast
from tests.unit.documents.files import pdf_of, zipped
from tests.unit.documents.test_documents import bring

LONG = "Report of the psychiatric outpatient clinic at Kibandani, with laboratory results and a history"


def test_a_document_is_brought_refused_brought_again_saved_and_marked(visit: Visit, people: Cast) -> None:
    visitor = visit(width=1440, scheme="light")
    page = visitor.sign_in(people.alice)
    visitor.open(f"/charts/{people.patient.pk}/")
    page.get_by_role("navigation", name="Chart sections").get_by_role("link", name="Documents").click()
    expect(page.get_by_role("heading", name="No document here")).to_be_visible()
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    page.get_by_role("link", name="Add a document").click()
    page.get_by_label("What it is").select_option("referral_letter")
    page.get_by_label("Title").fill("From Dr Ouma")
    page.get_by_label("HIV").check()
    file = page.get_by_label("File", exact=True)
    file.set_input_files({"name": "scan.pdf", "mimeType": "application/pdf", "buffer": zipped()})
    page.get_by_role("button", name="Keep it in the chart").click()
    expect(page.locator("[data-error-summary]")).to_contain_text("Word, Excel or zip file")
    expect(page.get_by_label("Title")).to_have_value("From Dr Ouma")
    expect(page.get_by_label("HIV")).to_be_checked()
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    large = b"%PDF-1.4\n" + bytes(10 * 2**20) + b"%%EOF"
    file.set_input_files({"name": "scan.pdf", "mimeType": "application/pdf", "buffer": large})
    page.get_by_role("button", name="Keep it in the chart").click()
    expect(page.locator("#main").get_by_role("status").filter(has_text="at most 10 MB")).to_be_visible()
    file.set_input_files({"name": "x.exe", "mimeType": "image/png", "buffer": pdf_of(300_000)})
    page.get_by_role("button", name="Keep it in the chart").click()
    page.wait_for_url("**/documents/")
    row = page.locator(".dc-row")
    expect(row).to_contain_text("From Dr Ouma")
    expect(row).to_contain_text("PDF, 293 kB")
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    with page.expect_download() as waiting:
        row.get_by_role("link", name="Download").click()
    assert waiting.value.suggested_filename == "From Dr Ouma.pdf"
    assert Path(waiting.value.path()).read_bytes() == pdf_of(300_000)
    row.get_by_role("link", name="From Dr Ouma").first.click()
    page.get_by_text("It does not belong here").click()
    page.get_by_label("What is wrong").fill("Of her sister.")
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    page.get_by_role("button", name="Mark as entered in error").click()
    expect(page.get_by_text("Of her sister.")).to_be_visible()
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
    makers.scope_all()
    assert Document.objects.get().is_in_error


def test_documents_on_a_phone_in_the_dark_and_an_upload_that_is_cut_off(visit: Visit, people: Cast) -> None:
    bring(people, title=LONG, kind="report", language="sw", labels=["HIV", "GBV", "MINOR"])
    visitor = visit(width=390, scheme="dark")
    page = visitor.sign_in(people.alice)
    for path in ("documents/", "documents/new/"):
        visitor.open(f"/charts/{people.patient.pk}/{path}")
        expect(page.get_by_role("heading", level=1)).to_contain_text("Zawadi")
        assert (visitor.axe(), visitor.overflow()) == ([], 0), path
    page.get_by_label("What it is").select_option("other")
    page.get_by_label("Title").fill("Typed words")
    file = {"name": "scan.pdf", "mimeType": "application/pdf", "buffer": pdf_of(5_000)}
    page.get_by_label("File", exact=True).set_input_files(file)
    page.route("**/documents/new/", lambda route: route.abort())
    page.get_by_role("button", name="Keep it in the chart").click()
    expect(page.locator("#main").get_by_role("status").filter(has_text="connection was lost")).to_be_visible()
    page.unroute("**/documents/new/")
    visitor.complaints.clear()  # Chromium's own word about the request that was cut off
    page.get_by_role("button", name="Keep it in the chart").click()
    page.wait_for_url("**/documents/")
    expect(page.locator(".dc-row")).to_have_count(2)
    page.get_by_role("link", name=LONG).first.click()
    expect(page.get_by_role("heading", level=2, name=LONG)).to_be_visible()
    assert (visitor.axe(), visitor.overflow()) == ([], 0)
