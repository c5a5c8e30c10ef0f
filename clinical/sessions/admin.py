"""Runs of therapy sessions in the back office: who, whose and when; nothing that was said."""

from __future__ import annotations

from django.contrib import admin

from clinical.sessions.models import SessionRun
from patients.registry.admin import PatientRowAdmin


@admin.register(SessionRun)
class SessionRunAdmin(PatientRowAdmin):
    """Sessions that were run here; one without an end is still open."""

    fields = ("patient", "session", "clinician", "begun_at", "ended_at")
    list_display = ("begun_at", "patient", "clinician", "ended_at")
    list_filter = (("ended_at", admin.EmptyFieldListFilter),)
    list_select_related = ("patient", "clinician")
