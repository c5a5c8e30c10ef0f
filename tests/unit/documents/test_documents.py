"""Documents from the form to the last byte: what is kept, how, for whom, and what can't be changed."""

from __future__ import annotations

import hashlib
import os
import re
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from clinical.documents import queries
from clinical.documents.actions import DocumentData, label_document, mark_error, upload_document
from clinical.documents.models import MOST_BYTES, PIECE_BYTES, Document, DocumentChunk
from cortex.access.context import reading
from cortex.accounts.models import User
from cortex.audit import InputRefused, NotFound, RuleBroken
from cortex.audit.models import AuditLog, PhiAccessLog
from cortex.crypto.errors import DecryptError, KeyDestroyed
from cortex.keys.actions import destroy_key
from cortex.keys.cache import cache
from patients.registry.access import CHART
from patients.registry.models import Patient
from tests import makers, stores
from tests.cast import Cast
from tests.makers import staff
from tests.unit.documents.files import PDF, TEXT, pdf_of

pytestmark = pytest.mark.django_db
THREE = pdf_of(2 * PIECE_BYTES + 100)


def bring(
    cast: Cast, content: bytes = PDF, user: User | None = None, upload_id: UUID | None = None, **said: Any
) -> Document:
    data = DocumentData(**{"kind": "report", "title": "Letter from the ward"} | said)
    row = upload_document(
        actor=staff(user or cast.alice), patient_id=cast.patient.pk, upload_id=upload_id or uuid4(),
        data=data, content=content,
    )  # fmt: skip
    makers.scope_all()
    return row


def read(cast: Cast, document_id: UUID, user: User | None = None) -> bytes:
    actor = staff(user or cast.alice)
    try:
        with reading(actor, purpose="treatment", permission=CHART) as context:
            who = queries.reader(actor, cast.patient.pk, makers.now())
            return queries.opened(context, queries.document(who, document_id))
    finally:
        makers.scope_all()


def withheld(cast: Cast, user: User) -> int:
    actor = staff(user)
    with reading(actor, purpose="treatment", permission=CHART) as context:
        found = queries.listed(queries.reader(actor, cast.patient.pk, makers.now()))
        context.saw("documents", subjects=[cast.patient.pk])
    makers.scope_all()
    return found.withheld


def join(cast: Cast, user: User) -> None:
    makers.add_to_team(cast.patient, user, role="case_manager", starts_at=makers.now() - timedelta(minutes=1))


def by_hand(statement: str, *values: Any) -> None:
    """Change rows as the one role that triggers let pass: somebody with the database in their hands."""
    with stores.role("cortex_eraser"), connection.cursor() as cursor:
        cursor.execute(statement, values or None)


def test_a_file_comes_back_byte_for_byte_and_its_upload_is_on_record(cast: Cast) -> None:
    content = THREE
    row = bring(cast, content, language="sw", labels=["N"])
    assert read(cast, row.pk) == content
    assert row.chunks.count() == 3
    told = AuditLog.objects.get(event_type="document.uploaded")
    assert (told.subject, told.object_id) == (cast.patient.pk, row.pk)
    assert told.codes == {"kind": "report", "media_type": "application/pdf", "bytes": len(content),
                          "labels": []}  # fmt: skip


def test_neither_words_nor_a_digest_of_the_file_stand_in_the_database(cast: Cast) -> None:
    bring(cast, TEXT, title="Barua ya siri")
    hidden = (TEXT[:24], b"Barua ya siri", hashlib.sha256(TEXT).digest(),
              hashlib.sha256(TEXT).hexdigest().encode())  # fmt: skip
    with connection.cursor() as cursor:
        for table in ("clinical_document", "clinical_documentchunk", "audit_auditlog"):
            cursor.execute(f"SELECT row_to_json(t)::text FROM {table} t")  # noqa: S608
            text = "".join(line for (line,) in cursor.fetchall())
            assert text
            for one in hidden:
                assert one.hex() not in text and one.decode("latin-1") not in text


def test_the_same_form_sent_twice_keeps_one_document(cast: Cast) -> None:
    upload_id = uuid4()
    assert bring(cast, upload_id=upload_id).pk == bring(cast, upload_id=upload_id).pk
    assert Document.objects.count() == 1


