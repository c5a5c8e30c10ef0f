"""Reads of documents: each asks whose chart is open and what labels shut; bytes come whole or not at all."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from clinical.documents.models import MOST_BYTES, Document, DocumentChunk
from cortex.access.context import AccessContext
from cortex.accounts.models import Organization, User
from cortex.audit import Actor, NotFound
from cortex.crypto.errors import DecryptError, Place
from patients.labels.queries import standing
from patients.labels.rules import closed_to
from patients.registry import access
from patients.registry.models import Patient
from patients.registry.queries import rows_of

MOST = 200
MEGABYTE = 2**20


@dataclass(slots=True)
class Reader:
    """Whose documents of which person somebody may read."""

    user: User
    patient: Patient
    ids: list[UUID]
    condition: Q


def reader(actor: Actor, patient_id: UUID, at: datetime) -> Reader:
    """Return what is open to somebody of one person's documents; NotFound unless their chart is open.

    Labels shut as those of notes do; whoever brought a document opens it whatever it is labelled.
    """
    patient = access.treated(actor, patient_id, at)
    return reader_by(actor.person, patient, standing(actor.person, patient, at))


def reader_by(user: User, patient: Patient, stands: tuple[str, bool]) -> Reader:
    """Return the same for somebody of whom it is known how they stand to the person's labels."""
    relation, part2 = stands
    shut = sorted(closed_to(relation, part2=part2))
    condition = Q(uploaded_by=user) | ~Q(sensitivity_labels__overlap=shut)
    return Reader(user, patient, rows_of(patient), condition)


@dataclass(slots=True)
class Listed:
    """A person's documents as their list shows them; `withheld` counts what labels shut."""

    documents: list[Document]
    withheld: int
    is_cut: bool


def listed(who: Reader, kind: str = "") -> Listed:
    """Return a person's documents (of one kind, or all), the newest first; nothing is opened."""
    rows = Document.objects.filter(patient_id__in=who.ids)
    if kind:
        rows = rows.filter(kind=kind)
    open_rows = rows.filter(who.condition)
    found = list(open_rows.select_related("uploaded_by").order_by("-uploaded_at", "-pk")[: MOST + 1])
    return Listed(found[:MOST], rows.count() - open_rows.count(), len(found) > MOST)


def document(who: Reader, document_id: UUID) -> Document:
    """Return a document that somebody may read; NotFound for every other."""
    rows = Document.objects.filter(pk=document_id, patient_id__in=who.ids).filter(who.condition)
    found = rows.select_related("uploaded_by", "entered_in_error_by").first()
    if found is None:
        raise NotFound
    return found


def locked(who: Reader, document_id: UUID) -> Document:
    """Lock and return a document that somebody may read; NotFound for every other."""
    rows = Document.objects.select_for_update(of=("self",), no_key=True)
    found = rows.filter(pk=document_id, patient_id__in=who.ids).filter(who.condition).first()
    if found is None:
        raise NotFound
    return found


def sent_before(user: User, upload_id: UUID, ids: list[UUID]) -> Document | None:
    """Return what somebody kept for one of these rows by the same form, or None."""
    return Document.objects.filter(uploaded_by=user, upload_id=upload_id, patient_id__in=ids).first()


def most_bytes(organization: Organization) -> int:
    """Return how large a document of an organization may be."""
    settings = organization.settings if isinstance(organization.settings, dict) else {}
    allowed: int = settings.get("document_max_mb", MOST_BYTES // MEGABYTE)
    return min(allowed * MEGABYTE, MOST_BYTES)


def opened(context: AccessContext, row: Document) -> bytes:
    """Open a document's bytes, all of them; raise DecryptError when a piece is missing or doesn't fit.

    Which rows are its pieces, says the document's own id and size: what somebody wrote into their columns
    decides nothing.
    """
    context.open([row], ["sha256"])
    ids = row.piece_ids()
    found = {one.pk: one for one in DocumentChunk.objects.filter(pk__in=ids)}
    pieces = [found[one] for one in ids if one in found]
    context.open(pieces, ["content"])
    data = b"".join(one.content for one in pieces)
    whole = len(pieces) == len(ids) and len(data) == row.byte_size
    if not whole or not hmac.compare_digest(hashlib.sha256(data).digest(), row.sha256):
        raise _broken(row)
    return data


def _broken(row: Document) -> DecryptError:
    fault = DecryptError(f"the pieces of document {row.pk} are not those that were kept")
    fault.place = Place("clinical.Document.sha256", row.pk, row.organization_id)
    return fault


def documented(patient_ids: list[UUID]) -> set[UUID]:
    """Return who of these people has a document, label or not."""
    rows = Document.objects.filter(patient_id__in=patient_ids)
    return set(rows.values_list("patient_id", flat=True))
