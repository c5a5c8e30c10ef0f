"""Exceptions in the back office: who, whose, when and who read it; never the words."""

from __future__ import annotations

from django.contrib import admin

from cortex.accounts.choices import Role
from patients.contacts.models import ContactException
from patients.registry.admin import PatientRowAdmin


@admin.register(ContactException)
class ContactExceptionAdmin(PatientRowAdmin):
    """Made on an alert's page, read from its task."""

    view_roles = frozenset({Role.ADMIN, Role.COMPLIANCE})
    write_roles = frozenset()
    fields = (
        "patient", "user", "alert_id", "level", "opened_at", "ends_at", "review_due_at", "reviewed_at",
        "reviewed_by",
    )  # fmt: skip
    list_display = ("patient", "user", "level", "opened_at", "ends_at", "review_due_at", "reviewed_at")
    list_filter = ("level",)
    list_select_related = ("patient", "user", "reviewed_by")
