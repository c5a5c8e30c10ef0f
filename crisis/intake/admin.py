"""The back office of intake: item ids and kept answers, without their content."""

from __future__ import annotations

from typing import Any

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

    def note_look(self, looking: Any, rows: list[Any]) -> None:
        """Say whose items were shown: kinds and times of what somebody sent."""
        people = sorted({row.patient_id for row in rows if row.patient_id})
        if people:
            looking.saw("intake.admin", subjects=people, object_type="crisis.IntakeKey")


@admin.register(IntakeRequest)
class IntakeRequestAdmin(ActionAdmin):
    """Requests that were answered within the last day; the answers themselves stay closed."""

    fields = ("sender", "idempotency_key", "status", "content_type", "created_at", "expires_at")
    list_display = ("idempotency_key", "sender", "status", "created_at", "expires_at")
    list_filter = ("status",)
    search_fields = ("idempotency_key",)
