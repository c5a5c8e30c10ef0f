"""Plans in the back office: whose, which version, since when; what they say stays with those who treat."""

from __future__ import annotations

from django.contrib import admin

from clinical.plans.models import (
    Goal,
    GoalProgress,
    PlanApproval,
    PlannedIntervention,
    PlanVersion,
    TreatmentPlan,
)
from patients.registry.admin import PatientRowAdmin


@admin.register(TreatmentPlan)
class TreatmentPlanAdmin(PatientRowAdmin):
    """Plans by pseudonym and state."""

    list_display = ("patient", "status", "version", "start", "target_end", "signed_at", "next_review_at")
    list_filter = ("status",)
    fields = (
        "patient", "status", "version", "signed_version", "start", "target_end", "signed_at",
        "patient_agreed", "consented_at", "next_review_at", "authored_by",
    )  # fmt: skip


@admin.register(Goal)
class GoalAdmin(PatientRowAdmin):
    """Goals: how they are measured and by when, never what they say."""

    list_display = ("patient", "plan", "measure_type", "status", "due_date")
    list_filter = ("measure_type", "status")
    list_select_related = ("patient", "plan")
    fields = ("patient", "plan", "measure_type", "status", "starts_on", "due_date", "weight")


@admin.register(GoalProgress)
class GoalProgressAdmin(PatientRowAdmin):
    """When progress was written down, and by whom."""

    list_display = ("patient", "goal", "kind", "observed_on", "recorded_by", "taken_back_at")
    list_filter = ("kind",)
    list_select_related = ("patient", "goal", "recorded_by")
    fields = ("patient", "goal", "kind", "observed_on", "recorded_by", "taken_back_at")


@admin.register(PlannedIntervention)
class PlannedInterventionAdmin(PatientRowAdmin):
    """How often something is planned and was held."""

    list_display = ("patient", "plan", "frequency", "sessions_planned", "sessions_held", "ended_on")
    list_select_related = ("patient", "plan")
    fields = ("patient", "plan", "frequency", "sessions_planned", "sessions_held", "ended_on")


@admin.register(PlanVersion)
class PlanVersionAdmin(PatientRowAdmin):
    """What was signed when and by whom; its content stays closed."""

    list_display = ("patient", "plan", "version", "signed_at", "signed_by", "needs_approval")
    list_select_related = ("patient", "plan", "signed_by")
    fields = (
        "patient", "plan", "version", "signed_at", "signed_by", "patient_agreed", "consented_at",
        "needs_approval",
    )  # fmt: skip


@admin.register(PlanApproval)
class PlanApprovalAdmin(PatientRowAdmin):
    """Supervisors' words on signed versions, without their reasons."""

    list_display = ("patient", "plan_version", "approved", "decided_by", "decided_at")
    list_filter = ("approved",)
    list_select_related = ("patient", "plan_version", "decided_by")
    fields = ("patient", "plan_version", "approved", "decided_by", "decided_at")
