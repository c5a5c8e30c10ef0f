"""Answers of promised contacts in the back office: codes and times by pseudonym; never a word of them."""

from __future__ import annotations

from django.contrib import admin

from crisis.followups.models import FollowUpCheck
from patients.registry.admin import PatientRowAdmin


@admin.register(FollowUpCheck)
class FollowUpCheckAdmin(PatientRowAdmin):
    """What was asked in a contact, and what was said."""

    list_display = ("answered_at", "patient", "screener", "plan", "means", "answered_by")
    list_filter = ("screener", "plan", "means", "answered_at")
    list_select_related = ("patient", "answered_by")
    ordering = ("-answered_at",)
    fields = (
        "patient", "follow_up", "answered_at", "answered_by", "screener", "screened_at", "screener_why",
        "plan", "plan_why", "means", "means_why",
    )  # fmt: skip
