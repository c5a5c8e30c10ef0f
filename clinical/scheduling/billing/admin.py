"""Billing in the back office: codes are kept here, lines are looked at."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from clinical.scheduling.billing import actions
from clinical.scheduling.billing.models import BillingCode, BillingLine
from cortex.accounts.appointments import is_operator
from cortex.audit import actor_of
from cortex.ui.admin import ActionAdmin
from patients.registry.admin import PatientRowAdmin


class BillingCodeForm(forms.ModelForm):
    """A code, what it covers, and one's own tariff."""

    class Meta:
        model = BillingCode
        fields = (
            "code", "system", "own_label", "service", "min_minutes", "max_minutes", "unit_minutes",
            "is_addon", "requires", "active_from", "active_to", "jurisdiction", "amount_cents", "currency",
        )  # fmt: skip


@admin.register(BillingCode)
class BillingCodeAdmin(ActionAdmin):
    """The table of codes: common ones are the operator's, an organization adds its own tariffs."""

    add_action = actions.add_code
    change_action = actions.change_code
    form = BillingCodeForm
    fields = BillingCodeForm.Meta.fields
    list_display = (
        "code", "own_label", "system", "service", "jurisdiction", "min_minutes", "max_minutes", "is_addon",
        "active_from", "active_to",
    )  # fmt: skip
    list_filter = ("system", "service", "jurisdiction", "is_addon")
    search_fields = ("code", "own_label")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return one's own codes and the common ones."""
        own = Q(organization_id__in=list(actor_of(request).org_ids))
        return admin.ModelAdmin.get_queryset(self, request).filter(own | Q(organization__isnull=True))

    def may_write(self, request: HttpRequest, obj: BillingCode | None = None) -> bool:
        """Common ones are the operator's."""
        is_common = obj is not None and obj.organization_id is None
        return super().may_write(request, obj) and (not is_common or is_operator(actor_of(request)))

    def id_argument(self) -> str:
        """Return the action's own word."""
        return "code_id"


@admin.register(BillingLine)
class BillingLineAdmin(PatientRowAdmin):
    """Lines by pseudonym, code and day; decided on the billing page."""

    list_display = (
        "service_date",
        "patient",
        "provider",
        "code",
        "minutes",
        "units",
        "status",
        "exported_at",
    )
    list_filter = ("status", "system")
    list_select_related = ("patient", "provider")
