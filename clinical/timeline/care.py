"""The sources of what a therapist writes and plans: signed notes and plans, missed appointments."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse

from clinical.documents import queries as documents
from clinical.documents.models import Document
from clinical.notes.models import Note
from clinical.notes.queries import reader_by
from clinical.plans.models import PlanVersion
from clinical.plans.wording import version_words
from clinical.scheduling.models import Appointment, Status
from clinical.timeline.queries import window, window_of
from clinical.timeline.registry import Entry, Look, Source, register
from crisis.safetyplans.models import SafetyPlan, SafetyPlanReview
from crisis.safetyplans.wording import RETIRED


def _notes(look: Look) -> list[Entry]:
    """Signed notes that labels leave open to the reader; their words stay closed, process notes stay out."""
    who = reader_by(look.context.actor.person, look.patient, look.stands, look.at)
    rows = Note.objects.filter(patient_id__in=look.ids, signed_at__isnull=False, occurred_at__lte=look.at)
    rows = rows.filter(who.condition).select_related("author")
    return [
        Entry(
            "note", "notes", one.pk, one.occurred_at, f"Note: {one.get_note_type_display()}",
            detail="Waits for a co-signature." if one.waits_for_cosign else "",
            by=one.author.full_name, icon="notes",
            url=reverse("clinical:note_page", args=[one.patient_id, one.pk]),
        )
        for one in window_of(rows, "occurred_at", look, "note")
    ]  # fmt: skip


def _documents(look: Look) -> list[Entry]:
    """Documents that labels leave open to the reader, when they were brought; their titles stay closed."""
    who = documents.reader_by(look.context.actor.person, look.patient, look.stands)
    rows = Document.objects.filter(patient_id__in=look.ids, uploaded_at__lte=look.at).filter(who.condition)
    return [
        Entry(
            "document", "documents", one.pk, one.uploaded_at, f"Document: {one.get_kind_display().lower()}",
            detail="Entered in error." if one.is_in_error else _came(one),
            by=one.uploaded_by.full_name, icon="file-text",
            url=reverse("clinical:document_page", args=[one.patient_id, one.pk]),
        )
        for one in window_of(rows.select_related("uploaded_by"), "uploaded_at", look, "document")
    ]  # fmt: skip


def _came(one: Document) -> str:
    return f"Came on {one.received_on:%-d %b %Y}." if one.received_on else ""


def _versions(ids: list[UUID], at: datetime) -> QuerySet[Any]:
    rows = PlanVersion.objects.filter(patient_id__in=ids, signed_at__lte=at)
    return rows.select_related("signed_by").defer("content")


def _plans(look: Look) -> list[Entry]:
    return [
        Entry(
            "plan", "plans", one.pk, one.signed_at,
            version_words(one.version),
            detail="Agreed with the person." if one.patient_agreed else "",
            by=one.signed_by.full_name if one.signed_by else "", icon="list-details",
            url=reverse("clinical:plan_version", args=[one.patient_id, one.plan_id, one.version]),
        )
        for one in window(_versions, "signed_at", look, "plan")
    ]  # fmt: skip


def _finished(ids: list[UUID], at: datetime) -> QuerySet[Any]:
    rows = SafetyPlan.objects.finished().filter(patient_id__in=ids, finished_at__lte=at)
    return rows.select_related("authored_by")


def _safety_plans(look: Look) -> list[Entry]:
    """Finished versions of the safety plan; their lines stay closed."""
    return [
        Entry(
            "safety", "plans", one.pk, one.finished_at,
            "Safety plan made" if one.version == 1 else f"Safety plan changed, version {one.version}",
            detail=_safety_detail(one), by=one.authored_by.full_name, icon="lifebuoy",
            url=reverse("crisis:safety_plan_version", args=[one.patient_id, one.pk]),
        )
        for one in window(_finished, "finished_at", look, "safety")
        if one.finished_at is not None
    ]  # fmt: skip


def _safety_detail(one: SafetyPlan) -> str:
    told = ["Made together with the person." if one.created_with_patient else "Made without the person."]
    told += [] if one.is_complete else ["Not complete."]
    told += [f"{RETIRED[one.retire_reason]}."] if one.retire_reason in RETIRED else []
    return " ".join(told)


def _gone_through(ids: list[UUID], at: datetime) -> QuerySet[Any]:
    rows = SafetyPlanReview.objects.filter(patient_id__in=ids, reviewed_at__lte=at)
    return rows.select_related("reviewed_by")


def _safety_reviews(look: Look) -> list[Entry]:
    return [
        Entry(
            "safety_review", "plans", one.pk, one.reviewed_at, "Safety plan gone through: still right",
            by=one.reviewed_by.full_name, icon="lifebuoy",
            url=reverse("crisis:safety_plan_version", args=[one.patient_id, one.plan_id]),
        )
        for one in window(_gone_through, "reviewed_at", look, "safety_review")
    ]  # fmt: skip


def _not_held(ids: list[UUID], at: datetime) -> QuerySet[Any]:
    missed = (Status.NO_SHOW, Status.CANCELLED)
    rows = Appointment.objects.filter(patient_id__in=ids, starts_at__lte=at, status__in=missed)
    return rows.select_related("therapist")


def _appointments(look: Look) -> list[Entry]:
    """Only what did not take place: what did is a session."""
    return [
        Entry(
            "appointment", "appointments", one.pk, one.starts_at,
            f"Appointment: {one.get_status_display().lower()}",
            detail=f"{one.get_cancel_reason_display()}." if one.cancel_reason else "",
            by=one.therapist.full_name, icon="calendar",
            url=reverse("clinical:appointment", args=[one.pk]),
        )
        for one in window(_not_held, "starts_at", look, "appointment")
    ]  # fmt: skip


def register_care() -> None:
    """Add them; called once, at start."""
    register(Source("note", "notes", "Notes", _notes))
    register(Source("document", "documents", "Documents", _documents))
    register(Source("plan", "plans", "Plans", _plans))
    register(Source("safety", "plans", "Plans", _safety_plans))
    register(Source("safety_review", "plans", "Plans", _safety_reviews))
    register(Source("appointment", "appointments", "Appointments", _appointments))
