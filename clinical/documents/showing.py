"""Documents as their list and pages show them, and as they leave; no query, nothing opened."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse

from clinical.documents.formats import EXTENSIONS
from clinical.documents.models import Document, MediaType
from clinical.documents.naming import attachment, file_name
from clinical.documents.wording import size_words
from clinical.notes.wording import label_words
from patients.codes import LANGUAGE_NAMES

SANDBOX = "sandbox; default-src 'none'; frame-ancestors 'none'"


def row_of(one: Document, user_id: UUID) -> dict[str, Any]:
    """Return a document whose title is open as a line of the list and the head of its page."""
    ids = [one.patient_id, one.pk]
    return {
        "title": one.title,
        "kind": one.get_kind_display(),
        "format": one.get_media_type_display(),
        "size": size_words(one.byte_size),
        "language": LANGUAGE_NAMES.get(one.language, ""),
        "received": one.received_on,
        "at": one.uploaded_at,
        "by": "you" if one.uploaded_by_id == user_id else one.uploaded_by.full_name,
        "own": one.uploaded_by_id == user_id,
        "labels": label_words(one.sensitivity_labels),
        "in_error": one.is_in_error,
        "url": reverse("clinical:document_page", args=ids),
        "file_url": reverse("clinical:document_file", args=ids),
    }


def download(one: Document, data: bytes) -> HttpResponse:
    """Return a document as a file that a browser saves, and neither shows, runs nor keeps."""
    name = file_name(one.title, EXTENSIONS[MediaType(one.media_type)])
    kind = f"{one.media_type}; charset=utf-8" if one.media_type == MediaType.TEXT else one.media_type
    return HttpResponse(
        data,
        content_type=kind,
        headers={
            "Content-Disposition": attachment(name),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": SANDBOX,
            "Cross-Origin-Resource-Policy": "same-origin",
        },
    )
