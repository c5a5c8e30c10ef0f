"""Schedules in the back office: what one organization offers is switched here, the rest is looked at."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from clinical.assessments.planning import actions
from clinical.assessments.planning.models import InstrumentSwitch, MeasureChase, MeasurePlan
from cortex.ui.admin import ActionAdmin
from patients.registry.admin import PatientRowAdmin


@admin.register(InstrumentSwitch)
class InstrumentSwitchAdmin(ActionAdmin):
    """Whether one's own organization offers an instrument; its text must be installed first."""

    add_action = actions.switch_instrument
    change_action = actions.change_switch
    fields = ("instrument", "is_offered")
    list_display = ("instrument", "is_offered", "updated_at")
    list_select_related = ("instrument",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Keep what a switch is of."""
        return ("instrument",) if obj is not None else ()

    def id_argument(self) -> str:
        """Return the action's own word."""
        return "switch_id"


@admin.register(MeasurePlan)
class MeasurePlanAdmin(PatientRowAdmin):
    """Whose schedule differs, and by what."""

    list_display = ("patient", "key", "interval_days", "is_paused", "paused_until", "set_at")
    list_filter = ("key", "is_paused")
    list_select_related = ("patient",)


@admin.register(MeasureChase)
class MeasureChaseAdmin(PatientRowAdmin):
    """Overdue measures that became tasks, and of which clinicians were told."""

    list_display = ("due_at", "patient", "key", "tasked_at", "told_at")
    list_filter = ("key",)
    list_select_related = ("patient",)
