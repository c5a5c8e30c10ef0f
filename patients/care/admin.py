"""The back office of care teams and grants: who may see whom, since when and until when."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from cortex.accounts.choices import Role
from patients.care import actions
from patients.care.models import CareTeamMember, PatientUserObjectPermission
from patients.codes import GrantReason
from patients.registry.admin import PatientRowAdmin
from patients.registry.predicate import CHART, CONSENTS, VIEW

# Whoever changes things of several people at once locks these in one order.
IN_ORDER = ("patient__person_id", "pk")
WATCHERS = frozenset({Role.ADMIN, Role.COMPLIANCE})


class CareTeamForm(forms.ModelForm):
    """Who joins which team as what."""

    class Meta:
        model = CareTeamMember
        fields = ("patient", "user", "role", "starts_at", "ends_at")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "starts_at" in self.fields:
            self.fields["starts_at"].required = False


@admin.register(CareTeamMember)
class CareTeamMemberAdmin(PatientRowAdmin):
    """Places on teams and covers: given after the password once more, ended, never deleted."""

    asks_again = True
    add_action = actions.add_to_care_team
    view_roles = WATCHERS
    form = CareTeamForm
    fields = CareTeamForm.Meta.fields
    autocomplete_fields = ("patient", "user")
    list_display = ("patient", "user", "role", "starts_at", "ends_at", "cover_for")
    list_filter = ("role",)
    list_select_related = ("patient", "user", "cover_for")
    actions = ("end_now",)

    @admin.action(description="End now", permissions=["run"])
    def end_now(self, request: HttpRequest, queryset: Any) -> None:
        """End the chosen places."""
        self.each(request, queryset.order_by(*IN_ORDER), actions.end_care_team_place, "Ended")

    def id_argument(self) -> str:
        """Return the action's own word."""
        return "member_id"

    def choice_label(self, row: Any) -> str:
        """Name a place by who holds it and for whom."""
        return f"{row.user or 'without an account'}, {row.get_role_display()} of {row.patient}"


class GrantForm(forms.ModelForm):
    """Who may see whom, until when and why; break-glass has a door of its own."""

    opens = forms.ChoiceField(choices=[(VIEW, "The person's page"), (CHART, "The whole chart")])
    why = forms.CharField(required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 3}))

    class Meta:
        model = PatientUserObjectPermission
        fields = ("content_object", "user", "reason_code", "starts_at", "ends_at")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "reason_code" in self.fields:
            offered = [one for one in GrantReason.choices if one[0] != GrantReason.BREAK_GLASS]
            self.fields["reason_code"] = forms.ChoiceField(choices=offered)
        if "starts_at" in self.fields:
            self.fields["starts_at"].required = False


@admin.register(PatientUserObjectPermission)
class GrantAdmin(PatientRowAdmin):
    """Single grants: given after the password once more, ended, never deleted."""

    asks_again = True
    add_action = actions.grant_access
    view_roles = WATCHERS
    form = GrantForm
    patient_path = "content_object_id"
    sealed_fields = ("reason",)
    opens = CONSENTS
    autocomplete_fields = ("content_object", "user")
    list_display = (
        "content_object",
        "user",
        "permission",
        "reason_code",
        "starts_at",
        "ends_at",
        "granted_by",
    )
    list_filter = ("reason_code",)
    list_select_related = ("content_object", "user", "permission__content_type", "granted_by")
    search_fields = ("content_object__anonymous_id",)
    actions = ("end_now",)

    @admin.action(description="End now", permissions=["run"])
    def end_now(self, request: HttpRequest, queryset: Any) -> None:
        """End the chosen grants."""
        self.each(request, queryset, actions.end_grant, "Ended")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show a row as it is, ask in our own words."""
        if obj is not None:
            return (*GrantForm.Meta.fields, "permission", "reason", "granted_by")
        return (*GrantForm.Meta.fields, "opens", "why")

    def id_argument(self) -> str:
        """Return the action's own word."""
        return "grant_id"

    def add_arguments(self, request: HttpRequest, form: Any) -> dict[str, Any]:
        """Put the form's words into the action's."""
        typed = form.cleaned_data
        return {
            "patient_id": typed["content_object"].pk,
            "user_id": typed["user"].pk,
            "reason_code": typed["reason_code"],
            "starts_at": typed["starts_at"],
            "ends_at": typed["ends_at"],
            "permission": typed["opens"],
            "reason": typed["why"] or None,
        }
