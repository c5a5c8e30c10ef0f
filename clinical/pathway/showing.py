"""Referrals, first steps and a caseload that moves, in the shapes of their pages; no query."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.urls import reverse

from clinical.pathway.queries import Moving, Step
from clinical.scheduling.models import Appointment
from patients.pathway.models import Referral
from patients.registry.queries import Named, full_name


def referral_row(one: Referral) -> dict[str, Any]:
    """Return one referral; name, reason and referrer while it waits for the reader, later the pseudonym."""
    waits = one.status == "waiting"
    return {
        "id": one.pk,
        "name": (full_name(one.patient) if waits else "") or one.patient.anonymous_id,
        "pseudonym": one.patient.anonymous_id,
        "age": one.patient.get_age_band_display(),
        "phone": one.patient.phone if waits else "",
        "reason": one.reason if waits else "",
        "referrer": one.referrer if waits else "",
        "source": one.get_source_display(),
        "urgency": one.get_urgency_display(),
        "is_urgent": one.urgency == "urgent",
        "at": one.received_at,
        "asked": one.asked.full_name if one.asked else "",
        "made_by": one.made_by.full_name if one.made_by else "",
        "status": one.get_status_display(),
        "status_code": one.status,
        "why": one.get_decline_code_display() if one.decline_code else "",
        "decided_at": one.decided_at,
        "decided_by": one.decided_by.full_name if one.decided_by else "",
    }


def steps_of(steps: Iterable[Step], patient_id: UUID) -> dict[str, Any]:
    """Return the first steps with where each is done, and how many are missing."""
    shown = [
        {"title": one.title, "done": one.done, "detail": one.detail, "url": _leads_to(one.key, patient_id)}
        for one in steps
    ]
    return {"steps": shown, "missing": sum(not one["done"] for one in shown)}


def _leads_to(key: str, patient_id: UUID) -> str:
    if key.startswith("measure:"):
        return reverse("clinical:measure_ask", args=[patient_id, key.partition(":")[2]])
    name = {"consent": "chart_consent", "people": "chart_people", "contacts": "chart_contact_add"}.get(key)
    return reverse(f"clinical:{name}", args=[patient_id]) if name else ""


def moving_rows(rows: Iterable[Moving], form: Any) -> list[dict[str, Any]]:
    """Return what moves with each person of a caseload, with the field that says to whom."""
    return [
        {
            "pseudonym": row.patient.anonymous_id,
            "age": row.patient.get_age_band_display(),
            "level": row.level,
            "roles": ", ".join(row.roles),
            "since": row.since,
            "items": row.items,
            "follow_ups": row.follow_ups,
            "claims": row.claims,
            "appointments": row.appointments,
            "notes": row.notes,
            "others": ", ".join(row.others),
            "field": form[f"to_{row.patient.pk}"],
        }
        for row in rows
    ]


def hour_row(one: Appointment, who: Named, *, opens: bool) -> dict[str, Any]:
    """Return one appointment that falls into an absence; `opens` links to it."""
    return {
        **who._asdict(),
        "at": one.starts_at,
        "kind": one.get_kind_display(),
        "minutes": one.minutes,
        "url": reverse("clinical:appointment", args=[one.pk]) if opens else "",
    }
