"""The back office of planned covers: who stands in for whom, from when until when."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from cortex.ui.admin import ActionAdmin
from patients.care import actions
from patients.care.admin import IN_ORDER
from patients.covers.models import Absence, PlannedCover
from patients.registry.admin import PatientRowAdmin


class CoverForm(forms.ModelForm):
    """Which place is covered, by whom and when."""

    class Meta:
        model = PlannedCover
        fields = ("cover_for", "user", "starts_at", "ends_at")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.required = True

    def _post_clean(self) -> None:
        """Build no row from the form: the action takes person and role from the place that is covered."""


@admin.register(PlannedCover)
class PlannedCoverAdmin(PatientRowAdmin):
    """Holidays and nights: covers end by themselves, or now; they are never deleted."""

    asks_again = True
    add_action = actions.plan_cover
    form = CoverForm
    autocomplete_fields = ("cover_for", "user")
    list_display = ("patient", "cover_for", "user", "role", "starts_at", "ends_at")
    list_filter = ("role",)
    list_select_related = ("patient", "user", "cover_for")
    actions = ("end_now",)

    @admin.action(description="End now", permissions=["run"])
    def end_now(self, request: HttpRequest, queryset: Any) -> None:
        """End the chosen covers."""
        self.each(request, queryset.order_by(*IN_ORDER), actions.end_care_team_place, "Ended")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show whose cover it is, ask for the place alone."""
        return ("patient", "role", *CoverForm.Meta.fields) if obj is not None else CoverForm.Meta.fields

    def id_argument(self) -> str:
        """Return the action's own word."""
        return "member_id"

    def add_arguments(self, request: HttpRequest, form: Any) -> dict[str, Any]:
        """Put the form's words into the action's."""
        typed = dict(form.cleaned_data)
        return {"member_id": typed.pop("cover_for").pk, "user_id": typed.pop("user").pk, **typed}


@admin.register(Absence)
class AbsenceAdmin(ActionAdmin):
    """Who is away from when until when, and who stands in for them."""

    list_display = ("user", "cover", "starts_at", "ends_at", "ended_at", "planned_by")
    list_select_related = ("user", "cover", "planned_by")
    search_fields = ("user__full_name", "cover__full_name")
