"""Instruments, their texts and administrations in the back office: what is offered; answers are read-only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from clinical.assessments import actions
from clinical.assessments.models import Assessment, AssessmentDraft, Instrument, InstrumentText
from cortex.ui.admin import HouseAdmin
from patients.registry.admin import PatientRowAdmin


@admin.register(Instrument)
class InstrumentAdmin(HouseAdmin):
    """Versions of instruments; a version is never edited, only offered or not."""

    list_display = ("title", "key", "version", "is_enabled", "licence")
    list_filter = ("is_enabled",)
    actions = ("offer", "withdraw")

    @admin.action(description="Offer", permissions=["run"])
    def offer(self, request: HttpRequest, queryset: Any) -> None:
        """Offer the chosen versions."""
        self.each(request, queryset, actions.offer_instrument, "Offered")

    @admin.action(description="Stop offering", permissions=["run"])
    def withdraw(self, request: HttpRequest, queryset: Any) -> None:
        """Stop offering the chosen versions."""
        self.each(request, queryset, actions.withdraw_instrument, "Withdrawn")

    def id_argument(self) -> str:
        """Return the action's own word."""
        return "instrument_id"


@admin.register(InstrumentText)
class InstrumentTextAdmin(HouseAdmin):
    """Wordings; an operator loads them with `manage.py load_instrument_text`."""

    list_display = ("instrument", "language", "source")
    list_select_related = ("instrument",)


@admin.register(Assessment)
class AssessmentAdmin(PatientRowAdmin):
    """Administrations by pseudonym and time; their answers and totals stay with those who treat."""

    list_display = ("administered_at", "patient", "instrument", "mode", "is_valid", "prorated")
    list_filter = ("instrument", "mode", "is_valid")
    list_select_related = ("patient", "instrument")
    exclude = ("items", "total", "band", "flags")


@admin.register(AssessmentDraft)
class AssessmentDraftAdmin(PatientRowAdmin):
    """Measures that somebody is answering."""

    list_display = ("updated_at", "patient", "instrument", "mode", "started_by")
    list_select_related = ("patient", "instrument", "started_by")
    exclude = ("items",)