SWAP = (
    "UPDATE clinical_documentchunk a SET content = b.content FROM clinical_documentchunk b "
    "WHERE a.id = %s AND b.id = %s"
)
CHANGES = {
    "two pieces change places": lambda one, other: [
        ("UPDATE clinical_documentchunk a SET content = b.content FROM (SELECT id, content FROM "
         "clinical_documentchunk) b WHERE (a.id, b.id) IN ((%s, %s), (%s, %s))", *one[:2], *one[1::-1])
    ],
    "two pieces change ids": lambda one, other: [
        ("UPDATE clinical_documentchunk SET id = %s WHERE id = %s", uuid4_of(9), one[0]),
        ("UPDATE clinical_documentchunk SET id = %s WHERE id = %s", one[0], one[1]),
        ("UPDATE clinical_documentchunk SET id = %s WHERE id = %s", one[1], uuid4_of(9)),
    ],
    "a piece is dropped": lambda one, other: [
        ("DELETE FROM clinical_documentchunk WHERE id = %s", one[1])
    ],
    "the last piece is dropped and the size says so": lambda one, other: [
        ("DELETE FROM clinical_documentchunk WHERE id = %s", one[2]),
        ("UPDATE clinical_document SET byte_size = %s", 2 * PIECE_BYTES),
    ],
    "the size says a few bytes less": lambda one, other: [
        ("UPDATE clinical_document SET byte_size = byte_size - %s", 1)
    ],
    "a piece is that of another document": lambda one, other: [(SWAP, one[0], other[0])],
    "a piece stands twice": lambda one, other: [(SWAP, one[1], one[0])],
    "a piece is cut": lambda one, other: [
        ("UPDATE clinical_documentchunk SET content = substr(content, 1, octet_length(content) - 1) "
         "WHERE id = %s", one[0])
    ],
    "a bit is turned": lambda one, other: [
        ("UPDATE clinical_documentchunk SET content = set_bit(content, 800, 1 - get_bit(content, 800)) "
         "WHERE id = %s", one[1])
    ],
    "a piece was put back unsealed": lambda one, other: [
        ("UPDATE clinical_documentchunk SET content = %s WHERE id = %s", b"%PDF-1.4 made", one[0])
    ],
    "another document's digest": lambda one, other: [
        ("UPDATE clinical_document a SET sha256 = b.sha256 FROM clinical_document b WHERE a.id <> b.id",)
    ],
}  # fmt: skip


def uuid4_of(number: int) -> UUID:
    return UUID(int=number)


@pytest.mark.parametrize("change", CHANGES)
def test_a_document_whose_rows_were_changed_is_refused_whole(cast: Cast, change: str) -> None:
    one = bring(cast, THREE)
    other = bring(cast, pdf_of(2 * PIECE_BYTES + 100, b"y"))
    ids = [row.piece_ids() for row in (one, other)]
    for statement, *values in CHANGES[change](*ids):
        by_hand(statement, *values)
    with pytest.raises(DecryptError):
        read(cast, one.pk)


def test_positions_in_columns_decide_nothing(cast: Cast) -> None:
    row = bring(cast, THREE)
    by_hand("UPDATE clinical_documentchunk SET position = position + 10")
    assert read(cast, row.pk) == THREE


def test_who_does_not_treat_the_person_can_neither_bring_nor_read(cast: Cast) -> None:
    row = bring(cast)
    for stranger in (cast.bob, cast.charlie, cast.ada):
        with pytest.raises(NotFound):
            bring(cast, user=stranger)
        with pytest.raises(NotFound):
            read(cast, row.pk, stranger)
    assert Document.objects.count() == 1


@pytest.mark.parametrize("label", ["V", "SUD_PART2"])
def test_a_label_hides_a_document_from_the_team_and_only_its_number_shows(cast: Cast, label: str) -> None:
    join(cast, cast.bob)
    row = bring(cast)
    assert read(cast, row.pk, cast.bob) == PDF
    label_document(actor=staff(cast.alice), patient_id=cast.patient.pk, document_id=row.pk, labels=[label])
    with pytest.raises(NotFound):
        read(cast, row.pk, cast.bob)
    assert withheld(cast, cast.bob) == 1
    assert read(cast, row.pk) == PDF
    assert AuditLog.objects.get(event_type="document.labelled").codes == {"before": [], "after": [label]}


def test_only_who_brought_a_document_labels_it_and_no_file_is_a_process_note(cast: Cast) -> None:
    join(cast, cast.bob)
    row = bring(cast)
    where: dict[str, Any] = {"patient_id": cast.patient.pk, "document_id": row.pk}
    with pytest.raises(RuleBroken, match="Who brought"):
        label_document(actor=staff(cast.bob), labels=["V"], **where)
    with pytest.raises(InputRefused):
        label_document(actor=staff(cast.alice), labels=["PSYTHPN"], **where)


def test_an_error_is_marked_once_with_a_reason_and_the_document_stays(cast: Cast) -> None:
    row = bring(cast)
    where: dict[str, Any] = {
        "actor": staff(cast.alice), "patient_id": cast.patient.pk, "document_id": row.pk,
    }  # fmt: skip
    with pytest.raises(InputRefused):
        mark_error(reason="  ", **where)
    mark_error(reason="Of her sister.", **where)
    with pytest.raises(RuleBroken, match="already"):
        mark_error(reason="Again.", **where)
    makers.scope_all()
    assert Document.objects.get().is_in_error
    assert read(cast, row.pk) == PDF
    told = AuditLog.objects.get(event_type="document.entered_in_error")
    assert "sister" not in str(told.codes) and told.subject == cast.patient.pk


