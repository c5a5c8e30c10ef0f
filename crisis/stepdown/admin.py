"""Steps down from critical in the back office: whose, who asked and who decided; never a word of it."""

from __future__ import annotations

from django.contrib import admin

from crisis.stepdown.models import StepDown
from patients.registry.admin import PatientRowAdmin


@admin.register(StepDown)
class StepDownAdmin(PatientRowAdmin):
    """Questions and their answers by pseudonym and time."""

    list_display = ("asked_at", "patient", "asked_by", "due_at", "decided_by", "decided_at", "agreed")
    list_filter = ("agreed", "asked_at")
    list_select_related = ("patient", "asked_by", "decided_by")
    ordering = ("-asked_at",)
    fields = (
        "patient", "asked_by", "asked_at", "due_at", "findings", "decided_by", "decided_at", "agreed",
    )  # fmt: skip
