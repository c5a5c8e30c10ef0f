"""Documents in the back office: whose, what kind, how large, by whom; no title and no byte, ever."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from clinical.documents.models import Document, DocumentChunk
from patients.registry.admin import PatientRowAdmin


@admin.register(Document)
class DocumentAdmin(PatientRowAdmin):
    """Documents by pseudonym, kind and time."""

    list_display = ("uploaded_at", "patient", "kind", "media_type", "byte_size", "uploaded_by",
                    "entered_in_error_at")  # fmt: skip
    list_filter = ("kind", "media_type")
    list_select_related = ("patient", "uploaded_by")
    exclude = ("title", "sha256", "error_reason", "sensitivity_labels")


@admin.register(DocumentChunk)
class DocumentChunkAdmin(PatientRowAdmin):
    """That a document's pieces are there."""

    list_display = ("created_at", "patient", "document", "position")
    list_select_related = ("patient", "document")
    exclude = ("content",)

    def get_queryset(self, request: HttpRequest) -> Any:
        """Leave the bytes in the database: a page of them would be megabytes."""
        return super().get_queryset(request).defer("content")
