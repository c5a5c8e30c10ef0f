"""The addresses of a chart's documents."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from clinical.documents import views

PERSON: list[URLPattern | URLResolver] = [
    path("documents/", views.document_list, name="documents"),
    path("documents/new/", views.document_new, name="document_new"),
    path("documents/<uuid:document_id>/", views.document_page, name="document_page"),
    path("documents/<uuid:document_id>/file/", views.document_file, name="document_file"),
    path("documents/<uuid:document_id>/error/", views.document_error, name="document_error"),
    path("documents/<uuid:document_id>/label/", views.document_label, name="document_label"),
]
PAGES: list[URLPattern | URLResolver] = []
