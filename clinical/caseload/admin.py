"""Each member of staff's own marks on a person, in the back office: when, of whom, never why."""

from __future__ import annotations

from django.contrib import admin

from clinical.caseload.models import CaseMark, CaseView
from cortex.ui.admin import ActionAdmin
from patients.registry.admin import PatientRowAdmin


@admin.register(CaseMark)
class CaseMarkAdmin(PatientRowAdmin):
    """When people last looked at whom, and whom they ticked off."""

    list_display = ("user", "patient", "looked_at", "reviewed_at")
    list_select_related = ("user", "patient")


@admin.register(CaseView)
class CaseViewAdmin(ActionAdmin):
    """That somebody keeps a view, and its filters; its name is theirs."""

    list_display = ("user", "filters", "created_at")
    list_select_related = ("user",)
    exclude = ("name",)
