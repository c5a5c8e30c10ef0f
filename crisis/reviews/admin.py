"""Review items, follow-ups and second readings in the back office: codes and times, read-only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from cortex.ui.admin import ActionAdmin
from crisis.reviews.models import FollowUp, ReviewItem, SecondReview


class ClosedAdmin(ActionAdmin):
    """What these share: the sealed columns stay out of the query and off the page."""

    def get_queryset(self, request: HttpRequest) -> Any:
        """Leave the sealed columns out of the query."""
        return super().get_queryset(request).defer(*self.exclude or ())

    def note_look(self, looking: Any, rows: list[Any]) -> None:
        """Say whose rows were shown."""
        whose = [row.alert.patient_id if isinstance(row, SecondReview) else row.patient_id for row in rows]
        subjects = [one for one in whose if one]
        if subjects:
            looking.saw("review.admin", subjects=list(dict.fromkeys(subjects)), object_type=self.opts.label)


@admin.register(ReviewItem)
class ReviewItemAdmin(ClosedAdmin):
    """Tasks that need a person but no alarm."""

    list_display = ("due_at", "reason_code", "patient", "owner", "escalations", "done_at", "outcome")
    list_filter = ("reason_code", "outcome", "due_at")
    search_fields = ("patient__anonymous_id__iexact",)
    ordering = ("-due_at",)
    list_select_related = ("patient", "owner")
    exclude = ("outcome_note",)


@admin.register(FollowUp)
class FollowUpAdmin(ClosedAdmin):
    """Contacts that were promised."""

    list_display = ("due_at", "label", "patient", "status", "owner", "outcome", "done_at")
    list_filter = ("status", "label", "due_at")
    search_fields = ("patient__anonymous_id__iexact",)
    ordering = ("-due_at",)
    list_select_related = ("patient", "owner")
    exclude = ("note",)


@admin.register(SecondReview)
class SecondReviewAdmin(ClosedAdmin):
    """Second readings and how they were decided."""

    list_display = ("asked_at", "kind", "asked_by", "decided_by", "agreed", "decided_at")
    list_filter = ("kind", "agreed", "asked_at")
    ordering = ("-asked_at",)
    list_select_related = ("alert", "asked_by", "decided_by")
    exclude = ("request_note", "decision_note")
