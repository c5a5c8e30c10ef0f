"""The back office of the house itself: switches, settings and rules by an operator, machines' rows."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest

from cortex.accounts.appointments import is_operator
from cortex.audit import actor_of
from cortex.ops import actions
from cortex.ops.letters.actions import retry_letter, set_letter_aside
from cortex.ops.letters.models import LetterState
from cortex.ops.models import (
    CspViolation,
    DeadLetter,
    FeatureFlag,
    RetentionPolicy,
    RetentionRun,
    ScheduledSlot,
    ServiceHeartbeat,
    ServiceMetric,
    SystemSetting,
)
from cortex.ui.admin import HouseAdmin


@admin.register(FeatureFlag)
class FeatureFlagAdmin(HouseAdmin):
    """Switches for parts of the product; safety functions have none. No part asks one yet."""

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

    asks_again = True
    add_action = actions.set_setting
    fields = ("key", "value", "category", "description")
    list_display = ("key", "version", "is_active", "category", "updated_by", "created_at")
    list_filter = ("is_active", "category")
    search_fields = ("key", "description")


class RetentionForm(forms.ModelForm):  # type: ignore[type-arg]
    """How long, why, and whether the rule holds."""

    days = forms.IntegerField(
        min_value=actions.LEAST_DAYS, max_value=actions.MOST_DAYS,
        help_text=f"Age in days from the basis, {actions.LEAST_DAYS} to {actions.MOST_DAYS}.",
    )  # fmt: skip


@admin.register(RetentionPolicy)
class RetentionPolicyAdmin(HouseAdmin):
    """How long each kind of row is kept, and why; a rule that no job reads is refused another number."""

    asks_again = True
    change_action = actions.change_policy
    form = RetentionForm
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


@admin.register(CspViolation)
class CspViolationAdmin(HouseAdmin):
    """What browsers say that the content policy stopped: attacks, extensions, and our own mistakes."""

    list_display = ("directive", "source", "host", "route", "times", "first_at", "last_at")
    list_filter = ("source", "directive")
    search_fields = ("route", "host")


@admin.register(ScheduledSlot)
class ScheduledSlotAdmin(HouseAdmin):
    """When each job of the timetable was due, and when it was done."""

    list_display = ("slot", "job", "state", "tries", "begun_at", "done_at", "error_code")
    list_filter = ("state", "job")
    search_fields = ("job",)


class AsideForm(forms.ModelForm):  # type: ignore[type-arg]
    """Why a letter is set aside: one of the written reasons."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Whoever only looks is offered no field.
        if "reason" in self.fields:
            self.fields["reason"].required = True


@admin.register(DeadLetter)
class DeadLetterAdmin(HouseAdmin):
    """What was given up: jobs that failed five times for one slot, and rows that can't be opened.

    An operator tries one again, or opens it and sets it aside with a reason.
    """

    form = AsideForm
    change_action: ClassVar[Any] = set_letter_aside
    fields = (
        "kind", "name", "row_id", "slot", "error_code", "times", "last_at", "state", "reason", "decided_by",
        "decided_at",
    )  # fmt: skip
    readonly_fields = (
        "kind", "name", "row_id", "slot", "error_code", "times", "last_at", "state", "decided_by",
        "decided_at",
    )  # fmt: skip
    list_display = (
        "last_at", "kind", "name", "row_id", "slot", "error_code", "times", "state", "reason", "decided_by",
    )  # fmt: skip
    list_filter = ("state", "kind", "name")
    list_select_related = ("decided_by",)
    search_fields = ("name", "error_code", "row_id__exact")
    actions = ("retry",)

    def get_queryset(self, request: HttpRequest) -> Any:
        """Show the house's letters and the own organizations'; an operator, who alone closes them, all.

        They name a model, a field and an id.
        """
        rows, actor = super().get_queryset(request), actor_of(request)
        if is_operator(actor):
            return rows
        own = Q(organization__isnull=True) | Q(organization__in=list(actor.org_ids))
        return rows.filter(own)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the person may decide, and there is something to decide."""
        decided = obj is not None and obj.state != LetterState.OPEN
        return super().has_change_permission(request, obj) and not decided

    @admin.action(description="Try again", permissions=["run"])
    def retry(self, request: HttpRequest, queryset: Any) -> None:
        """Try the chosen letters again."""
        self.each(request, queryset, retry_letter, "Tried again")
