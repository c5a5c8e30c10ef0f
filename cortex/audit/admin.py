"""The trail in the back office: searched and filtered, never changed."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from cortex.accounts.choices import Role
from cortex.audit.models import AuditLink, AuditLog, PhiAccessLog
from cortex.ui.admin import ActionAdmin

READERS = frozenset({Role.ADMIN, Role.COMPLIANCE, Role.AUDITOR})


class TrailAdmin(ActionAdmin):
    """What both trails share: newest first, read-only, by bare ids."""

    view_roles: ClassVar[frozenset[str]] = READERS
    write_roles: ClassVar[frozenset[str]] = frozenset()
    organization_path: ClassVar[str | None] = "organization_id"
    ordering = ("-id",)
    show_full_result_count = False

    @admin.display(description="who")
    def who(self, row: Any) -> str:
        """Name and role of the actor."""
        return f"{row.actor_label} ({row.actor_role})" if row.actor_role else row.actor_label


@admin.register(AuditLog)
class AuditLogAdmin(TrailAdmin):
    """What was done."""

    list_display = ("occurred_at", "event_type", "who", "object_type", "object_id", "subject", "outcome")
    list_filter = ("outcome", "actor_kind", "actor_role", "occurred_at")
    search_fields = (
        "event_type__startswith",
        "object_id__exact",
        "subject__exact",
        "actor_id__exact",
        "request_id__exact",
    )
    search_help_text = "A verb (alert.claimed), or the id of an object, a patient, an actor or a request."
    exclude = ("details",)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Leave the sealed details out of the query."""
        return super().get_queryset(request).defer("details")


@admin.register(PhiAccessLog)
class PhiAccessLogAdmin(TrailAdmin):
    """Who looked at whom."""

    list_display = ("occurred_at", "data_type", "who", "purpose", "relationship", "subject", "people")
    list_filter = ("purpose", "data_type", "actor_role", "occurred_at")
    search_fields = ("subject__exact", "actor_id__exact", "object_id__exact", "request_id__exact")
    search_help_text = "The id of a patient, an actor, an object or a request."

    @admin.display(description="people on the list")
    def people(self, row: PhiAccessLog) -> int:
        """How many people a list named."""
        return len(row.subjects)


@admin.register(AuditLink)
class AuditLinkAdmin(TrailAdmin):
    """The chain over both trails."""

    organization_path: ClassVar[str | None] = None
    list_display = ("number", "trail", "row_id", "linked_at", "is_signed")
    list_filter = ("trail", "linked_at")
    search_fields = ("row_id__exact",)
    ordering = ("-number",)
    fields = ("number", "trail", "row_id", "linked_at", "key_id")

    @admin.display(boolean=True, description="signed head")
    def is_signed(self, row: AuditLink) -> bool:
        """Whether this link carries a signature."""
        return row.signature is not None
