"""Safety plans in the back office: whose, which version, when and by whom; never a line of them."""

from __future__ import annotations

from django.contrib import admin

from crisis.safetyplans.models import SafetyPlan, SafetyPlanItem, SafetyPlanReview
from patients.registry.admin import PatientRowAdmin


@admin.register(SafetyPlan)
class SafetyPlanAdmin(PatientRowAdmin):
    """Versions by pseudonym and state."""

    list_display = ("patient", "version", "status", "is_complete", "created_with_patient", "finished_at",
                    "reviewed_at", "next_review_at")  # fmt: skip
    list_filter = ("status", "is_complete", "created_with_patient")
    fields = (
        "patient", "version", "status", "is_complete", "created_with_patient", "means_review_on",
        "authored_by", "saved_at", "finished_at", "reviewed_at", "reviewed_by", "next_review_at", "ended_at",
        "ended_by", "retire_reason",
    )  # fmt: skip


@admin.register(SafetyPlanItem)
class SafetyPlanItemAdmin(PatientRowAdmin):
    """That a version has lines, and in which steps."""

    list_display = ("created_at", "patient", "plan", "section", "order")
    list_filter = ("section",)
    list_select_related = ("patient", "plan")
    fields = ("patient", "plan", "section", "order")


@admin.register(SafetyPlanReview)
class SafetyPlanReviewAdmin(PatientRowAdmin):
    """Who went through which version when."""

    list_display = ("reviewed_at", "patient", "plan", "reviewed_by")
    list_select_related = ("patient", "plan", "reviewed_by")
    fields = ("patient", "plan", "reviewed_at", "reviewed_by")
