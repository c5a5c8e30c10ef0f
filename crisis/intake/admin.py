"""The back office of intake: item ids and kept answers, without their content."""

from __future__ import annotations

from django.contrib import admin

from cortex.ui.admin import ActionAdmin
from crisis.intake.models import IntakeKey, IntakeRequest


@admin.register(IntakeKey)
class IntakeKeyAdmin(ActionAdmin):
    """Names that senders gave to their items; read-only."""

    fields = (
        "source", "sender", "key", "patient_id", "result", "object_type", "object_id", "created_at",
        "expires_at"
    )  # fmt: skip
    list_display = ("key", "source", "object_type", "result", "created_at", "expires_at")
    list_filter = ("source", "result", "object_type")
    search_fields = ("key", "object_id")


@admin.register(IntakeRequest)
class IntakeRequestAdmin(ActionAdmin):
    """Requests that were answered within the last day; the answers themselves stay closed."""

    fields = ("sender", "idempotency_key", "status", "content_type", "created_at", "expires_at")
    list_display = ("idempotency_key", "sender", "status", "created_at", "expires_at")
    list_filter = ("status",)
    search_fields = ("idempotency_key",)
