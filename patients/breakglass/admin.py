"""Opened charts in the back office: who, whose, when and what was found; never the words."""

from __future__ import annotations

from django.contrib import admin

from cortex.accounts.choices import Role
from patients.breakglass.models import BreakGlassGrant
from patients.registry.admin import PatientRowAdmin


@admin.register(BreakGlassGrant)
class BreakGlassGrantAdmin(PatientRowAdmin):
    """Read here, judged by compliance on its own page."""

    view_roles = frozenset({Role.ADMIN, Role.COMPLIANCE})
    write_roles = frozenset()
    fields = (
        "patient", "user", "grant", "reason_code", "protected_at", "review_due_at", "reviewed_at",
        "reviewed_by", "verdict", "incident_closed_at",
    )  # fmt: skip
    list_display = ("patient", "user", "reason_code", "created_at", "review_due_at", "verdict")
    list_filter = ("reason_code", "verdict")
    list_select_related = ("patient", "user", "grant", "reviewed_by")
