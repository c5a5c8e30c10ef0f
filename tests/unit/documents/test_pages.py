"""Pages of documents: brought by a form, refused with the words kept, listed, saved, marked as an error."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.test import Client
from django.urls import reverse

from clinical.documents.actions import label_document, mark_error
from clinical.documents.models import Document
from cortex.audit.models import PhiAccessLog
from cortex.crypto.errors import KeyProviderError
from cortex.ops.pages import Pages
from patients.breakglass.actions import break_glass
from tests import makers
from tests.cast import Cast
from tests.makers import staff
from tests.unit.documents.files import EICAR, PDF, TEXT, png, zipped
from tests.unit.documents.test_documents import bring, by_hand, join

pytestmark = pytest.mark.django_db
SAID = {"kind": "referral_letter", "title": "From Dr Ouma", "language": "sw", "labels": ["HIV"]}


def as_user(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def url(name: str, cast: Cast, *ids: Any) -> str:
    return reverse(f"clinical:{name}", args=[cast.patient.pk, *ids])


def send(
    cast: Cast, content: bytes, name: str = "scan.pdf", client: Client | None = None, **said: Any
) -> Any:
    sent = SimpleUploadedFile(name, content, content_type=said.pop("content_type", "text/html"))
    headers = said.pop("headers", None)
    answer = (client or as_user(cast.alice)).post(
        url("document_new", cast), SAID | {"upload_id": uuid4(), "file": sent} | said, headers=headers
    )
    makers.scope_all()
    return answer


def test_a_file_is_brought_listed_and_saved_under_a_safe_name_that_no_browser_opens(cast: Cast) -> None:
    assert send(cast, PDF)["Location"] == url("documents", cast)
    row = Document.objects.get()
    client = as_user(cast.alice)
    page = client.get(url("documents", cast)).content.decode()
    assert "From Dr Ouma" in page and "Referral letter" in page and ">HIV<" in page
    answer = client.get(url("document_file", cast, row.pk))
    assert answer.content == PDF
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"].startswith('attachment; filename="From Dr Ouma.pdf"')
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in answer["Cache-Control"]
    assert answer["Content-Security-Policy"].startswith("sandbox")
    makers.scope_all()
    look = PhiAccessLog.objects.filter(object_id=row.pk).get()
    assert (look.data_type, look.purpose, look.relationship) == ("document", "treatment", "care_team")
    assert look.sections == ["referral_letter", "download"]


def test_the_header_and_the_name_decide_nothing_about_the_type(cast: Cast) -> None:
    send(cast, TEXT, "picture.svg", content_type="image/svg+xml", title="")
    row = Document.objects.get()
    assert row.media_type == "text/plain"
    answer = as_user(cast.alice).get(url("document_file", cast, row.pk))
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert 'filename="picture.txt"' in answer["Content-Disposition"]


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "empty"), (zipped(), "zip file"), (PDF + zipped(), "other data behind"),
     (b"<html></html>", "web page"), (PDF[:-8], "cut off")],
)  # fmt: skip
def test_a_refused_file_gives_the_typed_words_back_and_says_what_to_do(
    cast: Cast, content: bytes, words: str
) -> None:
    answer = send(cast, content)
    page = answer.content.decode()
    assert answer.status_code == 422 and words in page
    assert 'value="From Dr Ouma"' in page and 'value="referral_letter" selected' in page
    assert 'value="HIV" id="d_labels_3" checked' in page or "checked" in page
    assert not Document.objects.exists()


def test_too_large_a_file_gives_the_typed_words_back(cast: Cast) -> None:
    answer = send(cast, b"%PDF-1.4\n" + bytes(10 * 2**20) + b"%%EOF")
    page = answer.content.decode()
    assert (answer.status_code, "10 MB at most" in page, 'value="From Dr Ouma"' in page) == (422, True, True)


def test_the_test_virus_is_kept_as_text_and_leaves_as_a_file_to_save(cast: Cast) -> None:
    assert send(cast, EICAR, "eicar.com").status_code == 303
    row = Document.objects.get()
    answer = as_user(cast.alice).get(url("document_file", cast, row.pk))
    assert answer["Content-Disposition"].endswith(".txt") and answer.content == EICAR


HOSTILE = (
    'evil.pdf"\r\nX-Bad: 1', "a\0.pdf", "report\u202egpj.exe", "../../x.pdf", '"; filename="evil.exe',
    "<img src=x onerror=alert(1)>.png", "%0d%0aSet-Cookie: a=b.pdf",
)  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_name_is_text_on_the_page_and_never_a_header(cast: Cast, name: str) -> None:
    sent = SimpleUploadedFile("x", PDF)
    sent._name = name  # type: ignore[attr-defined] # past Django's own cleaning of what a test sends
    client = as_user(cast.alice)
    client.post(url("document_new", cast), SAID | {"upload_id": uuid4(), "title": "", "file": sent})
    makers.scope_all()
    for row in Document.objects.all():
        page = client.get(url("documents", cast)).content.decode()
        assert "<img src=x" not in page and "\u202e" not in page and "\0" not in page
        answer = client.get(url("document_file", cast, row.pk))
        assert "X-Bad" not in answer and "Set-Cookie" not in answer
        assert answer["Content-Disposition"].isascii()
        assert answer["Content-Disposition"].endswith((".pdf", ".exe.pdf"))


def test_a_script_is_told_where_to_go_and_a_store_that_is_away_keeps_the_words(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = send(cast, PDF, headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Redirect"]) == (204, url("documents", cast))

    def away(**_: object) -> None:
        raise KeyProviderError("the keys are away")

    monkeypatch.setattr("clinical.documents.views.actions.upload_document", away)
    answer = send(cast, PDF)
    assert (answer.status_code, 'value="From Dr Ouma"' in answer.content.decode()) == (503, True)


def test_the_list_takes_one_kind_and_counts_what_labels_shut(cast: Cast) -> None:
    join(cast, cast.bob)
    shut = bring(cast, title="Hidden words")
    label_document(actor=staff(cast.alice), patient_id=cast.patient.pk, document_id=shut.pk, labels=["V"])
    bring(cast, png(), kind="identity", title="Passport")
    bob = as_user(cast.bob)
    page = bob.get(url("documents", cast)).content.decode()
    assert "Passport" in page and "Hidden words" not in page
    assert "1 document of this person is not shown to you" in page
    assert bob.get(url("document_page", cast, shut.pk)).status_code == 404
    assert bob.get(url("document_file", cast, shut.pk)).status_code == 404
    assert "Passport" not in bob.get(url("documents", cast) + "?kind=report").content.decode()
    assert "Passport" in bob.get(url("documents", cast) + "?kind=identity").content.decode()


def test_an_error_is_marked_with_a_reason_and_shows_everywhere(cast: Cast) -> None:
    row, client = bring(cast), as_user(cast.alice)
    empty = client.post(url("document_error", cast, row.pk), {"reason": " "})
    assert (empty.status_code, "Say what is wrong" in empty.content.decode()) == (422, True)
    client.post(url("document_error", cast, row.pk), {"reason": "Of her <b>sister</b>."})
    page = client.get(url("document_page", cast, row.pk)).content.decode()
    assert "Of her &lt;b&gt;sister" in page and "It does not belong here" not in page
    assert "entered in error" in client.get(url("documents", cast)).content.decode()
    assert "Entered in error." in client.get(url("timeline", cast)).content.decode()
    assert client.get(url("document_file", cast, row.pk)).content == PDF
    again = client.post(url("document_error", cast, row.pk), {"reason": "Typed words."})
    assert again.status_code == 409


def test_labels_are_set_on_the_page_of_a_document(cast: Cast) -> None:
    row, client = bring(cast), as_user(cast.alice)
    client.post(url("document_label", cast, row.pk), {"labels": ["R", "HIV"]})
    makers.scope_all()
    assert Document.objects.get().sensitivity_labels == ["HIV", "R"]


def test_the_timeline_shows_a_document_by_its_kind_and_not_by_its_title(cast: Cast) -> None:
    bring(cast, title="Lab result of March", received_on=makers.now().date())
    page = as_user(cast.alice).get(url("timeline", cast)).content.decode()
    assert "Document: report" in page and "Lab result of March" not in page


def test_break_glass_reads_and_brings_nothing_and_labels_stay_shut(cast: Cast) -> None:
    plain, shut = bring(cast), bring(cast, TEXT, title="Other")
    label_document(actor=staff(cast.alice), patient_id=cast.patient.pk, document_id=shut.pk, labels=["HIV"])
    makers.scope_all()
    doctor = makers.make_user("psychiatrist", cast.home)
    break_glass(
        actor=staff(doctor), asked=cast.patient.anonymous_id, reason_code="imminent_risk",
        reason="Her brother rang.",
    )  # fmt: skip
    client = as_user(doctor)
    assert client.get(url("document_file", cast, plain.pk)).content == PDF
    assert client.get(url("document_file", cast, shut.pk)).status_code == 404
    assert "not shown to you" in client.get(url("documents", cast)).content.decode()
    makers.scope_all()
    look = PhiAccessLog.objects.filter(object_id=plain.pk).get()
    assert look.break_glass is not None
    answer = send(cast, PDF, client=client)
    assert (answer.status_code, "Break-glass" in answer.content.decode()) == (409, True)
    with pytest.raises(Exception, match="reading"):
        mark_error(actor=staff(doctor), patient_id=cast.patient.pk, document_id=plain.pk, reason="x")
    assert Document.objects.count() == 2


def test_a_document_that_was_changed_leaves_no_byte_and_becomes_a_dead_letter(cast: Cast) -> None:
    row = bring(cast)
    by_hand("DELETE FROM clinical_documentchunk WHERE document_id = %s", row.pk)
    client = as_user(cast.alice)
    client.raise_request_exception = False
    answer = client.get(url("document_file", cast, row.pk))
    assert answer.status_code == 500 and "Content-Disposition" not in answer
    assert PDF not in answer.content


def test_a_stranger_finds_no_document_and_an_administrator_no_title(cast: Cast) -> None:
    row = bring(cast, title="Mbuyuni secret")
    for name in ("documents", "document_new"):
        assert as_user(cast.bob).get(url(name, cast)).status_code == 404
    for name in ("document_page", "document_file"):
        assert as_user(cast.bob).get(url(name, cast, row.pk)).status_code == 404
        assert as_user(cast.ada).get(url(name, cast, row.pk)).status_code == 403
    office = as_user(cast.ada).get(f"/admin/clinical/document/{row.pk}/change/").content.decode()
    assert "Mbuyuni" not in office
    piece = row.piece_ids()[0]
    for path in (f"documentchunk/{piece}/change/", "documentchunk/", "document/"):
        answer = as_user(cast.ada).get(f"/admin/clinical/{path}")
        assert (answer.status_code, "Mbuyuni" in answer.content.decode()) == (200, False)


def ask(body: list[bytes], length: bytes | None, path: str = "/charts/") -> list[Any]:
    """Send a body in parts to the asynchronous door; return what it answers and how many parts it took."""
    sent: list[Any] = []
    parts = [{"type": "http.request", "body": one, "more_body": True} for one in body]
    parts.append({"type": "http.request", "body": b"", "more_body": False})
    taken = iter(parts)

    async def receive() -> Any:
        return next(taken)

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"host", b"testserver"), (b"content-type", b"multipart/form-data; boundary=x")]
    headers.append((b"cookie", b"csrftoken=" + b"x" * 32))
    headers += [(b"content-length", length)] if length is not None else []
    scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "root_path": "",
             "headers": headers}  # fmt: skip
    asyncio.run(Pages()(scope, receive, send))
    return [sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"], len(list(taken))]


def test_a_body_that_is_too_long_is_refused_whatever_length_it_declares() -> None:
    part = bytes(2**20)
    for length in (b"10", b"%d" % (13 * 2**20), None):
        status, headers, text, _ = ask([part] * 13, length)
        assert status == 413 and b"10 MB at most" in text
        assert headers[b"Content-Security-Policy"].startswith(b"default-src 'none'")
    status, _, _, left = ask([part] * 3, str(2**31).encode())
    assert (status, left) == (413, 4)  # not a byte of it was read
    status, _, _, left = ask([part] * 60, None)
    assert status == 413 and left > 5
    status, headers, text, _ = ask([part] * 13, None, "/api/v1/intake")
    assert headers[b"Content-Type"] == b"application/problem+json" and b'"status": 413' in text


def test_no_part_of_a_long_body_ever_lies_in_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a temporary file")

    monkeypatch.setattr("tempfile.NamedTemporaryFile", refuse)
    monkeypatch.setattr("tempfile.SpooledTemporaryFile", refuse)
    monkeypatch.setattr("django.core.files.uploadhandler.TemporaryUploadedFile", refuse)
    seen: list[Any] = []
    kept = MemoryFileUploadHandler.file_complete
    monkeypatch.setattr(
        MemoryFileUploadHandler, "file_complete", lambda self, size: seen.append(size) or kept(self, size)
    )
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n'
    body = [head, *[bytes(2**20)] * 10, b"\r\n--x--\r\n"]
    where = f"/charts/{uuid4()}/documents/new/"
    status, *_ = ask(body, b"%d" % sum(map(len, body)), where)
    assert (status, seen) == (403, [10 * 2**20])  # it was read to its end, and then had no token
