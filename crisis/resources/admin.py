"""The back office of crisis lines: one's own are kept here, common ones by an operator."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from cortex.accounts.appointments import is_operator
from cortex.audit import actor_of
from cortex.ui.admin import ActionAdmin
from crisis.resources import actions
from crisis.resources.models import CrisisResource


class CrisisResourceForm(forms.ModelForm):
    """How a resource is called and reached."""

    class Meta:
        model = CrisisResource
        fields = (
            "jurisdiction", "region", "name", "kind", "phone", "sms", "url", "address", "hours", "languages",
            "priority", "is_active",
        )  # fmt: skip


@admin.register(CrisisResource)
class CrisisResourceAdmin(ActionAdmin):
    """Ring a number, then mark it as checked: after 90 days it is hidden behind a warning."""

    asks_again = True
    add_action = actions.add_resource
    change_action = actions.change_resource
    form = CrisisResourceForm
    fields = CrisisResourceForm.Meta.fields
    list_display = (
        "name",
        "jurisdiction",
        "kind",
        "phone",
        "hours",
        "verified_at",
        "verified_by",
        "is_active",
    )
    list_filter = ("jurisdiction", "kind", "is_active")
    search_fields = ("name", "phone", "region")
    actions = ("mark_checked",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return one's own resources and the common ones."""
        own = Q(organization_id__in=list(actor_of(request).org_ids))
        return admin.ModelAdmin.get_queryset(self, request).filter(own | Q(organization__isnull=True))

    def may_write(self, request: HttpRequest, obj: CrisisResource | None = None) -> bool:
        """Common ones are the operator's."""
        is_common = obj is not None and obj.organization_id is None
        return super().may_write(request, obj) and (not is_common or is_operator(actor_of(request)))

    def id_argument(self) -> str:
        """The actions call it a resource."""
        return "resource_id"

    @admin.action(description="I rang it and it answered", permissions=["run"])
    def mark_checked(self, request: HttpRequest, queryset: Any) -> None:
        """Note today as the day of the check."""
        self.each(request, queryset, actions.verify_resource, "Marked as checked")
