"""Reviews in the back office: when they were due and held; what was said stays with those who treat."""

from __future__ import annotations

from django.contrib import admin

from clinical.plans.reviews.models import PlanReview
from patients.registry.admin import PatientRowAdmin


@admin.register(PlanReview)
class PlanReviewAdmin(PatientRowAdmin):
    """Reviews by pseudonym and time."""

    list_display = ("patient", "plan", "due_at", "held_at", "reviewed_by", "next_review_at")
    list_select_related = ("patient", "plan", "reviewed_by")
    fields = ("patient", "plan", "plan_version", "due_at", "held_at", "reviewed_by", "next_review_at")
