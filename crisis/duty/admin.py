"""Planning shifts in the back office."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from cortex.accounts.choices import Role
from cortex.audit import actor_of
from cortex.ui.admin import ActionAdmin
from crisis.duty.actions import cancel_shift, plan_shift
from crisis.duty.models import DutyShift
from crisis.duty.queries import may_be_covered_by


class ShiftForm(forms.ModelForm):  # type: ignore[type-arg]
    """Who works when, and as what; the phone is sealed when it is saved."""

    covers: Any = forms.ModelMultipleChoiceField(
        queryset=None,
        required=False,
        label="Covers also",
        help_text="Services that agreed to it in their own settings; their alerts come to this person too.",
    )
    phone = forms.CharField(max_length=32, required=False, help_text="Where to ring while on call.")

    class Meta:
        model = DutyShift
        fields = ("user", "role", "planned_start", "planned_end", "agreement")


@admin.register(DutyShift)
class DutyShiftAdmin(ActionAdmin):
    """Shifts: planned here, started and ended by the person."""

    form = ShiftForm
    # Supervisors plan the desk that they answer for.
    write_roles = frozenset({Role.ADMIN, Role.SUPERVISOR})
    add_action = plan_shift
    delete_action = cancel_shift
    list_display = ("planned_start", "planned_end", "user", "role", "status", "started_at", "ended_at")
    list_filter = ("status", "role", "planned_start")
    search_fields = ("user__full_name__icontains", "user__email__iexact")
    autocomplete_fields = ("user",)
    ordering = ("-planned_start",)
    list_select_related = ("user",)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Offer only the services that agreed to be covered by this one."""
        form = super().get_form(request, obj, change, **kwargs)
        if obj is None and "covers" in form.base_fields:
            choices: Any = form.base_fields["covers"]
            choices.queryset = may_be_covered_by(actor_of(request).organization_id)
        return form

    def add_arguments(self, request: HttpRequest, form: Any) -> dict[str, Any]:
        """Plan for the person's own organization."""
        data = dict(form.cleaned_data)
        user = data.pop("user")
        data["covers"] = [one.pk for one in data["covers"]]
        return {**data, "user_id": user.pk, "organization_id": user.organization_id}

    def id_argument(self) -> str:
        """Return the name by which the actions take the row's id."""
        return "shift_id"

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show what may be typed when planning, and the course of the shift afterwards."""
        if obj is None:
            return ("user", "role", "planned_start", "planned_end", "covers", "agreement", "phone")
        return (
            "user",
            "role",
            "status",
            "planned_start",
            "planned_end",
            "agreement",
            "is_planned",
            "started_at",
            "paused_until",
            "ended_at",
            "sound_tested_at",
        )
