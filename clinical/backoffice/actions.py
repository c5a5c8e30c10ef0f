"""Writes of the demo: one fictional person with everything that is known of them."""

from __future__ import annotations

from datetime import date, datetime
from functools import partial
from typing import Any
from uuid import UUID

from clinical.assessments.actions import finish_assessment
from clinical.assessments.models import Mode
from clinical.scheduling.actions import book_appointment, note_held, note_no_show
from clinical.scheduling.billing.actions import add_code, bill_appointment
from clinical.scheduling.billing.models import BillingCode
from cortex.audit import Actor, action, record
from cortex.clock import clock
from crisis.intake.actions import take_batch
from crisis.intake.parcels import Parcel
from patients.care.actions import add_to_care_team
from patients.registry.actions import register_patient
from patients.registry.models import Patient
from patients.registry.records import RegisterPatient


@action
def add_person(
    *,
    actor: Actor,
    data: RegisterPatient,
    therapist_id: UUID | None,
    parcel: Parcel,
    measures: list[tuple[str, datetime, dict[str, int | None]]],
    since: datetime,
    at: datetime | None = None,
) -> Patient:
    """Register a fictional person, send their two weeks, and the questionnaires that they filled in.

    All or nothing, so that a load that was interrupted goes on with the next person.
    """
    at = clock(at)
    patient = register_patient(actor=actor, organization_id=parcel.organization_id, data=data, at=at)
    if therapist_id is not None:
        add_to_care_team(
            actor=actor,
            patient_id=patient.pk,
            user_id=therapist_id,
            role="primary_therapist",
            starts_at=since,
            at=at,
        )
    take_batch(actor=actor, parcel=parcel, at=at)
    for key, given, answers in measures:
        finish_assessment(
            actor=actor, patient_id=patient.pk, key=key, answers=answers, mode=Mode.SELF,
            administered_at=given, at=at,
        )  # fmt: skip
    record(actor, "demo.person_added", patient, subject=patient.pk)
    return patient


@action
def add_tariffs(*, actor: Actor, tariffs: list[dict[str, Any]]) -> list[BillingCode]:
    """Give an organization tariffs of its own: payers of its country use no public numbers."""
    rows = [
        add_code(actor=actor, organization_id=actor.organization_id, active_from=date(2026, 1, 1), **one)
        for one in tariffs
    ]
    record(actor, "demo.tariffs_added", rows[0])
    return rows


@action
def add_appointments(
    *, actor: Actor, patient_id: UUID, therapist_id: UUID, past: list[datetime], coming: list[datetime],
    missed: bool, at: datetime | None = None,
) -> None:  # fmt: skip
    """Fill a person's calendar: held (and billed) or missed ones behind, planned ones ahead."""
    book = partial(
        book_appointment, actor=actor, patient_id=patient_id, minutes=50, therapist_id=therapist_id, at=at
    )
    for number, start in enumerate(past):
        (one,) = book(starts=[start])
        if missed and number == 0:
            note_no_show(actor=actor, appointment_id=one.pk, at=at)
            continue
        note_held(actor=actor, appointment_id=one.pk, at=at)
        bill_appointment(actor=actor, appointment_id=one.pk, minutes=48 + number, at=at)
    if coming:
        book(starts=coming)
    record(actor, "demo.appointments_added", None, subject=patient_id)
