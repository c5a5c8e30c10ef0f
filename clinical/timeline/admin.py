"""Pins and words on findings in the back office: who and when; comments stay with those who treat."""

from __future__ import annotations

from django.contrib import admin

from clinical.timeline.models import FindingReview, TimelinePin
from patients.registry.admin import PatientRowAdmin


@admin.register(TimelinePin)
class TimelinePinAdmin(PatientRowAdmin):
    """Which kinds of entries teams keep in view."""

    list_display = ("pinned_at", "patient", "source", "pinned_by", "unpinned_at")
    list_filter = ("source",)
    list_select_related = ("patient", "pinned_by")


@admin.register(FindingReview)
class FindingReviewAdmin(PatientRowAdmin):
    """How often each engine, lexicon and model is found right."""

    list_display = ("reviewed_at", "patient", "kind", "said_by", "verdict", "reviewed_by")
    list_filter = ("kind", "verdict", "said_by")
    list_select_related = ("patient", "reviewed_by")
    exclude = ("comment", "code")
