"""Writes of the demo: one fictional person with everything that is known of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from clinical.assessments.actions import finish_assessment
from clinical.assessments.models import Mode
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
    also: Sequence[Callable[[UUID], object]] = (),
    at: datetime | None = None,
) -> Patient:
    """Register a fictional person, send their two weeks, and the questionnaires that they filled in.

    `also` are further writes about the person, given their id. All or nothing, so that a load that was
    interrupted goes on with the next person.
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
    for write in also:
        write(patient.pk)
    record(actor, "demo.person_added", patient, subject=patient.pk)
    return patient
