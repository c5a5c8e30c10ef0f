"""Notes in the back office: whose, by whom, when and where they stand; no text, ever."""

from __future__ import annotations

from django.contrib import admin

from clinical.notes.models import (
    Note,
    NoteAddendum,
    NoteVersion,
    PsychotherapyNote,
    PsychotherapyNoteAddendum,
    PsychotherapyNoteVersion,
    TextBlock,
)
from cortex.ui.admin import ActionAdmin
from patients.registry.admin import PatientRowAdmin


@admin.register(Note)
class NoteAdmin(PatientRowAdmin):
    """Notes by pseudonym, author and time."""

    list_display = ("occurred_at", "patient", "note_type", "author", "status", "signed_at", "cosigned_at")
    list_filter = ("note_type", "status", "needs_cosign")
    list_select_related = ("patient", "author")
    exclude = (
        "free_text", "subjective", "objective", "assessment", "risk_statement", "plan", "level_at_signing",
        "sensitivity_labels", "content_hash", "diagnoses",
    )  # fmt: skip


@admin.register(PsychotherapyNote)
class PsychotherapyNoteAdmin(PatientRowAdmin):
    """That there are process notes, and of whose: their texts are their author's alone."""

    list_display = ("occurred_at", "patient", "author", "status", "signed_at")
    list_filter = ("status",)
    list_select_related = ("patient", "author")
    exclude = ("free_text", "sensitivity_labels", "content_hash")


class VersionAdmin(PatientRowAdmin):
    """When texts were kept beside a note."""

    list_display = ("saved_at", "patient", "kind", "number", "saved_by")
    list_filter = ("kind",)
    list_select_related = ("patient", "saved_by")
    exclude = ("sections", "content_hash")


@admin.register(NoteVersion)
class NoteVersionAdmin(VersionAdmin):
    """Earlier texts of notes."""


@admin.register(PsychotherapyNoteVersion)
class PsychotherapyNoteVersionAdmin(VersionAdmin):
    """Earlier texts of process notes."""


class AddendumAdmin(PatientRowAdmin):
    """Who added to a note, and when."""

    list_display: tuple[str, ...] = ("created_at", "patient", "author", "signed_at")
    list_select_related = ("patient", "author")
    exclude = ("text", "content_hash")


@admin.register(NoteAddendum)
class NoteAddendumAdmin(AddendumAdmin):
    """Addenda to notes; a trainee's are signed by two."""

    list_display = (*AddendumAdmin.list_display, "cosigned_at")
    list_filter = ("needs_cosign",)


@admin.register(PsychotherapyNoteAddendum)
class PsychotherapyNoteAddendumAdmin(AddendumAdmin):
    """Addenda to process notes."""


@admin.register(TextBlock)
class TextBlockAdmin(ActionAdmin):
    """Templates and phrases by title."""

    list_display = ("title", "note_type", "owner", "retired_at")
    list_filter = ("note_type",)
    list_select_related = ("owner",)
    exclude = ("sections",)
