"""The sources of what a person was found to have, what they take, and what they must not get or hear."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce
from django.urls import reverse

from clinical.plans.allergies.models import Allergy, Verification
from clinical.plans.allergies.showing import told_words
from clinical.plans.diagnoses.models import Diagnosis
from clinical.plans.medications.models import Medication, MedicationStatus
from clinical.plans.wording import (
    DIAGNOSIS_ADDED,
    DIAGNOSIS_CHANGED,
    MEDICATION_BEGUN,
    MEDICATION_RECORDED,
    MEDICATION_STOPPED,
    diagnosis_words,
    medication_words,
)
from clinical.sessions.neural.proposals import proposal_words
from clinical.sessions.neural.queries import proposals_told
from clinical.timeline.own import SIGNALS, SIGNALS_LABEL
from clinical.timeline.queries import noon, window, window_of
from clinical.timeline.registry import Entry, Look, Source, register
from patients.registry.queries import local_day
from patients.sessions.neural import NeuralProfileProposal, ProposalStatus

# A row is written a moment after the transaction began whose time it was created at: what was changed within
# this long is told with its first entry, which says how it stands.
SETTLES = timedelta(minutes=1)
# What was entered in error is nothing that happened to the person.
RIGHT = Q(status_before="")
CHANGED = Q(updated_at__gt=F("created_at") + SETTLES)
MEDICINE, DANGER, SOUND = "first-aid-kit", "alert-triangle", "wave-sine"


def _plan_page(look: Look) -> str:
    return reverse("clinical:plan", args=[look.patient.pk])


def _diagnoses(look: Look) -> list[Entry]:
    """Diagnoses that labels leave open to the reader, when they were added."""
    rows = Diagnosis.objects.filter(
        look.shut.condition(), RIGHT, patient_id__in=look.ids, created_at__lte=look.at
    )
    rows = rows.select_related("recorded_by").defer("note")
    return [
        Entry(
            "diagnosis", "diagnoses", one.pk, one.created_at, diagnosis_words(DIAGNOSIS_ADDED, one),
            detail=_how_it_began(one), by=one.recorded_by.full_name if one.recorded_by else "",
            icon="stethoscope", url=_plan_page(look),
        )
        for one in window_of(rows, "created_at", look, "diagnosis")
    ]  # fmt: skip


def _how_it_began(one: Diagnosis) -> str:
    """Say since when, and how it stands where no later entry says so."""
    told = [f"Since {one.onset:%-d %b %Y}."] if one.onset else []
    if one.updated_at - one.created_at <= SETTLES:
        told.insert(0, f"{one.get_status_display()}.")
    return " ".join(told)


def _changed_diagnoses(look: Look) -> list[Entry]:
    """How a diagnosis stands since it was changed last, where that was later than it was added."""
    rows = Diagnosis.objects.filter(look.shut.condition(), RIGHT, CHANGED, patient_id__in=look.ids)
    rows = rows.filter(updated_at__lte=look.at).defer("note")
    return [
        Entry(
            "diagnosis_changed", "diagnoses", one.pk, one.updated_at,
            diagnosis_words(DIAGNOSIS_CHANGED, one),
            detail=f"Now: {one.get_status_display().lower()}"
            + (f", since {one.resolved_on:%-d %b %Y}." if one.resolved_on else "."),
            icon="stethoscope", url=_plan_page(look),
        )
        for one in window_of(rows, "updated_at", look, "diagnosis_changed")
    ]  # fmt: skip


def _medications(look: Look) -> list[Entry]:
    """Medications that labels leave open to the reader, on the day they began or when they were recorded."""
    today = local_day(look.patient, look.at)
    begun = Q(start__isnull=True, created_at__lte=look.at) | Q(start__lte=today)
    rows = Medication.objects.filter(look.shut.condition(), RIGHT, begun, patient_id__in=look.ids)
    rows = rows.annotate(begun_at=Coalesce(noon("start", look.patient.zone()), "created_at"))
    found = list(window_of(rows.select_related("recorded_by"), "begun_at", look, "medication"))
    look.context.open(found, ("name", "dose"))
    return [
        Entry(
            "medication", "medications", one.pk, one.begun_at,
            medication_words(MEDICATION_BEGUN if one.start else MEDICATION_RECORDED, one),
            detail=f"{one.get_source_display()}."
            + (" Paused now." if one.status == MedicationStatus.ON_HOLD and not one.is_over(today) else ""),
            by=one.recorded_by.full_name if one.recorded_by else "", icon=MEDICINE, url=_plan_page(look),
            is_day=one.start is not None,
        )
        for one in found
    ]  # fmt: skip


def _stopped_medications(look: Look) -> list[Entry]:
    """When they were stopped, or their last day came.

    One that was recorded as stopped, nobody knows when, has no such entry.
    """
    over = Q(CHANGED, stop__isnull=True, updated_at__lte=look.at, status=MedicationStatus.STOPPED)
    over |= Q(stop__lte=local_day(look.patient, look.at))
    rows = Medication.objects.filter(look.shut.condition(), RIGHT, over, patient_id__in=look.ids)
    rows = rows.annotate(over_at=Coalesce(noon("stop", look.patient.zone()), "updated_at"))
    found = list(window_of(rows, "over_at", look, "medication_stopped"))
    look.context.open(found, ("name", "dose"))
    return [
        Entry(
            "medication_stopped", "medications", one.pk, one.over_at,
            medication_words(MEDICATION_STOPPED, one), icon=MEDICINE, url=_plan_page(look),
            is_day=one.stop is not None,
        )
        for one in found
    ]  # fmt: skip


def _recorded(ids: list[UUID], at: datetime) -> QuerySet[Any]:
    rows = Allergy.objects.filter(patient_id__in=ids, created_at__lte=at)
    return rows.select_related("recorded_by").defer("reaction")


def _allergies(look: Look) -> list[Entry]:
    """Allergies, and statements that none is known, when they were recorded; no label hides one."""
    found = window(_recorded, "created_at", look, "allergy")
    look.context.open(found, ("substance",))
    return [
        Entry(
            "allergy", "allergies", one.pk, one.created_at, told_words(one, is_new=True),
            detail=_how_it_is_known(one), by=one.recorded_by.full_name if one.recorded_by else "",
            icon=DANGER, url=_allergy_list(look),
        )
        for one in found
    ]  # fmt: skip


def _how_it_is_known(one: Allergy) -> str:
    """Say what it is of, who says so, how sure it is and since when."""
    sure = one.get_verification_display() if one.verification == Verification.UNCONFIRMED else ""
    told = [one.get_category_display(), f"Said by {one.get_source_display().lower()}", sure]
    told += [f"Since {one.since:%-d %b %Y}"] if one.since else []
    return " ".join(f"{words}." for words in told if words)


def _altered(ids: list[UUID], at: datetime) -> QuerySet[Any]:
    rows = Allergy.objects.filter(CHANGED, patient_id__in=ids, updated_at__lte=at)
    told = Q(none_known=False) | Q(verification=Verification.ENTERED_IN_ERROR)
    return rows.filter(told).defer("reaction")


def _changed_allergies(look: Look) -> list[Entry]:
    """How an allergy stands since it was changed last: resolved, refuted, severe after all, or an error.

    A statement that none is known ends with an allergy, which is told by itself: only its error is told.
    """
    found = window(_altered, "updated_at", look, "allergy_changed")
    look.context.open(found, ("substance",))
    return [
        Entry(
            "allergy_changed", "allergies", one.pk, one.updated_at, told_words(one, is_new=False),
            icon=DANGER, url=_allergy_list(look),
        )
        for one in found
    ]  # fmt: skip


def _proposals(look: Look) -> list[Entry]:
    """What was proposed, by which rule and of how many sessions; nothing of it applies by itself."""
    rows = proposals_told(look.ids, look.reach).filter(created_at__lte=look.at)
    return [
        Entry(
            "neural", SIGNALS, one.pk, one.created_at, f"Neural audio, proposed: {proposal_words(one)}",
            detail=_why_proposed(one), icon=SOUND, url=_neural_page(look),
        )
        for one in window_of(rows, "created_at", look, "neural")
    ]  # fmt: skip


def _why_proposed(one: NeuralProfileProposal) -> str:
    said = f"{one.evidence_n} session{'s say' if one.evidence_n != 1 else ' says'} so"
    told = f"By a fixed rule: {one.get_reason_code_display().lower()}. {said}."
    return told + (" Waits for a clinician." if one.status == ProposalStatus.OPEN else "")


def _decided_proposals(look: Look) -> list[Entry]:
    rows = (
        proposals_told(look.ids, look.reach)
        .filter(decided_at__lte=look.at)
        .exclude(status=ProposalStatus.OPEN)
    )
    return [
        Entry(
            "neural_decided", SIGNALS, one.pk, one.decided_at,
            f"Neural audio, {one.get_status_display().lower()}: {proposal_words(one)}",
            by=one.decided_by.full_name if one.decided_by else "", icon=SOUND, url=_neural_page(look),
        )
        for one in window_of(rows.select_related("decided_by"), "decided_at", look, "neural_decided")
        if one.decided_at is not None
    ]  # fmt: skip


def _neural_page(look: Look) -> str:
    return reverse("clinical:neural", args=[look.patient.pk])


def _allergy_list(look: Look) -> str:
    return f"{_plan_page(look)}#allergies"


def register_treatment() -> None:
    """Add them; called once, at start."""
    register(Source("diagnosis", "diagnoses", "Diagnoses", _diagnoses))
    register(Source("diagnosis_changed", "diagnoses", "Diagnoses", _changed_diagnoses))
    register(Source("medication", "medications", "Medications", _medications))
    register(Source("medication_stopped", "medications", "Medications", _stopped_medications))
    register(Source("allergy", "allergies", "Allergies", _allergies))
    register(Source("allergy_changed", "allergies", "Allergies", _changed_allergies))
    register(Source("neural", SIGNALS, SIGNALS_LABEL, _proposals))
    register(Source("neural_decided", SIGNALS, SIGNALS_LABEL, _decided_proposals))
