"""Diagnoses in the back office: that there is one, since when; never which."""

from __future__ import annotations

from django.contrib import admin

from clinical.plans.diagnoses.models import Diagnosis, DiagnosisFavourite
from cortex.ui.admin import ActionAdmin
from patients.registry.admin import PatientRowAdmin


@admin.register(Diagnosis)
class DiagnosisAdmin(PatientRowAdmin):
    """Diagnoses by pseudonym and who recorded them; code and title are clinical text."""

    list_display = ("patient", "code_system", "recorded_by", "created_at", "updated_at")
    list_select_related = ("patient", "recorded_by")
    fields = ("patient", "code_system", "recorded_by", "created_at", "updated_at")


@admin.register(DiagnosisFavourite)
class DiagnosisFavouriteAdmin(ActionAdmin):
    """Codes that people keep at hand; no patient is concerned."""

    list_display = ("user", "code", "hidden")
    list_select_related = ("user",)
