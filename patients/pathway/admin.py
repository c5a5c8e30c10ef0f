"""Referrals and endings of care in the back office: who, when and which code; never the words."""

from __future__ import annotations

from django.contrib import admin

from patients.pathway.models import CareEnding, Referral
from patients.registry.admin import PatientRowAdmin


@admin.register(Referral)
class ReferralAdmin(PatientRowAdmin):
    """Who was sent to whom, and what became of it."""

    fields = (
        "patient", "source", "urgency", "received_at", "made_by", "asked", "status", "decided_at",
        "decided_by", "decline_code",
    )  # fmt: skip
    list_display = ("patient", "source", "urgency", "received_at", "asked", "status")
    list_filter = ("status", "urgency", "source")
    list_select_related = ("patient", "asked", "made_by", "decided_by")


@admin.register(CareEnding)
class CareEndingAdmin(PatientRowAdmin):
    """Whose care ended, how and when."""

    fields = (
        "patient", "kind", "reason_code", "from_user", "to_user", "decided_by", "ended_at", "access_ends_at",
    )  # fmt: skip
    list_display = ("patient", "kind", "reason_code", "from_user", "to_user", "ended_at")
    list_filter = ("kind", "reason_code")
    list_select_related = ("patient", "from_user", "to_user", "decided_by")
