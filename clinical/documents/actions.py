"""Writes of documents: keep one in sealed pieces, label it, say that it was entered in error."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from clinical.documents import queries
from clinical.documents.formats import Refused, media_type_of
from clinical.documents.models import PIECE_BYTES, Document, DocumentChunk, DocumentKind
from clinical.documents.naming import MOST_SIGNS, UNSEEN, title_of
from clinical.documents.wording import LABELS, size_words
from cortex.audit import Actor, InputRefused, RuleBroken, Unchanged, action, record
from cortex.clock import clock
from cortex.crypto.keys import DataKey
from cortex.keys.sealing import key_of
from cortex.signs import holds_unseen
from patients.codes import LANGUAGES
from patients.registry import access
from patients.registry.queries import local_day, rows_of

# One statement of SQL holds so many pieces: a megabyte.
AT_ONCE = 16
MOST_REASON = 1_000
SMALLER = "Save it smaller, for example by scanning in grey, or bring it in parts."


@dataclass(frozen=True, slots=True)
class DocumentData:
    """What is said of a file that is brought; without a title the file's own name gives it one."""

    kind: str
    file_name: str = ""
    title: str = ""
    language: str = ""
    received_on: date | None = None
    labels: Collection[str] = ()

    @property
    def called(self) -> str:
        """Return the title that it gets."""
        return " ".join(self.title.split()) or title_of(self.file_name)


@action
def upload_document(
    *, actor: Actor, patient_id: UUID, upload_id: UUID, data: DocumentData, content: bytes,
    at: datetime | None = None,
) -> Document:  # fmt: skip
    """Keep a file in a person's chart, sealed piece by piece under the person's own key.

    What it is, its bytes say. The same form sent twice keeps it once. InputRefused says at which field what
    is to be done.
    """
    at = clock(at)
    who = access.treated(actor, patient_id, at)
    known = queries.sent_before(actor.person, upload_id, rows_of(who))
    if known is not None:
        return Unchanged(known)  # type: ignore[return-value]
    today = local_day(who, at)
    _check(data, today)
    most = queries.most_bytes(who.organization)
    if len(content) > most:
        raise InputRefused(f"{size_words(most)} at most. {SMALLER}", "too_large", field="file")
    try:
        media_type = media_type_of(content)
    except Refused as error:
        raise InputRefused(str(error), "file_refused", field="file") from None
    row = Document(
        organization_id=who.organization_id, patient=who, kind=data.kind, language=data.language,
        received_on=data.received_on, media_type=media_type, byte_size=len(content), upload_id=upload_id,
        sensitivity_labels=sorted(set(data.labels) - {"N"}), uploaded_by=actor.person, uploaded_at=at,
    )  # fmt: skip
    key = key_of(who.pk)
    row.title = _sealed(row, "title", data.called, key)
    row.sha256 = _sealed(row, "sha256", hashlib.sha256(content).digest(), key)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        # The form came twice at the same time: the other one kept it meanwhile.
        known = queries.sent_before(actor.person, upload_id, rows_of(who))
        if known is None:
            raise
        return Unchanged(known)  # type: ignore[return-value]
    _keep_pieces(row, key, content)
    codes = {"kind": row.kind, "media_type": str(media_type), "bytes": row.byte_size,
             "labels": row.sensitivity_labels}  # fmt: skip
    record(actor, "document.uploaded", row, subject=who.pk, codes=codes)
    return row


def _check(data: DocumentData, today: date) -> None:
    if data.kind not in DocumentKind.values:
        raise InputRefused("Choose what it is.", "kind_unknown", field="kind")
    if data.language and data.language not in LANGUAGES:
        raise InputRefused("Choose a language of the list.", "language_unknown", field="language")
    if holds_unseen(data.title):
        raise InputRefused(UNSEEN, "title_unseen", field="title")
    if not data.called:
        raise InputRefused("Give it a title: the file's name says nothing.", "required", field="title")
    if len(data.called) > MOST_SIGNS:
        raise InputRefused(f"At most {MOST_SIGNS} signs.", "too_long", field="title")
    if data.received_on is not None and data.received_on > today:
        raise InputRefused("It can't come later than today.", "in_future", field="received_on")
    _check_labels(data.labels)


def _check_labels(labels: Collection[str]) -> None:
    if set(labels) - LABELS.keys():
        raise InputRefused("Choose labels of the list.", "label_unknown", field="labels")


def _sealed(row: Any, name: str, value: Any, key: DataKey) -> Any:
    field = type(row)._meta.get_field(name)
    return field.seal(value, pk=row.pk, subject=row.patient_id, key=key)


def _keep_pieces(row: Document, key: DataKey, content: bytes) -> None:
    pieces = []
    for position, piece in enumerate(row.piece_ids()):
        one = DocumentChunk(
            pk=piece, organization_id=row.organization_id, patient_id=row.patient_id, document=row,
            position=position,
        )  # fmt: skip
        start = position * PIECE_BYTES
        one.content = _sealed(one, "content", content[start : start + PIECE_BYTES], key)
        pieces.append(one)
    DocumentChunk.objects.bulk_create(pieces, batch_size=AT_ONCE)


@action
def mark_error(
    *, actor: Actor, patient_id: UUID, document_id: UUID, reason: str, at: datetime | None = None
) -> Document:
    """Say that a document was entered in error, and why; it stays as it is, and so does the mark."""
    at = clock(at)
    who = queries.reader(actor, patient_id, at)
    row = queries.locked(who, document_id)
    if not reason.strip():
        raise InputRefused("Say what is wrong with it.", "required", field="reason")
    if len(reason) > MOST_REASON:
        raise InputRefused(f"At most {MOST_REASON:,} signs.", "too_long", field="reason")
    if row.is_in_error:
        raise RuleBroken("Somebody said so already. Open the document anew.", "already_in_error")
    row.entered_in_error_at, row.entered_in_error_by = at, actor.person
    row.error_reason = _sealed(row, "error_reason", reason.strip(), key_of(row.patient_id))
    fields = ["entered_in_error_at", "entered_in_error_by", "error_reason"]
    row.save(update_fields=[*fields, "updated_at"])
    record(actor, "document.entered_in_error", row, subject=row.patient_id, fields=fields)
    return row


@action
def label_document(
    *, actor: Actor, patient_id: UUID, document_id: UUID, labels: Collection[str],
    at: datetime | None = None,
) -> Document:  # fmt: skip
    """Set the labels of a document that one brought oneself."""
    who = queries.reader(actor, patient_id, clock(at))
    row = queries.locked(who, document_id)
    if row.uploaded_by_id != actor.person.pk:
        raise RuleBroken("Who brought a document sets its labels.", "not_yours")
    _check_labels(labels)
    wanted = sorted(set(labels) - {"N"})
    if wanted == sorted(row.sensitivity_labels):
        return Unchanged(row)  # type: ignore[return-value]
    codes = {"before": row.sensitivity_labels, "after": wanted}
    row.sensitivity_labels = wanted
    row.save(update_fields=["sensitivity_labels", "updated_at"])
    record(
        actor, "document.labelled", row, subject=row.patient_id, fields=["sensitivity_labels"], codes=codes
    )
    return row
