"""Allergies in the back office: that there is one; never of what."""

from __future__ import annotations

from django.contrib import admin

from clinical.plans.allergies.models import Allergy
from patients.registry.admin import PatientRowAdmin


@admin.register(Allergy)
class AllergyAdmin(PatientRowAdmin):
    """Allergies by pseudonym and source."""

    list_display = ("patient", "source", "recorded_by", "created_at", "updated_at")
    list_filter = ("source",)
    list_select_related = ("patient", "recorded_by")
    fields = ("patient", "source", "recorded_by", "created_at", "updated_at")
