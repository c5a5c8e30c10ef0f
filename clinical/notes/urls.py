"""The addresses of notes: below a person's chart, and pages of their own."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from clinical.notes import desk, export, views, writing
from clinical.notes.addenda import views as addenda

PERSON: list[URLPattern | URLResolver] = [
    path("notes/", views.note_list, name="notes"),
    path("notes/export/", export.note_export, name="note_export"),
    path("notes/begin/", writing.note_begin, name="note_begin"),
    path("notes/<uuid:note_id>/", views.note_page, name="note_page"),
    path("notes/<uuid:note_id>/edit/", writing.note_edit, name="note_edit"),
    path("notes/<uuid:note_id>/save/", writing.note_save, name="note_save"),
    path("notes/<uuid:note_id>/versions/", views.note_versions, name="note_versions"),
    path("notes/<uuid:note_id>/print/", views.note_print, name="note_print"),
    path("notes/<uuid:note_id>/sign/", views.note_sign, name="note_sign"),
    path("notes/<uuid:note_id>/cosign/", views.note_cosign, name="note_cosign"),
    path("notes/<uuid:note_id>/label/", views.note_label, name="note_label"),
    path("notes/<uuid:note_id>/discard/", views.note_discard, name="note_discard"),
    path("notes/<uuid:note_id>/restore/", views.note_restore, name="note_restore"),
    path("notes/<uuid:note_id>/addendum/", addenda.note_addendum, name="note_addendum"),
    path("notes/<uuid:note_id>/addendum/sign/", addenda.note_addendum_sign, name="note_addendum_sign"),
]

PAGES: list[URLPattern | URLResolver] = [
    path("notes/", desk.note_desk, name="note_desk"),
    path("notes/late/", desk.note_late, name="note_late"),
    path("notes/search/", desk.note_search, name="note_search"),
    path("notes/texts/", desk.text_blocks, name="text_blocks"),
    path("notes/texts/<uuid:block_id>/retire/", desk.text_block_retire, name="text_block_retire"),
]
