"""Documents of a chart and the sealed pieces of their bytes."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import Func, IntegerField, Q
from django.db.models.lookups import LessThanOrEqual

from cortex.crypto.fields import SealedBytesField, SealedCharField, SealedTextField
from cortex.crypto.keys import OVERHEAD_BYTES
from cortex.records import AppendedRecord, OrgRecord
from patients.bounds import between, known_labels, one_of, sensitivity_field
from patients.codes import LANGUAGES

MOST_BYTES = 10 * 2**20
# As much as renewing keys and proving them hold of a thousand rows at once stays small (decision 40).
PIECE_BYTES = 64 * 2**10
MOST_PIECES = MOST_BYTES // PIECE_BYTES
DIGEST_BYTES = 32


class DocumentKind(models.TextChoices):
    """What a document is."""

    REFERRAL_LETTER = "referral_letter", "Referral letter"
    DISCHARGE_SUMMARY = "discharge_summary", "Discharge summary"
    REPORT = "report", "Report"
    CONSENT_FORM = "consent_form", "Consent form"
    IDENTITY = "identity", "Identity"
    CORRESPONDENCE = "correspondence", "Correspondence"
    OTHER = "other", "Other"


class MediaType(models.TextChoices):
    """What a document's bytes are, as they say themselves."""

    PDF = "application/pdf", "PDF"
    PNG = "image/png", "PNG image"
    JPEG = "image/jpeg", "JPEG image"
    TEXT = "text/plain", "Plain text"


def person_of_staff(**more: Any) -> models.ForeignKey[Any, Any]:
    """A member of staff who did something with a document."""
    return models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", **more)


def pieces_of(size: int) -> int:
    """Return in how many pieces so many bytes lie."""
    return -(-size // PIECE_BYTES)


def piece_id(document_id: UUID, position: int, count: int) -> UUID:
    """Return the id of one piece (from 0) of a document of so many pieces.

    A sealed value is bound to its row's id, so an id made of document, position and count binds all three: a
    piece that was moved, dropped, doubled or taken from a shorter document doesn't open.
    """
    name = document_id.bytes + position.to_bytes(4, "big") + count.to_bytes(4, "big")
    number = int.from_bytes(hashlib.sha256(b"cortex.document.piece\0" + name).digest()[:16], "big")
    # Version 8 of RFC 9562: an id made by a rule of its own.
    return UUID(int=number & ~(0xF << 76) & ~(0x3 << 62) | 0x8 << 76 | 0x2 << 62)


class Document(OrgRecord):
    """A file of a person's chart; a trigger lets nothing change but labels and the mark of an error."""

    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=20, choices=DocumentKind)
    title = SealedCharField(max_length=200)
    language = models.CharField(max_length=8, blank=True)
    received_on = models.DateField(null=True, help_text="When the paper came; empty: not known.")
    media_type = models.CharField(max_length=20, choices=MediaType)
    byte_size = models.PositiveIntegerField()
    sha256 = SealedBytesField(
        max_length=DIGEST_BYTES,
        help_text="Sealed: a bare digest would tell whoever has the same file that this person has it.",
    )
    sensitivity_labels = sensitivity_field()
    upload_id = models.UUIDField(help_text="Of the form that sent it: sent twice, it is kept once.")
    uploaded_by = person_of_staff(db_index=False)
    uploaded_at = models.DateTimeField()
    entered_in_error_at = models.DateTimeField(null=True)
    entered_in_error_by = person_of_staff(null=True)
    error_reason = SealedTextField(null=True, max_length=1_000)

    class Meta:
        ordering = ["-uploaded_at", "-id"]
        constraints = [
            one_of("kind", DocumentKind.values, "document_kind_known"),
            one_of("media_type", MediaType.values, "document_media_type_known"),
            one_of("language", ["", *LANGUAGES], "document_language_known"),
            between("byte_size", 1, MOST_BYTES, "document_size_bounds"),
            known_labels("document_labels_known"),
            models.CheckConstraint(
                condition=~Q(sensitivity_labels__contains=["PSYTHPN"]), name="document_is_no_process_note"
            ),
            models.CheckConstraint(
                condition=Q(
                    entered_in_error_at__isnull=True, entered_in_error_by__isnull=True,
                    error_reason__isnull=True,
                )
                | Q(
                    entered_in_error_at__isnull=False, entered_in_error_by__isnull=False,
                    error_reason__isnull=False,
                ),
                name="document_error_has_a_reason",
            ),
            models.UniqueConstraint(fields=["uploaded_by", "upload_id"], name="document_sent_once"),
        ]  # fmt: skip
        indexes = [models.Index(fields=["patient", "-uploaded_at", "-id"], name="document_patient")]

    def __str__(self) -> str:
        return f"document {self.pk}"

    @property
    def is_in_error(self) -> bool:
        """Whether somebody said that it doesn't belong here."""
        return self.entered_in_error_at is not None

    def piece_ids(self) -> list[UUID]:
        """Return the ids of its pieces in their order."""
        count = pieces_of(self.byte_size)
        return [piece_id(self.pk, position, count) for position in range(count)]


class DocumentChunk(AppendedRecord):
    """One sealed piece of a document's bytes; its id is `piece_id`, written once."""

    id = models.UUIDField(primary_key=True, editable=False)
    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="+")
    document = models.ForeignKey(Document, models.PROTECT, related_name="chunks", db_index=False)
    position = models.PositiveSmallIntegerField()
    content = SealedBytesField(max_length=PIECE_BYTES)

    class Meta:
        ordering = ["document", "position"]
        verbose_name = "document piece"
        constraints = [
            models.UniqueConstraint(fields=["document", "position"], name="document_piece_once"),
            between("position", 0, MOST_PIECES - 1, "document_piece_position"),
            models.CheckConstraint(
                condition=LessThanOrEqual(
                    Func("content", function="octet_length", output_field=IntegerField()),
                    PIECE_BYTES + OVERHEAD_BYTES,
                ),
                name="document_piece_size",
            ),
        ]

    def __str__(self) -> str:
        return f"piece {self.pk}"
