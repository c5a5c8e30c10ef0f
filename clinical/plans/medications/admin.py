"""Medications in the back office: that there is one; never which."""

from __future__ import annotations

from django.contrib import admin

from clinical.plans.medications.models import Medication
from patients.registry.admin import PatientRowAdmin


@admin.register(Medication)
class MedicationAdmin(PatientRowAdmin):
    """Medications by pseudonym and source."""

    list_display = ("patient", "source", "recorded_by", "created_at", "updated_at")
    list_filter = ("source",)
    list_select_related = ("patient", "recorded_by")
    fields = ("patient", "source", "recorded_by", "created_at", "updated_at")
