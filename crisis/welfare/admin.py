"""Decisions on welfare checks in the back office: what, when and by whom; never a word of why."""

from __future__ import annotations

from django.contrib import admin

from crisis.welfare.models import WelfareDecision
from patients.registry.admin import PatientRowAdmin


@admin.register(WelfareDecision)
class WelfareDecisionAdmin(PatientRowAdmin):
    """What supervisors decided about people whom no try reached."""

    list_display = ("decided_at", "patient", "decision", "decided_by", "contact", "tries", "again_by")
    list_filter = ("decision", "contact", "decided_at")
    list_select_related = ("patient", "decided_by")
    ordering = ("-decided_at",)
    fields = (
        "patient", "item", "decision", "decided_by", "decided_at", "contact", "tries", "again_by",
    )  # fmt: skip
