"""Alerts in the back office: codes and times, read-only; no note, no words, no name."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from cortex.ui.admin import ActionAdmin
from crisis.alerts.models import AlertEvent, AlertFeedback, RiskAlert

SEALED = ("hand_note", "resolution_notes", "no_follow_up_reason")
# Coded factors may speak of substance use, which is closed to the back office (domain 7.4).
UNSHOWN = (*SEALED, "factors")


@admin.register(RiskAlert)
class RiskAlertAdmin(ActionAdmin):
    """What was raised, who had it, how it ended."""

    list_display = (
        "raised_at",
        "level",
        "kind",
        "status",
        "reason_code",
        "patient",
        "assigned_to",
        "resolved_at",
    )
    list_filter = ("level", "status", "kind", "source", "raised_at")
    search_fields = ("id__exact", "patient__anonymous_id__iexact")
    search_help_text = "The id of an alert, or a pseudonym."
    list_select_related = ("patient", "assigned_to")
    ordering = ("-raised_at",)
    exclude = UNSHOWN

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Leave the columns that aren't shown out of the query."""
        return super().get_queryset(request).defer(*UNSHOWN)

    def note_look(self, looking: Any, rows: list[Any]) -> None:
        """Say whose alerts were shown."""
        subjects = [row.patient_id for row in rows if row.patient_id]
        if subjects:
            looking.saw("alert.admin", subjects=list(dict.fromkeys(subjects)), object_type="crisis.RiskAlert")


class AlertRowAdmin(ActionAdmin):
    """Rows that stand by an alert: a look at them is one at its person."""

    list_select_related: ClassVar[tuple[str, ...]] = ("alert",)

    def note_look(self, looking: Any, rows: list[Any]) -> None:
        """Say whose alerts they are of."""
        subjects = [row.alert.patient_id for row in rows if row.alert and row.alert.patient_id]
        if subjects:
            looking.saw("alert.admin", subjects=list(dict.fromkeys(subjects)), object_type=self.opts.label)


@admin.register(AlertEvent)
class AlertEventAdmin(AlertRowAdmin):
    """The timeline without its notes."""

    list_display = ("occurred_at", "kind", "actor_label", "status", "level", "feed_number")
    list_filter = ("kind", "occurred_at")
    search_fields = ("alert__id__exact",)
    ordering = ("-id",)
    exclude = ("note",)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Leave the sealed note out of the query."""
        return super().get_queryset(request).defer("note")


@admin.register(AlertFeedback)
class AlertFeedbackAdmin(AlertRowAdmin):
    """What alerts turned out to be."""

    list_display = ("given_at", "verdict", "given_by", "alert")
    list_select_related = ("alert", "given_by")
    list_filter = ("verdict", "given_at")
    ordering = ("-given_at",)