def run_as(role: str, statement: str) -> None:
    with stores.role(role), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE clinical_document SET kind = 'other'",
        "UPDATE clinical_document SET title = NULL",
        "UPDATE clinical_document SET byte_size = 7",
        "UPDATE clinical_document SET entered_in_error_at = NULL, entered_in_error_by_id = NULL, "
        "error_reason = NULL",
        "DELETE FROM clinical_document",
        "UPDATE clinical_documentchunk SET position = 3",
        "DELETE FROM clinical_documentchunk",
    ],
)
def test_the_database_lets_nothing_of_a_kept_document_change(cast: Cast, statement: str) -> None:
    row = bring(cast)
    mark_error(
        actor=staff(cast.alice), patient_id=cast.patient.pk, document_id=row.pk, reason="Of her sister."
    )
    makers.scope_all()
    for role in ("cortex_app", "cortex_system"):
        with pytest.raises(DatabaseError):
            run_as(role, statement)
    with pytest.raises(DatabaseError, match=r"keeps what was brought|append-only"):
        run_as("cortex_owner", statement)


def test_a_destroyed_key_takes_title_and_bytes_with_it(cast: Cast) -> None:
    row = bring(cast, THREE)
    with stores.role("cortex_system"):
        destroy_key(actor=makers.machine(cast.home), subject_id=cast.patient.pk, reason="erasure")
    cache.forget()
    makers.scope_all()
    with pytest.raises(KeyDestroyed):
        read(cast, row.pk)
    assert DocumentChunk.objects.count() == 3


@pytest.mark.parametrize(
    ("said", "field", "words"),
    [
        ({"kind": "diary"}, "kind", "Choose what it is"),
        ({"language": "xx"}, "language", "of the list"),
        ({"title": "Letter\u202egpj.exe"}, "title", "turn its direction"),
        ({"title": "Two\r\nlines"}, "title", "nobody sees"),
        ({"title": "A\0B"}, "title", "nobody sees"),
        ({"title": "", "file_name": "..."}, "title", "says nothing"),
        ({"title": "x" * 201}, "title", "200"),
        ({"labels": ["SECRET"]}, "labels", "of the list"),
        ({"received_on": (makers.now() + timedelta(days=3)).date()}, "received_on", "later than today"),
    ],
)
def test_what_is_said_of_a_file_is_checked_at_its_field(
    cast: Cast, said: dict[str, Any], field: str, words: str
) -> None:
    with pytest.raises(InputRefused, match=words) as refused:
        bring(cast, **said)
    assert refused.value.extra["field"] == field
    assert not Document.objects.exists()


def test_the_organization_says_how_large_a_document_may_be(cast: Cast) -> None:
    large = b"%PDF-1.4\n" + os.urandom(2**20) + b"\n%%EOF"
    bring(cast, large)
    cast.home.settings = {"document_max_mb": 1}
    cast.home.save()
    with pytest.raises(InputRefused, match="1 MB at most"):
        bring(cast, large)
    assert Document.objects.count() == 1


def test_a_look_at_the_bytes_is_one_row_of_the_access_log_with_its_purpose(cast: Cast) -> None:
    row = bring(cast)
    read(cast, row.pk)
    found = PhiAccessLog.objects.filter(subject=cast.patient.pk, actor_id=cast.alice.pk)
    assert {one.purpose for one in found} == {"treatment"}


def test_ten_megabytes_are_kept_and_come_back(cast: Cast) -> None:
    content = b"%PDF-1.4\n" + os.urandom(10 * 2**20 - 16) + b"\n%%EOF\n"
    assert len(content) == 10 * 2**20
    row = bring(cast, content)
    assert read(cast, row.pk) == content
    with pytest.raises(InputRefused, match="10 MB at most"):
        bring(cast, content + b"\n")


def test_documents_of_one_person_are_no_others(cast: Cast) -> None:
    row = bring(cast)
    other = makers.make_patient(cast.home)
    makers.add_to_team(other, cast.alice)
    assert isinstance(other, Patient)
    actor = staff(cast.alice)
    with reading(actor, purpose="treatment", permission=CHART) as context:
        who = queries.reader(actor, other.pk, makers.now())
        context.saw("documents", subjects=[other.pk])
        with pytest.raises(NotFound):
            queries.document(who, row.pk)


def test_the_proxy_of_the_deployment_lets_through_what_the_product_takes() -> None:
    said = (stores.ROOT / "docs/deploy/Caddyfile").read_text()
    (most, unit) = re.findall(r"^\s*max_size (\d+)(\w+)$", said, re.MULTILINE)[0]
    bytes_let_through = int(most) * {"MB": 10**6, "MiB": 2**20}[unit]
    assert bytes_let_through == settings.FILE_UPLOAD_MAX_MEMORY_SIZE
    assert bytes_let_through > MOST_BYTES + 2**20, "a form's fields stand beside the file"
