"""The back office of the house itself: switches, settings and rules by an operator, machines' rows."""

from __future__ import annotations

from django.contrib import admin

from cortex.ops import actions
from cortex.ops.models import (
    FeatureFlag,
    RetentionPolicy,
    RetentionRun,
    ServiceHeartbeat,
    ServiceMetric,
    SystemSetting,
)
from cortex.ui.admin import HouseAdmin


@admin.register(FeatureFlag)
class FeatureFlagAdmin(HouseAdmin):
    """Switches for parts of the product; safety functions have none."""

    add_action = actions.add_flag
    change_action = actions.change_flag
    fields = (
        "name", "description", "is_enabled", "rollout_percentage", "target_segments", "target_regions",
        "starts_at", "ends_at",
    )  # fmt: skip
    list_display = ("name", "is_enabled", "rollout_percentage", "starts_at", "ends_at")
    list_filter = ("is_enabled",)
    search_fields = ("name", "description")


@admin.register(SystemSetting)
class SystemSettingAdmin(HouseAdmin):
    """Adding a row puts a new version in force; versions are never changed."""

    add_action = actions.set_setting
    fields = ("key", "value", "category", "description")
    list_display = ("key", "version", "is_active", "category", "updated_by", "created_at")
    list_filter = ("is_active", "category")
    search_fields = ("key", "description")


@admin.register(RetentionPolicy)
class RetentionPolicyAdmin(HouseAdmin):
    """How long each kind of row is kept, and why."""

    change_action = actions.change_policy
    fields = ("days", "legal_basis", "overridable_by", "is_active")
    list_display = ("model", "basis_field", "days", "action", "legal_basis", "is_active")
    list_filter = ("action", "is_active")
    search_fields = ("model", "legal_basis")


@admin.register(RetentionRun)
class RetentionRunAdmin(HouseAdmin):
    """What each night deleted, held and failed at."""

    list_display = ("policy", "is_dry_run", "scanned", "deleted", "held", "errors", "finished_at")
    list_filter = ("is_dry_run", "policy")
    search_fields = ("policy__model",)


@admin.register(ServiceHeartbeat)
class ServiceHeartbeatAdmin(HouseAdmin):
    """When each machine last did its round."""

    list_display = ("name", "last_run_at")
    search_fields = ("name",)


@admin.register(ServiceMetric)
class ServiceMetricAdmin(HouseAdmin):
    """Figures of the running system."""

    list_display = ("service_name", "metric_name", "metric_value", "recorded_at")
    list_filter = ("service_name",)
    search_fields = ("metric_name",)
